"""Actions on many runs: runs that can't be changed are skipped and counted, and moving to the bin can be undone.

Saved views are private.
"""

import re
from html import unescape
from io import BytesIO
from urllib.parse import quote
from zipfile import ZipFile

import pytest
from django.test import Client
from django.utils import timezone

from runs.history import bulk_actions, saved_views, selection
from runs.models import GuestLink, Member, Output, Run, SavedView, SharingRules, Upload
from runs.models.run import RunInputUpload
from runs.sharing import links
from runs.web import secret_links
from runs.web.http import VIEWERS_LOOK
from runs.words.moments import zoned_words
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db


def act(client: Client, do: str, *runs: Run, query: str = "") -> str:
    """Apply the bulk action `do` to `runs`, as a browser without scripts does; return the page that is shown next."""
    data = {"do": do, "r": [run.public_id for run in runs], "query": query}
    return flat(client.post("/history/act/", data, follow=True).content)


def clear(client: Client) -> None:
    client.post("/history/select/", {"do": "clear"})


def undo(client: Client, body: str) -> str:
    """Press Undo in the notice on the page with the HTML `body`."""
    at = re.search(r'name="at" value="([^"]*)"', body)
    assert at
    return client.post("/history/act/", {"do": "restore", "at": at[1]}, follow=True).text


def press_undo(client: Client, url: str = "/history/") -> str:
    """Press Undo in the notice on the page `url`, with all its fields; return the page that is shown next."""
    form = Page(client.get(url).text).first("form", css="undo")
    data = {field.attributes["name"]: field.attributes["value"] for field in form.find("input") + form.find("button")}
    return client.post("/history/act/", data, follow=True).text


def selected(client: Client, place: str = "mine") -> int:
    """Return how many items are selected in `place`."""
    bar = client.post("/history/select/", {"do": "look", "place": place}, headers=HTMX).text
    return int(bar.partition('data-number="')[2].partition('"')[0])


def words(body: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


def fields(body: str) -> dict[str, str]:
    """Return the fields that the page for confirming a move to the bin would post, including its button."""
    hidden = re.findall(r'name="(place|back|at)" value="([^"]*)"', body)
    return {name: unescape(value) for name, value in hidden} | {"do": "bin"}


@pytest.fixture
def mixed(alice: Member, bob: Member) -> list[Run]:
    """Return two finished runs and an active one, all Alice's, a run that Bob shares, and one that only Bob can see."""
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
    assert "The team can already see all of these runs." in words(act(as_alice, "share", *mixed[:2]))


def test_the_bin_takes_what_has_ended_and_gives_it_back(as_alice: Client, mixed: list[Run]) -> None:
    body = act(as_alice, "bin", *mixed[:4], query="q=ghibli")

    assert "2 runs were moved to the bin. 1 run hasn't finished" in words(body)
    assert "1 run isn't yours, so it wasn't moved." in words(body)
    assert set(Run.objects.filter(deleted_at__isnull=False)) == set(mixed[:2])
    assert 'value="restore"' in body
    assert 'value="restore"' not in as_alice.get("/history/").text

    assert "2 runs were restored." in words(undo(as_alice, body))
    assert not Run.objects.filter(deleted_at__isnull=False).exists()


def test_an_undo_restores_only_what_was_moved_then(as_alice: Client, as_bob: Client, mixed: list[Run]) -> None:
    earlier = act(as_alice, "bin", mixed[0])
    act(as_alice, "bin", mixed[1])

    assert "There was nothing left to restore." in words(undo(as_bob, earlier))
    undo(as_alice, earlier)

    assert list(Run.objects.filter(deleted_at__isnull=False)) == [mixed[1]]
    assert "nothing left to restore" in words(undo(as_alice, 'name="at" value="not a moment"'))


def test_what_is_not_on_the_page_goes_to_the_bin_only_after_a_question_that_names_it(
    as_alice: Client, alice: Member, mixed: list[Run]
) -> None:
    phone = [make_run(alice, mixed[0].app, status="completed", title=title) for title in ("Red shoe", "Oak desk")]
    as_alice.post("/history/select/", {"r": [run.public_id for run in (*phone, mixed[2])], "place": "mine"})
    page = words(as_alice.get("/history/?state=failed").text)
    assert "3 selected earlier, plus any ticked on this page 3 not on this page Show all selected" in page
    listed = as_alice.get("/history/?selected=1").text
    assert all(run.public_id in listed for run in (*phone, mixed[2]))
    assert mixed[0].public_id not in listed

    asked = act(as_alice, "bin", mixed[1], query="state=failed")

    assert not Run.objects.filter(deleted_at__isnull=False).exists()
    assert "Move 3 runs to the bin?" in words(asked)
    assert "Red shoe" in asked
    assert "Oak desk" in asked
    assert "1 selected run won't be moved" in words(asked)
    agreed = fields(asked)
    selection.keep(alice, "mine", [], [mixed[0].public_id])  # the selection then changes on another device
    assert "Move 4 runs to the bin?" in words(as_alice.post("/history/act/", agreed, follow=True).text)
    agreed = fields(as_alice.get(f"/history/bin/?place=mine&back={quote('/history/?state=failed')}").text)
    answer = as_alice.post("/history/act/", agreed, follow=True)
    assert answer.redirect_chain[-1][0] == "/history/?state=failed"
    assert "4 runs were moved to the bin. 1 run hasn't finished" in words(answer.text)


def test_before_the_bin_the_same_is_said_of_clients_and_teammates_in_history_and_on_the_run(
    as_alice: Client, alice: Member, bob: Member, mixed: list[Run]
) -> None:
    kept = make_kept(mixed[0])
    links.link_of_click(alice, [kept.output])
    use = make_run(bob, mixed[0].app, status="completed", shared_at=timezone.now())
    upload = Upload.objects.create(member=bob, file=kept.file, status="ready", name="shoe")
    photo = use.inputs.create(position=1, name="Photo", type="url", value=[])
    RunInputUpload.objects.create(input=photo, upload=upload, position=0)
    data = {"do": "bin", "r": [mixed[0].public_id], "on": mixed[0].public_id}

    many = words(as_alice.post("/history/act/", data, follow=True).text)
    one = words(as_alice.get(f"/runs/{mixed[0].public_id}/delete/").text)

    used = "A teammate used these results in 1 run, which won't be affected."
    for said in ("Clients can see 1 result through a guest link.", used):
        assert said in many
        assert said in one
    assert not Run.objects.filter(deleted_at__isnull=False).exists()


def test_nothing_is_said_of_clients_while_guest_links_are_turned_off(
    as_alice: Client, alice: Member, mixed: list[Run]
) -> None:
    links.link_of_click(alice, [make_kept(mixed[0]).output])
    address = f"/runs/{mixed[0].public_id}/delete/"
    assert "Clients can see 1 result" in words(as_alice.get(address).text)

    SharingRules.objects.create(guests_allowed=False)

    assert "Clients can see" not in words(as_alice.get(address).text)
    assert "1 run was moved to the bin." in words(act(as_alice, "bin", mixed[0])), "there is nothing to ask"


def test_deleting_one_run_can_be_undone_at_once(as_alice: Client, mixed: list[Run]) -> None:
    body = flat(as_alice.post(f"/runs/{mixed[0].public_id}/delete/", follow=True).content)

    assert "1 run was moved to the bin. Runs stay in the bin for 30 days. Undo" in words(body)
    assert "1 run was restored." in words(undo(as_alice, body))
    assert not Run.objects.filter(deleted_at__isnull=False).exists()


def test_one_guest_link_shows_what_is_ready_in_all_of_them(
    as_alice: Client, as_admin: Client, alice: Member, mixed: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_run(alice, status="completed")
    for run in (mixed[0], mixed[3], second):
        make_kept(run)

    body = act(as_alice, "guest", mixed[0], mixed[3], second)  # `mixed[3]` is Bob's

    link = GuestLink.objects.get()
    assert {output.run for output in link.outputs.all()} == {mixed[0], second}
    assert f"/s/{secret_links.token_of(secret_links.Purpose.GUEST, link.nonce)}/</code>" in body
    assert "1 selected item isn't in the link" in words(body)
    clear(as_alice)
    refused = words(act(as_alice, "guest", mixed[1], mixed[3]))
    assert "None of the items you selected can be shared: they aren't ready, or they aren't yours to share" in refused
    monkeypatch.setattr(bulk_actions, "FILES_AT_MOST", 1)
    assert "a link can show at most 1" in words(act(as_alice, "guest", mixed[0], second))
    SharingRules.objects.create(guests_allowed=False)
    assert "Guest links are turned off. An admin can" in words(act(as_alice, "guest", mixed[0]))
    assert "Guest links are turned off. You can" in words(act(as_admin, "guest", mixed[0]))
    assert GuestLink.objects.count() == 1


def test_stars_go_to_whatever_one_sees(as_alice: Client, mixed: list[Run]) -> None:
    assert "4 runs were starred." in words(act(as_alice, "star", *mixed))
    assert Run.objects.filter(has_star=True).count() == 4


def test_two_to_four_with_a_result_can_be_compared(as_alice: Client, mixed: list[Run]) -> None:
    Output.objects.filter(position=1).delete()
    first, other = mixed[0].outputs.first(), mixed[3].outputs.first()
    assert first
    assert other
    data = {"do": "compare", "r": [run.public_id for run in mixed]}

    answer = as_alice.post("/history/act/", data)

    assert set(answer["Location"].removeprefix("/compare/?f=").split(",")) == {first.public_id, other.public_id}
    clear(as_alice)
    assert "select two to four items that have a result" in words(act(as_alice, "compare", mixed[0], mixed[1]))


def test_any_result_of_a_run_can_be_compared(as_alice: Client, mixed: list[Run]) -> None:
    for run in (mixed[0], mixed[3]):
        for position in range(2):
            make_kept(run, position=position)

    page = act(as_alice, "compare", mixed[0], mixed[3])

    assert "Choose what to compare" in page
    for run in (mixed[0], mixed[3]):
        front, back = run.outputs.all()
        assert re.search(f'value="{front.public_id}" ?checked', page), page
        assert f'value="{back.public_id}"' in page
        assert zoned_words(run.created_at) in page


def test_download_leads_to_the_zip(as_alice: Client, mixed: list[Run]) -> None:
    make_kept(mixed[0])
    make_kept(mixed[3])

    answer = as_alice.post("/history/act/", {"do": "download", "r": [mixed[0].public_id, mixed[3].public_id]})

    assert answer["Location"] == "/download/?ended=mine"
    with ZipFile(BytesIO(b"".join(as_alice.get(answer["Location"]).streaming_content))) as archive:  # type: ignore[attr-defined]
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 2


@pytest.mark.parametrize("do", ["bin", "share"])
def test_the_selection_ends_with_what_it_was_made_for_and_undo_brings_both_back(
    as_alice: Client, mixed: list[Run], do: str
) -> None:
    def changed() -> int:
        runs = Run.objects.filter(pk__in=[mixed[0].pk, mixed[1].pk])
        return runs.filter(deleted_at__isnull=False).count() if do == "bin" else runs.exclude(shared_at=None).count()

    as_alice.post("/history/act/", {"do": do, "r": [run.public_id for run in mixed[:2]]})
    assert (selected(as_alice), changed()) == (0, 2)

    press_undo(as_alice)

    assert (selected(as_alice), changed()) == (2, 0)
    assert 'class="undo"' not in as_alice.get("/history/").text


def test_undoing_a_share_leaves_alone_what_was_shared_before(as_alice: Client, mixed: list[Run]) -> None:
    act(as_alice, "share", mixed[0])
    as_alice.post("/history/act/", {"do": "share", "r": [run.public_id for run in (*mixed[:2], mixed[3])]})

    assert "1 run is no longer shared with the team." in words(press_undo(as_alice))

    assert set(Run.objects.exclude(shared_at=None)) == {mixed[0], mixed[3]}


@pytest.mark.parametrize("do", ["star", "hold", "compare"])
def test_the_selection_stays_for_what_one_does_on_the_way(as_alice: Client, mixed: list[Run], do: str) -> None:
    as_alice.post("/history/act/", {"do": do, "r": [mixed[0].public_id, mixed[3].public_id]})

    assert selected(as_alice) == 2


def test_the_selection_stays_if_nothing_was_done(as_alice: Client, mixed: list[Run]) -> None:
    for do in ("bin", "share", "guest", "download"):
        assert 'class="undo"' not in act(as_alice, do, mixed[3])
        assert selected(as_alice) == 1, do


def test_a_download_without_scripts_ends_the_selection_which_the_next_page_offers_to_undo(
    as_alice: Client, mixed: list[Run]
) -> None:
    make_kept(mixed[0])
    url = as_alice.post("/history/act/", {"do": "download", "r": [mixed[0].public_id]})["Location"]
    assert selected(as_alice) == 0

    for _ in range(2):  # if the browser has to try again
        assert as_alice.get(url)["Content-Type"] == "application/zip"
    assert "The download has started. 1 item is no longer selected." in words(as_alice.get("/history/").text)
    as_alice.post("/history/act/", {"do": "download", "r": [mixed[0].public_id]})
    press_undo(as_alice)
    assert selected(as_alice) == 1


def test_a_download_with_scripts_ends_the_selection_in_the_bar(as_alice: Client, mixed: list[Run]) -> None:
    make_kept(mixed[0])

    def press(do: str) -> str:
        return flat(as_alice.post("/history/select/", {"do": do, "r": [mixed[0].public_id]}, headers=HTMX).content)

    refused = press("download-approved")
    assert "None of these results has been approved." in refused
    assert "data-download" not in refused
    assert selected(as_alice) == 1

    told = Page(press("download")).first(css="selection-cleared")

    assert "The download has started. 1 item is no longer selected." in told.words
    assert as_alice.get(told.attributes["data-download"])["Content-Type"] == "application/zip"
    assert selected(as_alice) == 0
    assert "1 selected" in press("undo")


def test_a_download_of_approved_results_ends_the_selection_too(as_alice: Client, mixed: list[Run]) -> None:
    make_kept(mixed[0])
    mixed[0].outputs.filter(position=0).update(verdict="approved")

    url = as_alice.post("/history/act/", {"do": "download-approved", "r": [mixed[0].public_id]})["Location"]

    assert url == "/download/?ended=mine&only=approved"
    assert as_alice.get(url)["Content-Type"] == "application/zip"
    assert selected(as_alice) == 0


def test_a_guest_link_ends_the_selection_and_history_offers_to_undo_that(as_alice: Client, mixed: list[Run]) -> None:
    make_kept(mixed[0])
    as_alice.post("/history/act/", {"do": "guest", "r": [mixed[0].public_id]})
    assert selected(as_alice) == 0

    press_undo(as_alice)

    assert selected(as_alice) == 1
    assert GuestLink.objects.count() == 1


@pytest.mark.parametrize("do", ["download", "guest"])
def test_more_than_fit_into_one_file_or_link_are_told_with_what_to_do(
    as_alice: Client, mixed: list[Run], monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    for module in (bulk_actions, selection):
        monkeypatch.setattr(module, "FILES_AT_MOST", 1)
    make_kept(mixed[0])
    make_kept(mixed[0], position=1)

    assert "at most 1 can be used at once. Select fewer." in words(act(as_alice, do, mixed[0]))
    assert not GuestLink.objects.exists()


def test_nothing_chosen_is_said_and_the_filter_stays(as_alice: Client) -> None:
    answer = as_alice.post("/history/act/", {"do": "star", "query": "tab=team&state=ready"})

    assert answer["Location"] == "/history/?tab=team&state=ready"
    assert "Select at least one run first." in words(act(as_alice, "star"))


@pytest.mark.parametrize("do", ["share", "star", "bin", "restore", "unhold", "guest"])
def test_viewers_change_nothing_and_are_told_why(do: str, make_member: object, alice: Member) -> None:
    viewer = Member.objects.create_user("vera@example.com", "x", role="viewer")
    run = make_run(alice, status="completed", shared_at=timezone.now())

    answer = client_of(viewer).post("/history/act/", {"do": do, "r": [run.public_id]})

    run.refresh_from_db()
    assert answer.status_code == 403
    assert VIEWERS_LOOK in unescape(answer.text)
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

    for name in ("Same", " Same  ", " "):
        page = as_alice.post(f"/history/views/{other.public_id}/", {"do": "rename", "name": name}, follow=True)
        assert "Enter a name that you haven&#x27;t used for another view." in page.text

    assert list(SavedView.objects.values_list("name", "query")) == [("Other", "q=c"), ("Same", "q=b")]
    assert "Give the view a name." in as_alice.post("/history/views/", {"name": " "}, follow=True).content.decode()


def test_no_view_is_saved_beyond_the_limit(as_alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "VIEWS_PER_MEMBER", 1)
    as_alice.post("/history/views/", {"name": "One", "query": "q=a"})

    page = as_alice.post("/history/views/", {"name": "Two", "query": "q=b"}, follow=True)

    assert "You already have 1 views, which is the limit." in page.text
    assert list(SavedView.objects.values_list("name", flat=True)) == ["One"]
