"""People: the admins' pages, personal settings, and joining."""

from urllib.parse import urlsplit

from tests.browser.scenes.stage import scene, scene_of
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole

admin_scene = scene_of("admin")


def invited(visitor: Visitor, **typed: str) -> str:
    """Invite someone as the visitor, who must be an admin; return the path of the invitation link."""
    page = visitor.page
    page.goto("/manage/people/")
    for label, text in typed.items():
        page.get_by_label(label.replace("_", " ")).fill(text)
    page.get_by_role("button", name="Invite", exact=True).click()
    page.wait_for_url("**?invite=*")
    return urlsplit(page.locator("#fresh-address").text_content() or "").path


@admin_scene
def people_with_an_invite(visitor: Visitor, whole: Whole) -> None:
    invited(visitor, Name="Kim")
    visitor.page.locator("summary", has_text="Link").first.click()


@admin_scene
def people_with_a_refused_invite(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/manage/people/")
    visitor.page.get_by_label("Email address").fill(visitor.email)
    visitor.page.get_by_role("button", name="Invite", exact=True).click()
    visitor.page.get_by_role("alert").wait_for()


@admin_scene
def person_with_a_link_for_a_new_password(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/manage/people/")
    visitor.page.locator("a.person-name").first.click()
    visitor.page.get_by_role("button", name="Create link").click()
    visitor.page.locator("#password-address").wait_for()


@admin_scene
def person_who_leaves(visitor: Visitor, whole: Whole) -> None:
    leaver = whole.inside.ask("member", name="leaver")["email"]
    whole.inside.ask("fill_history", email=leaver, remote_id="card-instant", count=1)
    page = visitor.page
    page.goto("/manage/people/")
    page.locator(".person-row", has_text=leaver).get_by_role("link").click()
    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate").click()
    page.get_by_role("link", name="Transfer").click()
    page.get_by_role("heading", name="Transfer everything").wait_for()


@admin_scene
def password_asked_again(visitor: Visitor, whole: Whole) -> None:
    page = visitor.page
    page.goto("/manage/people/")
    whole.inside.ask("forget_password", email=visitor.email)
    page.get_by_label("Name").fill("Kim")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_role("heading", name="Enter your password").wait_for()


@admin_scene
def password_asked_again_and_wrong(visitor: Visitor, whole: Whole) -> None:
    password_asked_again(visitor, whole)
    visitor.page.get_by_label("Password for").fill("wrong")
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.page.get_by_role("alert").wait_for()


@scene
def sign_in_as_demo_through_a_proxy(visitor: Visitor, whole: Whole) -> None:
    whole.inside.ask("demo_person")
    page = visitor.page
    page.context.clear_cookies()
    page.set_extra_http_headers({"Via": "1.1 proxy"})
    page.goto("/login/")
    page.get_by_label("Email address").fill("demo@example.com")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").get_by_text("The demo accounts work only").wait_for()


@scene
def settings(visitor: Visitor, whole: Whole) -> None:
    whole.inside.ask("session", email=visitor.email)
    visitor.page.goto("/me/")


@admin_scene
def joining_with_a_weak_password(visitor: Visitor, whole: Whole) -> None:
    path = invited(visitor)
    page = visitor.page
    page.context.clear_cookies()
    page.goto(path)
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Email address").fill("kim@acme.example")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("alert").wait_for()


@scene
def link_that_opens_nothing(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/invite/nonsense/")


@admin_scene
def notices_with_a_refused_address(visitor: Visitor, whole: Whole) -> None:
    page = visitor.page
    page.goto("/manage/notices/")
    page.locator("#slack-address").fill("https://10.0.0.1/services/x")
    page.locator("#slack").get_by_role("button", name="Save").click()
    page.get_by_role("alert").wait_for()


@admin_scene
def notices_with_a_channel_that_is_gone(visitor: Visitor, whole: Whole) -> None:
    whole.inside.ask("chat_off")
    visitor.page.goto("/manage/notices/")
    visitor.page.get_by_text("Off since").wait_for()
    visitor.page.locator("#teams summary", has_text="address").click()
