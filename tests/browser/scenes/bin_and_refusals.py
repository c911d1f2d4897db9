"""The bin, its confirmations, and the error pages."""

from tests.browser.apps import LEFT_ALONE
from tests.browser.scenes.stage import Act, scene, scene_of
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


def binned(visitor: Visitor, whole: Whole, count: int = 2) -> list[str]:
    """Put `count` of the visitor's finished runs in the bin; return their ids."""
    whole.inside.ask("fill_history", email=visitor.email, remote_id=LEFT_ALONE, count=count)
    return list(whole.inside.ask("bin_all", email=visitor.email))


@scene
def bin_empty(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/bin/")
    visitor.page.get_by_role("heading", name="The bin is empty").wait_for()


@scene
def bin_with_runs(visitor: Visitor, whole: Whole) -> None:
    binned(visitor, whole)
    visitor.page.goto("/bin/")
    visitor.page.get_by_role("button", name="Restore").first.wait_for()


@scene
def run_to_bin(visitor: Visitor, whole: Whole) -> None:
    result = whole.inside.ask("result", email=visitor.email, remote_id=LEFT_ALONE, text="Words that sell")
    visitor.page.goto(f"/results/{result}/")
    visitor.page.goto(f"/runs/{whole.inside.ask('run_of', result=result)}/delete/")
    visitor.page.get_by_role("button", name="Move to bin").wait_for()


@scene
def run_in_the_bin(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto(f"/runs/{binned(visitor, whole, 1)[0]}/")
    visitor.page.get_by_role("heading", name="This run is in the bin").wait_for()


@scene
def run_to_delete_for_good(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto(f"/runs/{binned(visitor, whole, 1)[0]}/delete/")
    visitor.page.get_by_role("button", name="Delete permanently").wait_for()


@scene
def run_that_cannot_go_yet(visitor: Visitor, whole: Whole) -> None:
    run = whole.inside.ask("stay", email=visitor.email, remote_id=LEFT_ALONE, status="starting")
    visitor.page.goto(f"/runs/{run}/delete/")
    visitor.page.get_by_role("heading", name="This run is still in progress").wait_for()


@scene
def address_not_found(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/runs/nowhere/")


@scene_of("admin")
def keeping_rules_refused(visitor: Visitor, whole: Whole) -> None:
    visitor.page.goto("/manage/keeping/")
    visitor.page.get_by_label("Runs with results").fill("3")
    visitor.page.get_by_role("button", name="Save").click()
    visitor.page.locator("#ready_days-help[role=alert]").wait_for()


def refusal(name: str) -> Act:
    """Return a scene for the error page `name`, which a browser can't trigger."""

    def act(visitor: Visitor, whole: Whole) -> None:
        body = whole.inside.ask("page", template=f"{name}.html")
        visitor.page.route("**/refused/", lambda route: route.fulfill(body=body, content_type="text/html"))
        visitor.page.goto("/refused/")
        visitor.page.get_by_role("heading").first.wait_for()

    act.__name__ = f"refused_{name}"
    return act


for _name in ("400", "413", "500", "507"):
    scene(refusal(_name))
