"""Sharing a run with the team and with guests, as its maker, teammates, viewers and admins see it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from runs.display import guest_links
from runs.history import selection
from runs.models import Entry, GuestLink, Member, Output, Run, SharingRules, Verb
from runs.sharing import links
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_kept, make_run
from tests.support.html import flat
from tests.support.page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_noon")]


@pytest.fixture
def run(alice: Member) -> Run:
    """Alice's run with one picture and one text result."""
    run = make_run(alice, status="completed", title="Spring shoes")
    make_kept(run)
    Output.objects.filter(run=run, position=1).update(kind="text", text="Made for walking.")
    return run


@pytest.fixture
def link(run: Run, alice: Member) -> GuestLink:
    return links.make_link(alice, links.outputs_for(alice, run.outputs.values_list("public_id", flat=True)))


def share(client: Client, run: Run, who: str) -> str:
    """Choose who can see the run, and return the next page."""
    return client.post(f"/runs/{run.public_id}/share/", {"who": who}, follow=True).content.decode()


def address_on(page: str) -> str:
    """Return the address that `page` offers for copying."""
    found = re.search(r"http://127\.0\.0\.1:8000(/s/[^/<\"]+/)</code>", page)
    assert found is not None
    return found[1]


# --- Team -------------------------------------------------------------------------------------------------------------
def test_the_team_sees_a_run_while_it_is_shared(as_alice: Client, as_bob: Client, run: Run) -> None:
    page = f"/runs/{run.public_id}/"
    assert as_bob.get(page).status_code == 404
    assert "The team can see this run now." in share(as_alice, run, "team")
    assert "shared this with the team" in as_bob.get(page).content.decode()
    share(as_alice, run, "me")
    assert as_bob.get(page).status_code == 404


def test_a_teammate_can_change_nothing_on_a_shared_run(as_alice: Client, as_bob: Client, run: Run) -> None:
    share(as_alice, run, "team")
    Run.objects.filter(pk=run.pk).update(status="running", finished_at=None)
    page = as_bob.get(f"/runs/{run.public_id}/").content.decode()
    assert not re.findall(rf'(?:action|href|hx-post)="/runs/{run.public_id}/(cancel|leave|share|delete)/"', page)
    assert f"/runs/{run.public_id}/cancel/" in as_alice.get(f"/runs/{run.public_id}/").content.decode()


def test_an_admin_reads_whose_run_it_is(as_admin: Client, run: Run) -> None:
    page = as_admin.get(f"/runs/{run.public_id}/share/").content.decode()
    assert "Only <bdi>Alice</bdi>" in page
    assert "Only me" not in page
    assert "Only Alice and admins can see this run now." in share(as_admin, run, "me")


def test_sharing_with_the_team_marks_the_run_as_changed(as_alice: Client, run: Run) -> None:
    share(as_alice, run, "team")
    share(as_alice, run, "team")
    run.refresh_from_db()
    assert run.version == 2


@pytest.mark.parametrize("who", ["team", "me", "not-team"])
def test_viewers_share_nothing(alice: Member, run: Run, who: str) -> None:
    Member.objects.filter(pk=alice.pk).update(role="viewer")
    client = client_of(alice)
    assert client.post(f"/runs/{run.public_id}/share/", {"who": who}).status_code == 403
    assert client.post("/shares/new/", {"run": run.public_id}).status_code == 403
    page = flat(client.get(f"/runs/{run.public_id}/share/").content)
    assert page.count('" disabled>') == 3
    assert "Your role is view-only" in page
    assert "Only approvers and admins" not in page


# --- Making a link ----------------------------------------------------------------------------------------------------
def test_one_click_makes_a_link_that_opens_all_that_is_ready(as_alice: Client, run: Run) -> None:
    answer = as_alice.post("/shares/new/", {"run": run.public_id}, follow=True).content.decode()
    link = GuestLink.objects.get()
    assert link.outputs.count() == 2
    assert links.last_day_of(link) == timezone.localdate() + timedelta(days=14)
    assert link.token_hash not in answer
    guest = Client().get(address_on(answer)).content.decode()
    assert "Made for walking." in guest
    run.refresh_from_db()
    assert run.shared_at is None


def test_a_double_click_makes_one_link_and_a_later_one_another(
    as_alice: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "DOUBLE_CLICK", timedelta(hours=1))
    first, second = (
        as_alice.post("/shares/new/", {"run": run.public_id}, headers=HTMX).content.decode() for _ in range(2)
    )
    assert GuestLink.objects.count() == 1
    assert address_on(second) == address_on(first)
    as_alice.post("/shares/new/", {"o": run.outputs.values_list("public_id", flat=True)[0]})
    assert GuestLink.objects.count() == 2  # the second link shows something else
    GuestLink.objects.update(created_at=timezone.now() - links.DOUBLE_CLICK)
    as_alice.post("/shares/new/", {"run": run.public_id})
    assert GuestLink.objects.count() == 3
    GuestLink.objects.update(revoked_at=timezone.now())
    as_alice.post("/shares/new/", {"run": run.public_id})
    assert GuestLink.objects.alive().count() == 1


def test_with_scripts_the_answer_is_the_panel_with_the_link(as_alice: Client, run: Run) -> None:
    answer = as_alice.post("/shares/new/", {"run": run.public_id}, headers=HTMX).content.decode()
    assert answer.lstrip().startswith('<section class="share"')
    assert 'class="share-link is-fresh"' in answer
    assert address_on(answer)


def test_from_a_result_s_page_a_link_shows_that_result_alone(as_alice: Client, alice: Member, run: Run) -> None:
    picture, text = run.outputs.all()
    page = as_alice.get(text.get_absolute_url()).content.decode()
    address = f"/runs/{run.public_id}/share/?o={text.public_id}"
    assert f'hx-get="{address}"' in page
    panel = flat(as_alice.get(address, headers=HTMX).content)
    asked = re.findall(r'name="(run|o)" value="(\w+)"', panel.partition('action="/shares/new/"')[2])

    made = flat(as_alice.post("/shares/new/", dict(asked), headers=HTMX).content)

    assert [output.pk for output in GuestLink.objects.get().outputs.all()] == [text.pk]
    assert ">1 result<" in made
    assert made.count(f'name="o" value="{text.public_id}"') == 4  # the panel's other forms also refer to this result
    follow = as_alice.post("/shares/new/", dict(asked)).headers["Location"]
    assert f"?o={text.public_id}&made=" in follow
    assert GuestLink.objects.latest("pk").outputs.count() == 1
    whole = flat(as_alice.get(f"/runs/{run.public_id}/share/?o={picture.public_id[::-1]}").content)
    assert 'name="o"' not in whole


def test_from_a_result_s_page_each_link_says_whether_it_shows_that_result(
    as_alice: Client, alice: Member, run: Run
) -> None:
    """A link to another result doesn't show this one, so the panel offers to make a link that does."""
    picture, text = run.outputs.all()
    links.make_link(alice, [text])

    def panel(of: str) -> Page:
        return Page(as_alice.get(f"/runs/{run.public_id}/share/{of}", headers=HTMX).content.decode())

    of_picture, of_text = panel(f"?o={picture.public_id}"), panel(f"?o={text.public_id}")
    assert of_picture.first(css="share-title").words == "Who can see Front"
    assert of_picture.first(css="share-scope").words == "Shows Back, but not this result"
    assert "also revokes links that show other results" in of_picture.first(css="share-choices").words
    assert "also revokes" not in of_text.first(css="share-choices").words
    assert of_picture.find("button", id=f"share-{run.public_id}-guest")
    assert of_text.first(css="share-scope").words == "Shows only this result"
    assert of_text.find("p", id=f"share-{run.public_id}-guest")
    assert panel("").first(css="share-scope").words == "Shows Back"
    links.make_link(alice, [picture, text])
    shown = [line.words for line in panel(f"?o={picture.public_id}").find(css="share-scope")]
    assert "Shows this result and 1 other" in shown
    assert "Shows all results from this run" in [line.words for line in panel("").find(css="share-scope")]
    whole = as_alice.get(f"/runs/{run.public_id}/share/?o={picture.public_id}").content.decode()
    assert Page(whole).first("h1").words == "Share Front"


def test_what_is_not_ready_cannot_be_shown(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, status="running")
    answer = flat(as_alice.post("/shares/new/", {"run": run.public_id}, follow=True).content)
    assert '<div class="notice warn" role="status"' in answer
    assert "Nothing is ready yet." in answer
    assert "notice good" not in answer
    assert not GuestLink.objects.exists()


def test_nobody_shows_the_results_of_others(as_bob: Client, as_alice: Client, run: Run) -> None:
    share(as_alice, run, "team")
    results = run.outputs.values_list("public_id", flat=True)
    assert as_bob.post("/shares/new/", {"run": run.public_id}).status_code == 404
    assert as_bob.post("/shares/new/", {"o": list(results)}).status_code == 404
    assert not GuestLink.objects.exists()


def test_links_may_be_limited_to_approvers(make_member: Callable[..., Member], as_alice: Client, run: Run) -> None:
    SharingRules.objects.create(link_makers="approver")
    assert as_alice.post("/shares/new/", {"run": run.public_id}).status_code == 403
    assert "Only approvers and admins" in as_alice.get(f"/runs/{run.public_id}/share/").content.decode()
    approver = make_member("paula", role="approver")
    theirs = make_run(approver, run.app, status="completed")
    make_kept(theirs)
    assert client_of(approver).post("/shares/new/", {"run": theirs.public_id}).status_code == 302


def test_if_links_need_a_passphrase_a_new_one_comes_with_it(as_alice: Client, run: Run) -> None:
    SharingRules.objects.create(needs_passphrase=True)
    page = as_alice.post("/shares/new/", {"run": run.public_id}, follow=True).content.decode()
    link = GuestLink.objects.get()
    passphrase = links.suggested_passphrase(link.nonce)
    assert f"Passphrase <code>{passphrase}</code>" in page
    assert passphrase not in as_alice.get(f"/runs/{run.public_id}/share/").content.decode()
    address = address_on(page)
    assert "Made for walking." not in Client().get(address).content.decode()
    assert "Made for walking." in Client().post(address, {"passphrase": passphrase}).content.decode()


# --- Only me ----------------------------------------------------------------------------------------------------------
def test_only_me_ends_all_sharing(as_alice: Client, run: Run, link: GuestLink) -> None:
    share(as_alice, run, "team")
    assert "1 guest link was revoked." in share(as_alice, run, "me")
    link.refresh_from_db()
    run.refresh_from_db()
    assert (link.revoked_at is not None, run.shared_at) == (True, None)


def test_only_me_leaves_a_link_what_it_shows_of_other_runs(as_alice: Client, alice: Member, run: Run) -> None:
    other = make_run(alice, run.app, status="completed")
    make_kept(other)
    results = [*run.outputs.values_list("public_id", flat=True), other.outputs.all()[0].public_id]
    link = links.make_link(alice, links.outputs_for(alice, results))
    share(as_alice, run, "me")
    link.refresh_from_db()
    assert link.revoked_at is None
    assert {output.run_id for output in link.outputs.all()} == {other.pk}


def test_the_team_can_go_while_the_link_stays(as_alice: Client, run: Run, link: GuestLink) -> None:
    share(as_alice, run, "team")
    assert 'name="who" value="not-team"' in as_alice.get(f"/runs/{run.public_id}/share/").content.decode()
    share(as_alice, run, "not-team")
    link.refresh_from_db()
    run.refresh_from_db()
    assert (link.revoked_at, run.shared_at) == (None, None)


# --- Revoke, undo, extend ---------------------------------------------------------------------------------------------
def test_revoking_can_be_undone_by_whoever_did_it(as_alice: Client, as_admin: Client, link: GuestLink) -> None:
    at = f"/shares/{link.public_id}"
    as_alice.post(f"{at}/revoke/")
    assert f'action="{at}/restore/"' in as_alice.get("/shares/").content.decode()
    as_alice.post(f"{at}/restore/")
    link.refresh_from_db()
    assert link.revoked_at is None
    as_admin.post(f"{at}/revoke/")
    assert as_alice.post(f"{at}/restore/").status_code == 403
    assert "Revoked by <bdi>Ada</bdi>" in as_alice.get("/shares/").content.decode()
    assert as_admin.post(f"{at}/restore/").status_code == 302


def test_a_link_is_extended_by_two_weeks_and_never_beyond_the_longest(as_alice: Client, link: GuestLink) -> None:
    days = []
    SharingRules.objects.create(longest_days=30)
    for _ in range(3):
        as_alice.post(f"/shares/{link.public_id}/extend/")
        link.refresh_from_db()
        days.append((links.last_day_of(link) - timezone.localdate()).days)
    assert days == [28, 30, 30]
    assert Entry.objects.filter(verb=Verb.LINK_EXTENDED).count() == 2, "the third time, nothing changed"
    assert f"/shares/{link.public_id}/extend/" not in as_alice.get("/shares/").content.decode()


def test_an_ended_link_works_again_when_extended(as_alice: Client, link: GuestLink) -> None:
    GuestLink.objects.update(expires_at=timezone.now() - timedelta(days=3))
    as_alice.post(f"/shares/{link.public_id}/extend/")
    link.refresh_from_db()
    assert (links.last_day_of(link) - timezone.localdate()).days == 14


def test_a_revoked_link_is_not_extended(as_alice: Client, link: GuestLink) -> None:
    GuestLink.objects.update(revoked_at=timezone.now())
    assert as_alice.post(f"/shares/{link.public_id}/extend/").status_code == 403
    assert GuestLink.objects.get().expires_at == link.expires_at


@pytest.mark.parametrize("act", ["revoke", "restore", "extend"])
def test_buttons_return_to_their_own_page_and_nowhere_else(as_alice: Client, link: GuestLink, act: str) -> None:
    if act == "restore":
        GuestLink.objects.update(revoked_at=timezone.now())
    at = f"/shares/{link.public_id}/{act}/"
    assert as_alice.post(at, {"back": "/shares/?page=1"}).headers["Location"] == "/shares/?page=1"
    GuestLink.objects.update(revoked_at=timezone.now() if act == "restore" else None)
    for foreign in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = as_alice.post(at, {"back": foreign})
        assert answer.status_code in (302, 403)
        assert answer.headers.get("Location", "/shares/") == "/shares/"
        GuestLink.objects.update(revoked_at=timezone.now() if act == "restore" else None)


# --- Lists ------------------------------------------------------------------------------------------------------------
def test_my_links_are_mine_and_admins_see_all(
    as_alice: Client, as_bob: Client, as_admin: Client, link: GuestLink
) -> None:
    GuestLink.objects.update(audience="Kim at Acme", views=3, viewed_at=timezone.now() - timedelta(hours=2))
    page = as_alice.get("/shares/").content.decode()
    assert "Kim at Acme" in page
    assert "Opened 3 times, most recently 2 h ago" in page
    assert "No guest links yet." in as_bob.get("/shares/").content.decode()
    listed = as_admin.get("/manage/sharing/").content.decode()
    assert "Kim at Acme" in listed
    assert "by <bdi>Alice</bdi>" in listed


def test_a_new_link_can_show_some_results_of_a_run_and_offers_those_ticked_on_its_page(
    as_alice: Client, alice: Member, run: Run
) -> None:
    front, back = run.outputs.all()
    panel = Page(as_alice.get(f"/runs/{run.public_id}/share/").text).first(css="share-which")
    assert [box.attributes["value"] for box in panel.find("input") if "checked" in box.attributes] == [
        front.public_id,
        back.public_id,
    ]
    selection.keep(alice, "results", [], [back.public_id])
    panel = Page(as_alice.get(f"/runs/{run.public_id}/share/").text).first(css="share-which")
    assert "open" in panel.attributes
    assert [box.attributes["value"] for box in panel.find("input") if "checked" in box.attributes] == [back.public_id]
    # It comes after the checkboxes, so Tab reaches it next
    assert "Create a guest link to these results" in panel.words

    none = as_alice.post("/shares/new/", {"run": run.public_id, "picks": "1"}, follow=True)
    assert "Tick at least one result" in none.text
    assert not GuestLink.objects.exists()
    data = {"run": run.public_id, "picks": "1", "pick": [back.public_id]}
    made = as_alice.post("/shares/new/", data, follow=True)
    assert list(GuestLink.objects.get().outputs.all()) == [back]
    assert "New guest link, ready to send. It works until" in made.text
    assert "Shows Back" in Page(made.text).words


def test_a_list_counts_the_results_of_a_link_but_fetches_only_the_first(
    as_alice: Client, alice: Member, run: Run, link: GuestLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest_links, "LOOKED_AT", 1)
    assert link.chosen.count() > 1
    listed = guest_links.open_first(GuestLink.objects.all())[0]
    assert len(listed.first_chosen) == 1  # type: ignore[attr-defined]
    assert f"{link.chosen.count()} results from" in Page(as_alice.get("/shares/").text).words
    other = make_run(alice, run.app, status="completed")
    links.make_link(alice, [*run.outputs.all(), *other.outputs.all()])
    assert "results from several runs" in Page(as_alice.get("/shares/").text).words


def test_lists_take_the_same_number_of_queries_however_long(
    as_alice: Client, alice: Member, run: Run, link: GuestLink, django_assert_max_num_queries: Callable[..., object]
) -> None:
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        as_alice.get("/shares/")
    for number in range(16):
        another = links.make_link(alice, list(run.outputs.all()))
        if number % 2:
            links.revoke(another, alice)
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        as_alice.get("/shares/")


def test_a_link_says_if_it_is_an_example(as_alice: Client, link: GuestLink) -> None:
    assert not Page(as_alice.get("/shares/").text).find(css="is-example")

    GuestLink.objects.filter(pk=link.pk).update(is_example=True)

    assert Page(as_alice.get("/shares/").text).first(css="is-example").words
