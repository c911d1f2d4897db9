"""Spending: where credits went, limits with input errors, and the form as seen by a maker who is over their limit."""

from tests.browser.apps import CARTOONIFY
from tests.browser.scenes.stage import scene, scene_of, started
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


@scene_of("admin")
def spending_of_a_year(visitor: Visitor, whole: Whole) -> None:
    started(visitor, CARTOONIFY, "final", Style="Ghibli")
    page = visitor.page
    page.goto("/manage/spending/?span=12")
    page.get_by_role("heading", name="By month").wait_for()


@scene_of("admin")
def limits_with_mistakes(visitor: Visitor, whole: Whole) -> None:
    page = visitor.page
    page.goto("/manage/spending/limits/")
    page.get_by_label("Everyone together").fill("a lot")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("alert").wait_for()


@scene_of("admin")
def limit_of_a_person(visitor: Visitor, whole: Whole) -> None:
    page = visitor.page
    page.goto("/manage/spending/limits/")
    page.locator("section[aria-labelledby=people-title] a").first.click()
    page.get_by_label("Their own limit").nth(0).wait_for()


@scene
def own_spending(visitor: Visitor, whole: Whole) -> None:
    started(visitor, CARTOONIFY, "final", Style="Ghibli")
    visitor.page.goto("/me/#spending")
    visitor.page.get_by_role("heading", name="Your spending").wait_for()
