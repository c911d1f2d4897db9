"""People who use a portal of any commit, and a worker that runs only when called.

Modules have moved between commits, so this relies only on `runs.tasks`, the sandbox and the names of models.
"""

import re
from collections.abc import Sequence
from typing import Any

from tests.upgrades.known import PASSWORD

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
POLL = "runs.tasks.poll"
LATER = (POLL, "runs.tasks.keep_files", "runs.tasks.check_run")  # tasks that stay in the queue


def rows(name: str) -> Any:
    """Return the manager of the model `name`."""
    from django.apps import apps

    return apps.get_model("runs", name)._default_manager


class Person:
    """A person's browser without scripts. `tokens` maps public ids of the person's guest links to their tokens."""

    def __init__(self, name: str) -> None:
        from django.test import Client

        self.email = f"{name}@example.com"
        self.tokens: dict[str, str] = {}
        self.browser = Client(SERVER_NAME="127.0.0.1", headers={"User-Agent": BROWSER})

    @property
    def member(self) -> Any:
        return rows("Member").get(email=self.email)

    def sign_in(self) -> "Person":
        self.post("/login/", username=self.email, password=PASSWORD)
        return self

    def get(self, path: str) -> str:
        answer = self.browser.get(path, follow=True)
        assert answer.status_code == 200, (path, answer.status_code)
        return b"".join(answer).decode() if answer.streaming else answer.content.decode()

    def post(self, path: str, **fields: Any) -> Any:
        answer = self.browser.post(path, fields)
        assert answer.status_code in (200, 204, 302), (path, answer.status_code, plain(answer.content.decode()))
        return answer

    def form_of(self, app: Any) -> Any:
        """Return the form of `app` after reading it from Lamina."""
        from tests.smoke import FormReader

        self.get(app.get_absolute_url())
        work()
        reader = FormReader()
        reader.feed(self.get(app.get_absolute_url()))
        assert reader.is_there, app.name
        return reader

    def press(self, name: str, **values: str) -> Any:
        """Fill in the required fields of the app `name`, then `values` by field (such as "p0"), and press Run."""
        app = app_called(name)
        pairs, files = self.form_of(app).filled()
        answer = self.browser.post(app.get_absolute_url(), posted(pairs, files, values))
        assert answer.status_code == 302, (name, plain(answer.content.decode()))
        return rows("Run").get(public_id=answer["Location"].split("/")[2])


def posted(pairs: Sequence[tuple[str, str]], files: Any, values: dict[str, str]) -> dict[str, Any]:
    """Return fields and files in the form that Django's test client expects."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    fields: dict[str, Any] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    given = {name: SimpleUploadedFile(title, data, kind) for name, (title, data, kind) in files.items()}
    return fields | given | values


def plain(page: str) -> str:
    return " ".join(re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", page).split())[:1500]


def app_called(name: str) -> Any:
    return rows("App").get(name=name)


def token_in(page: str, path: str) -> str:
    """Return the token in the page's first address that starts with `path`, for example "/s/"."""
    found = re.search(rf"{path}([\w-]{{32}})/", page)
    assert found is not None, plain(page)
    return found[1]


def work(*, but: Sequence[str] = LATER) -> None:
    """Run queued tasks and the tasks that they queue. Tasks in `but` stay in the queue."""
    from django.utils.module_loading import import_string
    from django_q.models import OrmQ

    while waiting := [one for one in OrmQ.objects.order_by("pk") if one.task["func"] not in but]:
        task = waiting[0].task
        waiting[0].delete()
        import_string(task["func"])(*task["args"], **task["kwargs"])


def watch() -> None:
    """Start the runs that are waiting to be sent, and follow them until they and their files are complete."""
    from runs import tasks

    work()
    tasks.poll()
    work(but=(POLL,))
