"""Acts that are recorded even though they change nothing: sign-ins and large downloads. For private runs that admins
open, see `test_admin_looks`."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs.audit.record import FEW_FILES
from runs.models import Entry, EntryOrigin, GuestLink, Member, Output, ThrottleHit, Verb
from runs.sharing.links import make_link
from tests.support.clients import PASSWORD
from tests.support.factories import make_app, make_run
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
