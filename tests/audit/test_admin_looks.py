"""Each time an admin looks at something that another member keeps private, the record says so: once a day for each run.

The walk requests every URL of the access table as an admin, and some more: parts of pages that scripts request, lists
of what was selected, HEAD requests and ranges.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runs.models import Entry, Member, Output, Run, StoredFile, Upload, Verb
from runs.models.run import RunInputUpload
from runs.sharing.links import make_link
from tests.support.access_rows import ROWS, Row
from tests.support.access_walk import body_of
from tests.support.access_world import World
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_app, make_kept, make_run, make_stored

pytestmark = pytest.mark.django_db
EXEMPT = {
    "runs:manage-log": "it names what was done to which run, and shows nothing of the run itself",
    "runs:manage-log-csv": "likewise, and the export is recorded",
    "runs:object-record of a person": "likewise",
    "runs:run-share": "the post shares the run with the team, which is recorded",
    "runs:run-star": "the answer is only a button",
    "runs:result-star": "likewise",
}


@dataclass(frozen=True)
class Look:
    """A request by an admin. `before` prepares it; `is_look` means that its answer is about one private run, even if
    it doesn't name it."""

    name: str
    path: str
    method: str = "get"
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_look: bool = False
    before: Callable[[Client], Any] = lambda client: None

    def send(self, client: Client) -> HttpResponseBase:
        self.before(client)
        answer: HttpResponseBase = getattr(client, self.method)(self.path, self.data or {}, headers=self.headers)
        return answer


@pytest.fixture
def world(make_member: Callable[..., Member]) -> World:
    return World(make_member)


def looks_of_table(world: World) -> list[Look]:
    """Return a request for each row of the access table that members may use, as a page and as a part of one."""
    found = []
    for row in ROWS:
        if row.is_for_guests:  # everyone who has the link sees the same
            continue
        name = f"{row.name} {row.query}".strip()
        path = reverse(row.name, args=row.path(world))
        look = Look(name, path, row.method, row.data(world), is_look=is_private(row) and row.method == "get")
        found += [look, replace(look, headers=HTMX)]
    return [look for look in found if look.name not in EXEMPT]


def is_private(row: Row) -> bool:
    """Return whether the owner of a private run and admins may use the row, and nobody else."""
    return {"owner", "admin"} <= set(row.rule.private) and "stranger or teammate" not in row.rule.private


def more_looks(world: World) -> list[Look]:
    """Return requests that aren't in the access table: those of open pages, lists of what was selected, HEAD requests
    and ranges."""
    subject = world.subject
    run, output, file = subject.run, subject.output.public_id, subject.file.public_id
    live, original = reverse("runs:live"), reverse("runs:file-original", args=[file])

    def select(place: str, **ticks: list[str]) -> Callable[[Client], Any]:
        ids = next(iter(ticks.values()))
        posted = {"place": place, "on": ids, **ticks, "back": "/history/"}
        return lambda client: client.post(reverse("runs:history-select"), posted)

    results, runs = select("results", f=[output]), select("mine", r=[run.public_id])

    def hold(client: Client) -> Any:
        return client.post(reverse("runs:run-hold", args=[run.public_id]), {"on": "1"})

    on_page = HTMX | {"HX-Current-URL": f"http://testserver{run.get_absolute_url()}"}
    return [
        Look("a card", live, data={"r": f"{run.public_id}:0"}, headers=HTMX),
        Look("a card in History", live, data={"r": f"{run.public_id}:0", "page": "history"}, headers=HTMX),
        Look("the open run page", live, data={"r": f"{run.public_id}:0", "page": "run"}, headers=on_page),
        Look("its status", reverse("runs:run-status", args=[run.public_id]), data={"v": "0"}, headers=on_page),
        Look("selected results", "/history/", data={"view": "results", "selected": "1"}, before=results),
        Look("deciding on many", "/review/many/", data={"selected": "results"}, before=results),
        Look("asking about many", "/review/ask/", data={"selected": "results"}, before=results),
        Look("a zip", "/download/", data={"selected": "results"}, before=results, is_look=True),
        Look("the bin's question", "/history/bin/", data={"place": "mine"}, before=runs),
        Look("protected runs", reverse("runs:manage-held"), before=hold),
        Look("HEAD of a page", run.get_absolute_url(), "head", is_look=True),
        Look("HEAD of a file", original, "head", is_look=True),
        Look("HEAD of a zip", f"/download/?f={output}", "head", is_look=True),
        Look("HEAD of a thumbnail", reverse("runs:file-thumb", args=[file, 200]), "head", is_look=True),
        Look("a range", original, headers={"Range": "bytes=0-3"}, is_look=True),
        Look("a known file", original, headers={"If-None-Match": "*"}, is_look=True),
    ]


def secrets_of(world: World) -> set[str]:
    """Return what tells that a response is about the private runs: their words, and the ids of all their parts."""
    subject = world.subject
    runs = (subject.run, subject.binned)
    outputs = [output.public_id for run in runs for output in run.outputs.all()]
    files = [subject.file.public_id, subject.input_file.public_id, subject.binned_file.public_id]
    return {subject.word, subject.shown, *(run.public_id for run in runs), *outputs, *files}


def opened() -> list[str]:
    return list(Entry.objects.filter(verb=Verb.RUN_OPENED).values_list("object_id", flat=True))


def problem_of(world: World, look: Look) -> str:
    """Return what is wrong with what the record says about `look`; "" if nothing is."""
    client, secrets = world.client("admin"), secrets_of(world)
    answer = look.send(client)
    body = body_of(answer)
    is_seen = answer.status_code < 400 or answer.status_code in (404, 409, 422)
    tells = is_seen and any(secret in body for secret in secrets)
    found = opened()
    if not tells and not (look.is_look and answer.status_code in (200, 206, 304)):
        return f"{answer.status_code} shows nothing, but is recorded" if found else ""
    if not found:
        return f"{answer.status_code} isn't recorded"
    own = {run.public_id for run in (world.private.run, world.private.binned, world.shared.binned)}
    if len(found) != len(set(found)) or not set(found) <= own:
        return f"recorded for {found}"
    if look.method == "post" or look.headers == HTMX:
        return ""
    body_of(look.send(client))
    if opened() != found:
        return "a second look is recorded again"
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        body_of(look.send(client))
    return "" if sorted(opened()) == sorted(found * 2) else "the next day's look isn't recorded"


def test_each_look_of_an_admin_is_recorded_once_a_day(world: World) -> None:
    wrong = []
    for look in (*looks_of_table(world), *more_looks(world)):
        cache.clear()
        with transaction.atomic():
            if problem := problem_of(world, look):
                wrong.append(f"{look.method} {look.name} {'as a part' if look.headers else ''}: {problem}")
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def test_what_is_exempt_is_in_the_table() -> None:
    assert set(EXEMPT) <= {f"{row.name} {row.query}".strip() for row in ROWS}


def test_looks_at_shared_runs_and_of_their_owner_are_not_recorded(world: World) -> None:
    for subject, who in ((world.shared, "admin"), (world.private, "owner")):
        world.subject = subject
        for look in (*looks_of_table(world), *more_looks(world)):
            if not look.is_look or look.headers or "binned" in look.name:
                continue
            cache.clear()
            with transaction.atomic():
                look.send(world.client(who))
                assert opened() == [], look.name
                transaction.set_rollback(True)


# --- Lists ------------------------------------------------------------------------------------------------------------
def test_a_star_shows_admins_no_private_run(world: World) -> None:
    run = world.private.run
    world.client("owner").post(reverse("runs:run-star", args=[run.public_id]), {"on": "1"})
    for path in ("/", "/history/?tab=starred"):
        assert run.public_id in world.client("owner").get(path).text
        assert run.public_id not in world.client("admin").get(path).text
    assert opened() == []


def test_a_run_that_was_started_from_a_private_one_names_it(world: World) -> None:
    parent, child = world.private.run, world.shared.run
    Run.objects.filter(pk=child.pk).update(parent=parent)
    assert "quartz" in world.client("admin").get(child.get_absolute_url()).text
    assert opened() == [parent.public_id]


# --- Files ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def private(alice: Member) -> Run:
    return make_run(alice, make_app(), status="completed")


def look_at(client: Client, file: StoredFile, variant: str = "original") -> None:
    body_of(
        client.get(
            file.original_url if variant == "original" else reverse("runs:file-thumb", args=[file.public_id, variant])
        )
    )


def use(run: Run, file: StoredFile) -> None:
    upload = Upload.objects.create(member=run.member, file=file, status="ready", name="a.png")
    RunInputUpload.objects.create(input=run.inputs.all()[0], upload=upload, position=0)


def test_the_largest_picture_is_a_look(as_admin: Client, private: Run) -> None:
    file = make_stored((1300, 1200))
    make_kept(private, file)
    look_at(as_admin, file, "1200")
    assert opened() == [private.public_id]


def test_a_picture_that_is_not_there_is_no_look(as_admin: Client, private: Run) -> None:
    file = make_stored()
    make_kept(private, file)
    StoredFile.objects.filter(pk=file.pk).update(thumb_1200="")
    assert as_admin.get(f"/files/{file.public_id}/thumb/1200").status_code == 404
    assert opened() == []


def test_a_file_in_many_runs_is_a_look_at_one_of_them(as_admin: Client, alice: Member, private: Run) -> None:
    logo = make_stored()
    others = [make_run(alice, private.app, status="completed") for _ in range(3)]
    for run in (private, *others):
        use(run, logo)
    look_at(as_admin, logo)
    assert opened() == [others[-1].public_id]


def test_a_pages_pictures_are_part_of_the_look_at_the_page(as_admin: Client, alice: Member, private: Run) -> None:
    file = make_stored()
    make_kept(private, file)
    later = make_run(alice, private.app, status="completed")
    use(later, file)
    as_admin.get(later.get_absolute_url())
    look_at(as_admin, file)
    assert opened() == [later.public_id]


def test_what_others_see_too_is_not_recorded(as_admin: Client, alice: Member, private: Run) -> None:
    file = make_stored()
    make_kept(private, file)
    use(make_run(alice, private.app, status="completed", shared_at=timezone.now()), file)
    look_at(as_admin, file)
    assert opened() == []


@pytest.mark.django_db(transaction=True)
def test_many_looks_at_once_are_recorded_once(admin_member: Member, private: Run) -> None:
    """A page's pictures are requested at the same time."""
    files = [make_stored((40 + n, 30)) for n in range(6)]
    output = private.outputs.all()[0]
    for position, file in enumerate(files):
        output.files.create(source_url="https://x.test/a.png", status="saved", file=file, position=position)
    clients, ready = [client_of(admin_member) for _ in files], Barrier(len(files))

    def ask(client: Client, file: StoredFile) -> None:
        ready.wait()
        look_at(client, file)
        connection.close()

    threads = [Thread(target=ask, args=pair) for pair in zip(clients, files, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened() == [private.public_id]


def test_a_link_to_many_runs_is_a_look_at_each(as_admin: Client, alice: Member, private: Run) -> None:
    runs = [private, make_run(alice, private.app, status="completed")]
    for run in runs:
        make_kept(run)
    link = make_link(alice, list(Output.objects.filter(run__in=runs, position=0)))
    as_admin.get(reverse("runs:link-detail", args=[link.public_id]))
    assert sorted(opened()) == sorted(run.public_id for run in runs)
