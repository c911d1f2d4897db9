"""axe finds no problems, and no page scrolls sideways, wherever a decision is shown or made.

What guests see is checked in `test_guest_answers.py`, and forms with errors among the scenes of `test_axe.py`.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Decision, Member, Output
from runs.review import comments, requests
from runs.review.deciders import Actor
from runs.review.verdicts import decide, set_aside
from runs.sharing.links import share_with_team
from tests.browser.page_checks import SIDEWAYS, findings
from tests.browser.photos import look
from tests.support.factories import make_app, make_kept, make_run, make_stored

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIGHTS = [(1280, 800, "light"), (320, 640, "dark")]
LABELS = ("Front", "Back", "Side", "Detail", "Poster", "Story")


@pytest.fixture
def anna(make_member: Callable[..., Member]) -> Member:
    return make_member("anna", role="admin")


@pytest.fixture
def results(alice: Member, anna: Member, make_member: Callable[..., Member]) -> dict[str, Output]:
    """Results in every state of a decision, by what they show."""
    ruth = make_member("ruth", role="approver")
    app = make_app(outputs=[{"index": n, "label": label, "type": "image"} for n, label in enumerate(LABELS)])
    run = make_run(alice, app, status="completed", title="Red shoe")
    for position in range(len(LABELS)):
        make_kept(run, make_stored((900, 300 * (1 + position))), position)
    share_with_team(run)
    front, back, side, detail, poster, story = run.outputs.all()
    later = make_run(alice, app, status="completed", title="Red shoe", shared_at=timezone.now())
    version_2 = make_kept(later, make_stored((600, 600))).output
    decide(front, "approved", "Lovely", Actor(ruth), None)
    decide(front, "approved", "Use this one", Actor(anna), None)
    decide(back, "rejected", "The shoe is cut off", Actor(anna), None)
    decide(side, "changes", "Warmer light, please", Actor(ruth), None)
    Output.objects.filter(pk=version_2.pk).update(line=side, number=2)
    decide(detail, "changes", "Too dark", Actor(ruth), None)
    set_aside(Decision.objects.get(output=detail), "Ruth meant another one", Actor(anna))
    for number in range(20):
        who = Actor(member=(alice, anna)[number % 2])
        spot = (450 * number, 400 * number) if number % 3 else None
        comments.post(who, run, poster, f"Remark {number + 1}", spot=spot)
    requests.ask(alice, [poster, story], message="Which one?", due_on=timezone.localdate() + timedelta(days=1))
    requests.ask(anna, [version_2])
    states = ("approved", "rejected", "changes", "set aside", "talked about", "open")
    return dict(zip(states, run.outputs.all(), strict=True))


def expect_fine(page: Page, told: str) -> None:
    for width, height, scheme in SIGHTS:
        look(page, width, height, scheme)
        assert findings(page) == [], told
        assert page.evaluate(SIDEWAYS) == "", told
    look(page, *SIGHTS[0])


def test_axe_finds_nothing_wherever_a_decision_is_shown(
    new_context: Callable[..., BrowserContext], anna: Member, results: dict[str, Output]
) -> None:
    page = new_context(anna, viewport={"width": 1280, "height": 800}, reduced_motion="reduce").new_page()
    for told, result in results.items():
        page.goto(result.get_absolute_url())
        if (acts := page.locator(".decisions > summary")).count():
            acts.click()
        expect_fine(page, told)
    first, second = results["changes"], results["approved"]
    for address, words in {
        "/": "Waiting for you",
        "/review/": "1 of",
        "/review/asked/": "0 of 1 decided",
        "/review/decided/": "Use this one",
        first.run.get_absolute_url(): "Warmer light, please",
        f"/compare/?f={first.public_id},{second.public_id}": "Warmer light, please",
        "/history/?tab=team&decision=changes": "Red shoe",
        "/manage/review/": "Who can decide",
    }.items():
        page.goto(address)
        expect(page.locator("main")).to_contain_text(words)
        expect_fine(page, address)
