"""A browser that checks every page, and a check that the API key never leaks into pages, logs or tasks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models.signals import post_save
from django.http import HttpResponse
from django.test import Client
from django_q.models import OrmQ

from runs.background import broker
from runs.models import App, Member, Run
from tests.hostile.form import Form
from tests.support.page import Page
from tests.support.quick_portal import KEY


class Browser(Client):
    """A browser that checks every response: it must not be a server error, reveal the key, or contain anything that
    could be executed or lead to another site."""

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        where = f"{request.get('REQUEST_METHOD', 'GET')} {request.get('PATH_INFO')}"
        assert response.status_code < 500, f"{where}: {response.status_code}"
        shown = f"{dict(response.headers)}"
        if not response.streaming:
            shown += response.content.decode("utf-8", "replace")
        assert KEY not in shown, f"the key is in the answer to {where}"
        if response.headers.get("Content-Type", "").startswith("text/html"):
            dangers = Page(response.content.decode()).dangers()
            assert not dangers, f"{where}: {dangers}"
        return response

    @classmethod
    def of(cls, member: Member) -> "Browser":
        browser = cls()
        browser.force_login(member)
        return browser

    def page(self, url: str, **query: str) -> Page:
        """Return the page at `url`, which must exist."""
        answer = self.get(url, query)
        assert answer.status_code == 200, f"{url}: {answer.status_code}"
        return Page(answer.content.decode())

    def open(self, app: App) -> Form:
        """Open the page of `app` and return its form."""
        return Form.on(self.page(app.get_absolute_url()).html)

    def send(self, form: Form, url: str = "") -> HttpResponse:
        """Submit `form`, as pressing its button would."""
        body, content_type = form.encoded()
        answer: HttpResponse = self.generic("POST", url or form.action, body, content_type)  # type: ignore[assignment]
        return answer

    def press(self, form: Form) -> Run:
        """Press Run; return the run whose page this leads to."""
        answer = self.send(form)
        assert answer.status_code == 302, Page(answer.content.decode()).find(css="errors")
        return Run.objects.get(public_id=answer["Location"].rstrip("/").rpartition("/")[2])

    def refused(self, form: Form) -> Page:
        """Press Run and expect a refusal; return the page that gives the reason."""
        answer = self.send(form)
        assert answer.status_code == 422, answer.status_code
        return Page(answer.content.decode())


@contextmanager
def secrecy() -> Iterator[None]:
    """Fail if the key ends up in a task or in a log record (at any level, including its traceback)."""
    leaks: list[str] = []
    seen: list[int] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.levelno)
            if KEY in self.format(record) or KEY in str(record.__dict__):
                leaks.append(f"log of {record.name}: {record.getMessage()}")

    def on_task(instance: OrmQ, **_: Any) -> None:
        task = broker.unpack(instance.payload)
        if KEY in repr(task):
            leaks.append(f"task {task['func']}")

    listener, root = Listener(logging.DEBUG), logging.getLogger()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    post_save.connect(on_task, sender=OrmQ)
    try:
        yield
    finally:
        post_save.disconnect(on_task, sender=OrmQ)
        root.setLevel(level)
        root.removeHandler(listener)
    assert not leaks, leaks
