"""Acts that are recorded even though they change nothing: sign-ins, opening private runs, large downloads."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from runs.audit.record import FEW_FILES
from runs.models import App, Entry, EntryOrigin, GuestLink, Member, Output, Run, ThrottleHit, Verb
from runs.sharing.links import make_link
from tests.support.clients import PASSWORD, client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.guest_links import path_of

pytestmark = pytest.mark.django_db


def entries(verb: Verb) -> list[Entry]:
    return list(Entry.objects.filter(verb=verb))


def sign_in(email: str, password: str) -> int:
    return Client().post("/login/", {"username": email, "password": password}).status_code


# --- Signing in -------------------------------------------------------------------------------------------------------
def test_signing_in_is_recorded_with_where_from(alice: Member) -> None:
    assert sign_in(alice.email, PASSWORD) == 302
    (entry,) = entries(Verb.PERSON_SIGNED_IN)
    assert (entry.actor_id, entry.actor_name, entry.object_id) == (alice.pk, "Alice", alice.public_id)
    assert EntryOrigin.objects.get(entry_id=entry.pk).network == "127.0.0.0/24"


def test_only_the_first_refused_sign_in_of_an_hour_is_recorded(alice: Member) -> None:
    for _ in range(5):
        sign_in(alice.email, "not her password")
    (entry,) = entries(Verb.PERSON_REFUSED)
    assert (entry.object_id, entry.actor_id, entry.actor_name) == (alice.public_id, None, "")


def test_the_next_hour_another_one_is_recorded(alice: Member) -> None:
    sign_in(alice.email, "not her password")
    ThrottleHit.objects.update(at=timezone.now() - timedelta(minutes=61))
    sign_in(alice.email, "not her password")
    assert len(entries(Verb.PERSON_REFUSED)) == 2


def test_what_was_typed_for_an_unknown_account_is_not_kept() -> None:
    sign_in("hunter2-by-mistake@example.com", "x")
    (entry,) = entries(Verb.PERSON_REFUSED)
    assert (entry.object_id, entry.object_label, entry.changes) == ("", "", {})


# --- What people keep private
# --------------------------------------------------------------------------------------------
@pytest.fixture
def app() -> App:
    return make_app()


@pytest.fixture
def run(alice: Member, app: App) -> Run:
    run = make_run(alice, app, status="completed", title="A secret bottle")
    make_kept(run)
    Output.objects.filter(run=run).update(text="A bottle")
    return run


def paths_of(run: Run) -> list[str]:
    output = run.outputs.all()[0]
    file = output.files.all()[0].file
    assert file is not None
    return [
        run.get_absolute_url(),
        output.get_absolute_url(),
        f"{output.get_absolute_url()}?v=1",
        f"/results/{output.public_id}/text",
        f"/compare/?r={run.public_id}",
        f"/download/?f={output.public_id}",
        file.original_url,
        f"/runs/{run.public_id}/again/",
        f"/presets/new/?from={run.public_id}",
        f"{run.app.get_absolute_url()}?from={run.public_id}",
        reverse("runs:result-use", args=[output.public_id]),
        reverse("runs:result-comment", args=[output.public_id]),
        reverse("runs:run-comment", args=[run.public_id]),
    ]


def look(client: Client, path: str) -> None:
    answer = client.get(path, headers={"Sec-Purpose": "prefetch"})
    assert answer.status_code == 200, path
    if answer.streaming:
        b"".join(answer)


def test_an_admin_who_looks_at_a_private_run_is_recorded(as_admin: Client, admin_member: Member, run: Run) -> None:
    for n, path in enumerate(paths_of(run)):
        with time_machine.travel(timezone.now() + timedelta(hours=2 * n), tick=False):
            look(as_admin, path)
        assert len(entries(Verb.RUN_OPENED)) == n + 1, path
    found = entries(Verb.RUN_OPENED)
    assert {(entry.actor_id, entry.object_id) for entry in found} == {(admin_member.pk, run.public_id)}


def test_once_an_hour_is_enough(as_admin: Client, run: Run) -> None:
    for path in paths_of(run):
        look(as_admin, path)
    assert len(entries(Verb.RUN_OPENED)) == 1


def test_nobody_else_is(as_alice: Client, bob: Member, as_admin: Client, run: Run) -> None:
    for path in paths_of(run):
        look(as_alice, path)
    Run.objects.update(shared_at=run.created_at)
    for path in paths_of(run):
        look(as_admin, path)
        look(client_of(bob), path)
    assert entries(Verb.RUN_OPENED) == []


# --- Downloads --------------------------------------------------------------------------------------------------------
def test_a_download_of_more_than_twenty_files_is_recorded(as_alice: Client, alice: Member) -> None:
    labels = [{"index": n, "label": f"Text {n}", "type": "text"} for n in range(FEW_FILES + 1)]
    run = make_run(alice, make_app(outputs=labels), status="completed")
    Output.objects.filter(run=run).update(text="A lake")
    one = run.outputs.all()[0]
    b"".join(as_alice.get(f"/download/?f={one.public_id}"))
    as_alice.head(f"/download/?r={run.public_id}")
    assert entries(Verb.RESULTS_DOWNLOADED) == []

    b"".join(as_alice.get(f"/download/?r={run.public_id}"))
    (entry,) = entries(Verb.RESULTS_DOWNLOADED)
    assert entry.changes == {"files": [0, FEW_FILES + 1]}

    link = make_link(alice, list(run.outputs.all()))
    GuestLink.objects.update(may_download=True)
    b"".join(Client().get(f"{path_of(link)}download/"))
    of_guest = Entry.objects.get(verb=Verb.RESULTS_DOWNLOADED, way=Entry.Way.GUEST)
    assert (of_guest.object_id, of_guest.changes) == (link.public_id, entry.changes)
