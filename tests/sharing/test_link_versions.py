"""A link shows a newer version only after its maker presses a button; the link's page tells the maker what its guests
have answered."""

import pytest
from django.test import Client
from django.utils import timezone

from runs.models import GuestLink, Member, Output, Run
from runs.sharing import links
from tests.sharing.guest_visit import visit
from tests.support.factories import make_kept, make_run
from tests.support.page import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def asking(link: GuestLink) -> GuestLink:
    GuestLink.objects.filter(pk=link.pk).update(lets_decide=True, audience="Kim at Acme")
    link.refresh_from_db()
    return link


@pytest.fixture
def newer(run: Run, alice: Member) -> Output:
    """Version 2 of the picture, from another run."""
    second = make_run(alice, run.app, status="completed")
    make_kept(second)
    Output.objects.filter(run=second, position=0).update(line=run.outputs.all()[0], number=2)
    return second.outputs.all()[0]


def offered(client: Client, url: str) -> list[str]:
    return [form.words for form in Page(client.get(url).text).root.find("form", css="share-offer")]


def shared(client: Client, url: str) -> list[tuple[str, str]]:
    """Return the links in a sharing panel: whom each is for, and what the panel says it shows."""
    rows = Page(client.get(url).text).root.find("div", css="share-link")
    return [(row.first("strong").words, row.first("p", css="share-scope").words) for row in rows]


def test_the_maker_puts_a_newer_version_on_the_link(
    as_alice: Client, as_bob: Client, asking: GuestLink, run: Run, newer: Output
) -> None:
    old = run.outputs.all()[0]
    kim = visit(asking)
    assert "There is a newer version. Ask Alice to show it here." in kim.box("r1").words
    assert not kim.box("r1").find("button")
    places = {
        "old run": f"/runs/{run.public_id}/share/",
        "new result": f"/runs/{newer.run.public_id}/share/?o={newer.public_id}",
        "link": f"/shares/{asking.public_id}/",
    }
    words = "The link for Kim at Acme shows version 1 of Front. Show version 2 instead"
    assert {name: offered(as_alice, url) for name, url in places.items()} == {key: [words] for key in places}
    replace, posted = f"/shares/{asking.public_id}/replace/", {"old": old.public_id, "new": newer.public_id}
    assert as_bob.post(replace, posted).status_code == 404
    assert as_alice.post(replace, posted | {"new": run.outputs.all()[1].public_id}).status_code == 404

    answer = as_alice.post(replace, posted | {"back": places["link"]}, follow=True)

    assert "The link now shows version 2." in answer.text
    assert list(asking.outputs.order_by("pk")) == [run.outputs.all()[1], newer]
    assert next(iter(asking.chosen.values_list("output", flat=True))) == newer.pk  # version 2 took version 1's place
    kim.reload()
    assert kim.box("r1").find("button")
    assert shared(as_alice, places["old run"]) == [("Kim at Acme", "Shows Back and 1 more")]
    assert {name: offered(as_alice, url) for name, url in places.items()} == {key: [] for key in places}
    assert as_alice.post(replace, posted).status_code == 404


def test_a_guest_sees_the_version_and_their_earlier_answer(
    as_alice: Client, asking: GuestLink, run: Run, alice: Member
) -> None:
    old = run.outputs.all()[0]
    kim = visit(asking).type("r1", "Warmer, please").press("changes", "r1").press("", name="Kim")
    lee = visit(asking).press("approve", "r1").press("", name="Lee")
    assert "Version" not in kim.words
    when = f"{timezone.localdate():%Y}, "
    for time in kim.box("r1").first("div", css="guest-answer").find("time")[:1]:
        assert when in time.words
        assert time.words.endswith("(UTC)"), "guests' pages have no scripts that know their zone"
    kim_code, lee_code = (guest.box("r1").first("code", css="guest-code").text for guest in (kim, lee))
    second = make_run(alice, run.app, status="completed")
    make_kept(second)
    Output.objects.filter(run=second, position=0).update(line=old, number=2)
    newer = second.outputs.all()[0]
    posted = {"old": old.public_id, "new": newer.public_id}
    assert as_alice.post(f"/shares/{asking.public_id}/replace/", posted).status_code == 302

    kim, lee, stranger = (visit(asking) for _ in range(3))
    kim.enter_code(str(kim_code))
    lee.enter_code(str(lee_code))

    assert [caption.words for caption in kim.page.root.find("figcaption")] == ["Front Version 2", "Back"]
    earlier = kim.box("r1").first("div", css="guest-earlier").words
    assert earlier.startswith("Version 1 You asked for changes")
    assert earlier.endswith("Warmer, please")
    assert kim.box("r1").find("button"), "version 2 waits for an answer of its own"
    assert "Version 1 You approved this" in lee.box("r1").words
    assert "Warmer" not in lee.words
    assert "Version 1" not in stranger.words

    kim.press("approve", "r1")
    assert "Version 1 You asked for changes" in kim.box("r1").words, "it stays beside the new answer"
    assert "You approved this" in kim.box("r1").first("div", css="guest-answer").words
    choices = Page(as_alice.get(f"/shares/{asking.public_id}/").text).root.find("label", css="link-output")
    assert sorted(choice.words for choice in choices) == ["Back", "Front", "Front Version 2"]


def test_a_link_whose_results_were_replaced_stays_in_the_panel_of_their_run(
    as_alice: Client, asking: GuestLink, run: Run, newer: Output, alice: Member
) -> None:
    front, panel = run.outputs.all()[0], f"/runs/{run.public_id}/share/"
    asking.chosen.exclude(output=front).delete()
    other = links.make_link(alice, [newer])
    posted = {"old": front.public_id, "new": newer.public_id, "run": run.public_id}

    answer = as_alice.post(f"/shares/{asking.public_id}/replace/", posted, headers={"HX-Request": "true"})

    kept = [("Kim at Acme", "Now shows version 2 of Front")]
    assert "Now shows version 2 of Front" in answer.text
    assert shared(as_alice, panel) == shared(as_alice, f"{panel}?o={front.public_id}") == kept
    page = as_alice.get(panel).text
    assert other.public_id not in page, "that link never showed this run"
    assert "Only me" in page

    as_alice.post(f"/shares/{asking.public_id}/", {"o": newer.public_id, "last_day": f"{timezone.localdate()}"})
    assert [words for _name, words in shared(as_alice, panel)] == ["Now shows version 2 of Front"]
    as_alice.post(panel, {"who": "me"})
    asking.refresh_from_db()
    assert asking.revoked_at is None, "it doesn't show this run any more"


def test_nothing_is_offered_on_links_that_ended_or_are_not_theirs(
    as_alice: Client, as_bob: Client, asking: GuestLink, run: Run, newer: Output, alice: Member
) -> None:
    Run.objects.update(shared_at=timezone.now())
    links.revoke(asking, alice)
    assert offered(as_alice, f"/runs/{run.public_id}/share/") == []


def test_the_page_of_a_link_lists_what_its_guests_answered(as_alice: Client, asking: GuestLink) -> None:
    page = f"/shares/{asking.public_id}/"
    assert "Answers</h2>" not in as_alice.get(page).text
    visit(asking).type("r2", "Shorter <b>please").press("changes", "r2").press("", name="<i>Kim")
    (line,) = Page(as_alice.get(page).text).first("ul", css="link-answers").find("li")
    assert line.words.startswith("Back Needs changes by <i>Kim")
    assert "Shorter <b>please" in line.words


def test_answers_count_as_long_as_the_link_lets_its_guests_decide(
    as_alice: Client, asking: GuestLink, run: Run
) -> None:
    visit(asking).press("approve", "r1").press("", name="Kim")

    def verdict() -> tuple[str, int]:
        return (run.outputs.all()[0].verdict, Run.objects.get(pk=run.pk).outputs_approved)

    posted = {"o": [o.public_id for o in run.outputs.all()], "last_day": f"{timezone.localdate():%Y-%m-%d}"}
    assert verdict() == ("approved", 1)
    as_alice.post(f"/shares/{asking.public_id}/", posted)
    assert verdict() == ("", 0)
    as_alice.post(f"/shares/{asking.public_id}/", posted | {"lets_decide": "on"})
    assert verdict() == ("approved", 1)
