"""Actions on many runs: runs that can't be changed are skipped and counted, and moving to the bin can be undone.
Saved views are private."""

import re
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from runs.history import bulk_actions
from runs.models import GuestLink, Member, Run, SavedView, SharingRules
from runs.web import secret_links
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.html import flat

pytestmark = pytest.mark.django_db


def act(client: Client, do: str, *runs: Run, query: str = "") -> str:
    """Do a bulk action without scripts; return the page that follows."""
    data = {"do": do, "r": [run.public_id for run in runs], "query": query}
    return flat(client.post("/history/act/", data, follow=True).content)


def words(body: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


@pytest.fixture
def mixed(alice: Member, bob: Member) -> list[Run]:
    """Two finished runs and an active one by Alice, a run that Bob shares, and one that only Bob sees."""
    app, now = make_app(), timezone.now()
    return [
        make_run(alice, app, status="completed"),
        make_run(alice, app, status="failed"),
        make_run(alice, app, status="running"),
        make_run(bob, app, status="completed", shared_at=now),
        make_run(bob, app, status="completed"),
    ]


def test_only_own_runs_are_shared_and_the_rest_is_said(as_alice: Client, mixed: list[Run]) -> None:
    body = act(as_alice, "share", *mixed)

    assert "3 runs are shared with the team. 1 run isn't yours" in words(body)
    assert Run.objects.filter(shared_at__isnull=False).count() == 4
    assert "The team already sees all of these." in words(act(as_alice, "share", *mixed[:2]))


def test_the_bin_takes_what_has_ended_and_gives_it_back(as_alice: Client, mixed: list[Run]) -> None:
    body = act(as_alice, "bin", *mixed[:4], query="q=ghibli")

    assert "2 runs were moved to the bin. 1 run hasn't finished" in words(body)
    assert "1 run isn't yours, so it wasn't moved." in words(body)
    assert set(Run.objects.filter(deleted_at__isnull=False)) == set(mixed[:2])
    assert all(f'name="r" value="{run.public_id}"' in body for run in mixed[:2])
    assert 'value="restore"' in body
    assert 'value="restore"' not in as_alice.get("/history/").text

    assert "2 runs were restored." in words(act(as_alice, "restore", *mixed))
    assert not Run.objects.filter(deleted_at__isnull=False).exists()


def test_one_guest_link_shows_what_is_ready_in_all_of_them(
    as_alice: Client, alice: Member, mixed: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_run(alice, status="completed")
    for run in (mixed[0], mixed[3], second):
        make_kept(run)

    body = act(as_alice, "guest", mixed[0], mixed[3], second)  # the fourth is Bob's

    link = GuestLink.objects.get()
    assert {output.run for output in link.outputs.all()} == {mixed[0], second}
    assert f"/s/{secret_links.token_of(secret_links.Purpose.GUEST, link.nonce)}/</code>" in body
    assert "1 run isn't in the link" in words(body)
    assert "ready result that you can share" in words(act(as_alice, "guest", mixed[1], mixed[3]))
    monkeypatch.setattr(bulk_actions, "SHOWN_TO_GUESTS", 1)
    assert "one link shows at most 1" in words(act(as_alice, "guest", mixed[0], second))
    SharingRules.objects.create(guests_allowed=False)
    assert "Guest links are turned off" in words(act(as_alice, "guest", mixed[0]))
    assert GuestLink.objects.count() == 1


def test_stars_go_to_whatever_one_sees(as_alice: Client, mixed: list[Run]) -> None:
    assert "4 runs were starred." in words(act(as_alice, "star", *mixed))
    assert Run.objects.filter(has_star=True).count() == 4


def test_two_to_four_with_a_result_can_be_compared(as_alice: Client, mixed: list[Run]) -> None:
    first, other = mixed[0].outputs.first(), mixed[3].outputs.first()
    assert first
    assert other
    data = {"do": "compare", "r": [run.public_id for run in mixed]}

    answer = as_alice.post("/history/act/", data)

    assert set(answer["Location"].removeprefix("/compare/?f=").split(",")) == {first.public_id, other.public_id}
    assert "select two to four runs that have a result" in words(act(as_alice, "compare", mixed[0], mixed[1]))


def test_download_leads_to_the_zip(as_alice: Client, mixed: list[Run]) -> None:
    answer = as_alice.post("/history/act/", {"do": "download", "r": [mixed[0].public_id, mixed[3].public_id]})

    assert answer["Location"] == f"/download/?r={mixed[0].public_id}&r={mixed[3].public_id}"


@pytest.mark.parametrize("do", ["download", "compare", "share", "guest", "star", "bin", "restore"])
def test_more_than_fit_are_all_left_as_they_are(
    as_alice: Client, alice: Member, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    monkeypatch.setattr(bulk_actions, "AT_MOST", 2)
    runs = [make_run(alice, status="completed", has_star=False) for _ in range(3)]
    make_kept(runs[0])
    binned = timezone.now() if do == "restore" else None
    Run.objects.update(deleted_at=binned)
    data = {"do": do, "r": [run.public_id for run in runs], "query": "state=ready"}

    answer = as_alice.post("/history/act/", data, follow=True)

    assert answer.redirect_chain == [("/history/?state=ready", 302)]
    assert "You selected 3 runs; the limit is 2. Nothing was changed." in words(answer.content.decode())
    assert Run.objects.filter(has_star=False, shared_at=None, deleted_at=binned).count() == 3
    assert not GuestLink.objects.exists()
    as_alice.post("/history/act/", data | {"r": [runs[n].public_id for n in (0, 1, 0)]})  # duplicates count once
    assert "the limit is" not in as_alice.get("/history/").text


def test_nothing_chosen_is_said_and_the_filter_stays(as_alice: Client) -> None:
    answer = as_alice.post("/history/act/", {"do": "star", "query": "tab=team&state=ready"})

    assert answer["Location"] == "/history/?tab=team&state=ready"
    assert "Select at least one run first." in words(act(as_alice, "star"))


@pytest.mark.parametrize("do", ["share", "star", "bin", "restore"])
def test_viewers_change_nothing(do: str, make_member: object, alice: Member) -> None:
    viewer = Member.objects.create_user("vera@example.com", "x", role="viewer")
    run = make_run(alice, status="completed", shared_at=timezone.now())

    answer = client_of(viewer).post("/history/act/", {"do": do, "r": [run.public_id]})

    run.refresh_from_db()
    assert answer.status_code == 403
    assert (run.has_star, run.deleted_at) == (False, None)


def test_an_unknown_act_is_refused(as_alice: Client, mixed: list[Run]) -> None:
    assert as_alice.post("/history/act/", {"do": "sell", "r": [mixed[0].public_id]}).status_code == 400


def test_a_view_is_saved_shown_renamed_and_deleted(as_alice: Client, as_bob: Client, alice: Member) -> None:
    make_run(alice, status="completed")

    saved = as_alice.post("/history/views/", {"name": " Red  shoes ", "query": "state=ready&q=ghibli&before=1-x"})
    view = SavedView.objects.get()
    assert (view.name, view.query, saved["Location"]) == (
        "Red shoes",
        "q=ghibli&state=ready",
        "/history/?q=ghibli&state=ready",
    )
    current = 'href="/history/?q=ghibli&amp;state=ready" aria-current="page"'
    assert current in flat(as_alice.get(saved["Location"]).content)
    assert "Red shoes" not in as_bob.get("/history/").content.decode()

    as_alice.post(f"/history/views/{view.public_id}/", {"do": "rename", "name": "Blue shoes"})
    assert "Blue shoes" in as_alice.get("/history/").content.decode()
    assert as_bob.post(f"/history/views/{view.public_id}/", {"do": "delete"}).status_code == 404
    as_alice.post(f"/history/views/{view.public_id}/", {"do": "delete"})
    assert not SavedView.objects.exists()


def test_a_name_is_used_once(as_alice: Client) -> None:
    for query in ("q=a", "q=b"):
        as_alice.post("/history/views/", {"name": "Same", "query": query})
    as_alice.post("/history/views/", {"name": "Other", "query": "q=c"})
    other = SavedView.objects.get(name="Other")

    body = as_alice.post(f"/history/views/{other.public_id}/", {"do": "rename", "name": "Same"}, follow=True)

    assert "used for another view" in body.content.decode()
    assert list(SavedView.objects.values_list("name", "query")) == [("Other", "q=c"), ("Same", "q=b")]
    assert "Give the view a name" in as_alice.post("/history/views/", {"name": " "}, follow=True).content.decode()
