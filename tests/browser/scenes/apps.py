"""The pages where admins arrange apps and change their forms."""

from tests.browser.scenes.stage import scene_of
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole

admin_scene = scene_of("admin")


@admin_scene
def managed_apps_with_a_ticked_one(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/manage/apps/")
    visitor.page.locator("input[name=app]").first.check()


@admin_scene
def shaped_app_that_was_refused(visitor: Visitor, whole: Whole) -> None:
    page, app = visitor.page, whole.inside.ask("app", remote_id="card-long-names")
    page.goto(f"/manage{app['path']}")
    page.get_by_label("Only admins and these roles").check()
    page.locator(".settings-field > summary").first.click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("alert").wait_for()


@admin_scene
def app_as_a_maker_sees_it(visitor: Visitor, whole: Whole) -> None:
    page, app = visitor.page, whole.inside.ask("app", remote_id="card-long-names")
    page.goto(f"/manage{app['path']}")
    page.get_by_role("link", name="View as a maker").click()
    page.locator(".app-preview").wait_for()
