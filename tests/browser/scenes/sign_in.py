"""Signing in, and pages for requests that fail."""

from tests.browser.acts import open_app, sign_in
from tests.browser.scenes.stage import scene
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


@scene
def sign_in_page(visitor: Visitor, whole: Whole) -> None:
    visitor.page.context.clear_cookies()
    visitor.page.goto("/")


@scene
def sign_in_with_a_wrong_password(visitor: Visitor, whole: Whole) -> None:
    sign_in_page(visitor, whole)
    visitor.page.get_by_label("Email address").fill("nobody@example.com")
    visitor.page.get_by_label("Password").fill("wrong")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("alert").wait_for()


@scene
def signed_out_meanwhile(visitor: Visitor, whole: Whole) -> None:
    open_app(visitor)
    whole.inside.ask("expire", email=visitor.email)
    visitor.page.locator(".launch-run").click()
    visitor.page.get_by_text("You were signed out in the meantime.").wait_for()


@scene
def signed_in_again(visitor: Visitor, whole: Whole) -> None:
    signed_out_meanwhile(visitor, whole)
    sign_in(visitor)
    visitor.page.get_by_role("heading", name="You're signed in again").wait_for()


@scene
def form_too_old_to_be_sent(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/history/")
    visitor.page.context.clear_cookies(name="csrftoken")
    visitor.page.get_by_role("button", name="your menu").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.get_by_role("heading", level=1).wait_for()


@scene
def not_found(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/nowhere/")
