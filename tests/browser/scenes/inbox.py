"""The inbox, the bell's list, and muted runs."""

from tests.browser.apps import LEFT_ALONE
from tests.browser.scenes.stage import scene
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


@scene
def inbox_with_the_list_of_the_bell(visitor: Visitor, whole: Whole) -> None:
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    whole.inside.ask("reply_to", email=visitor.email, result=result)
    visitor.page.goto("/inbox/")
    visitor.page.get_by_role("button", name="Mute conversation").click()
    visitor.page.get_by_text("You won't be notified about this conversation any more.").wait_for()
    visitor.page.locator("#bell").click()
    visitor.page.locator("#bell-list").get_by_text("A little; see below.").wait_for()


@scene
def inbox_with_nothing(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/inbox/")
    visitor.page.locator(".inbox").get_by_text("You're up to date.").wait_for()


@scene
def muted_run(visitor: Visitor, whole: Whole) -> None:
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    visitor.page.goto(f"/runs/{whole.inside.ask('run_of', result=result)}/")
    visitor.page.get_by_role("button", name="Mute this run").click()
    visitor.page.get_by_role("button", name="Unmute this run").wait_for()
    visitor.page.goto("/inbox/muted/")
    visitor.page.get_by_role("button", name="Unmute").wait_for()
