"""Review: the queue, asking for decisions, and the state of earlier requests."""

from tests.browser.apps import LEFT_ALONE
from tests.browser.scenes.stage import scene, scene_of
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


def ask(visitor: Visitor, whole: Whole) -> None:
    """Ask for a decision on some made-up text."""
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    visitor.page.goto(f"/review/ask/?f={result}")
    visitor.page.get_by_label("Message").fill("For the shop window")
    visitor.page.get_by_role("button", name="Ask and share").click()
    visitor.page.get_by_role("heading", name="Asked by me").wait_for()


@scene_of("admin")
def review_with_a_result(visitor: Visitor, whole: Whole) -> None:
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    whole.inside.ask("ask_anyone", result=result)
    visitor.page.goto("/review/")
    visitor.page.get_by_role("button", name="Reject").click()
    visitor.page.locator("#decide-error").wait_for()


@scene_of("viewer")
def review_with_nothing(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/review/")
    visitor.page.get_by_role("heading", name="Nothing is waiting for you.").wait_for()


@scene_of("admin")
def ask_for_a_decision(visitor: Visitor, whole: Whole) -> None:
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    visitor.page.goto(f"/review/ask/?f={result}")
    visitor.page.get_by_role("radio", name="Specific people").check()
    visitor.page.get_by_role("button", name="Ask and share").click()
    visitor.page.get_by_text("Choose at least one person.").wait_for()


@scene
def asked_by_me(visitor: Visitor, whole: Whole) -> None:
    ask(visitor, whole)
