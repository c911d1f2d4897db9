"""Comparing results, and reusing inputs with a preset or by running the same again."""

from playwright.sync_api import expect

from tests.browser.acts import a_photo, choose, open_app, tiles
from tests.browser.apps import CARTOONIFY
from tests.browser.scenes.stage import scene, scene_of
from tests.browser.visitors import Visitor
from tests.browser.whole import Whole


def made(visitor: Visitor, *apps: tuple[str, dict[str, str]]) -> list[str]:
    """Run each of `apps` (its id on Lamina and the values to use); return the id of each run's first result."""
    inside = visitor.whole.inside
    runs = [inside.ask("start", email=visitor.email, remote_id=app, **given) for app, given in apps]
    for run in runs:
        visitor.whole.wait_for(run, "final")
    return [inside.ask("results", run=run)[0] for run in runs]


def compared(visitor: Visitor, *apps: tuple[str, dict[str, str]], query: str = "") -> None:
    visitor.page.goto(f"/compare/?f={','.join(made(visitor, *apps))}{query}")


def named_preset(visitor: Visitor, *, is_team: bool = False) -> str:
    """Save a preset that includes a file, using Cartoonify's form; return the address that opens the form with this
    preset."""
    page = visitor.page
    open_app(visitor)
    page.get_by_text("Ghibli", exact=True).first.click()
    choose(page, a_photo("mia.png"))
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("button", name="Save as preset").click()
    page.get_by_label("Name").fill("Mia as Ghibli")
    page.get_by_label("For the whole team").set_checked(is_team)
    page.get_by_role("button", name="Save preset").click()
    page.get_by_text("Saved as “Mia as Ghibli”.").wait_for()
    return page.url


@scene
def pictures_compared(visitor: Visitor, whole: Whole) -> None:
    compared(visitor, (CARTOONIFY, {"Style": "Ghibli"}), (CARTOONIFY, {"Style": "Simpsons"}), query="&all=1")


@scene
def pictures_over_each_other(visitor: Visitor, whole: Whole) -> None:
    compared(visitor, (CARTOONIFY, {"Style": "Ghibli"}), (CARTOONIFY, {"Style": "Simpsons"}))
    visitor.page.get_by_role("button", name="Overlay slider").click()
    visitor.page.get_by_role("slider").wait_for()


@scene
def texts_compared(visitor: Visitor, whole: Whole) -> None:
    compared(visitor, *[("sandbox-caption", {})] * 2)


@scene_of("viewer")
def videos_compared(visitor: Visitor, whole: Whole) -> None:
    compared(visitor, *[("card-video-thumbnail", {})] * 2, ("card-half-fails", {}))


@scene
def results_to_choose_from(visitor: Visitor, whole: Whole) -> None:
    first = made(visitor, (CARTOONIFY, {"Style": "Ghibli"}), ("sandbox-caption", {}))[0]
    visitor.page.goto(f"/compare/?f={first},gone")


@scene
def the_same_again(visitor: Visitor, whole: Whole) -> None:
    made(visitor, (CARTOONIFY, {"Style": "Ghibli"}))
    visitor.page.goto("/history/")
    visitor.page.locator(".run-card .card-link").first.click()
    visitor.page.locator("#run-more").click()
    visitor.page.get_by_role("link", name="Run the same again").click()
    visitor.page.get_by_role("button", name="Run the same again").wait_for()


@scene
def form_with_a_preset(visitor: Visitor, whole: Whole) -> None:
    named_preset(visitor, is_team=True)


@scene
def preset_to_change(visitor: Visitor, whole: Whole) -> None:
    named_preset(visitor)
    visitor.page.get_by_role("link", name="Rename or delete").click()
    visitor.page.get_by_text("Delete this preset…").click()


@scene
def preset_without_a_name(visitor: Visitor, whole: Whole) -> None:
    run = str(whole.inside.ask("start", email=visitor.email, remote_id=CARTOONIFY, Style="Ghibli"))
    visitor.page.goto(f"/presets/new/?from={run}")
    visitor.page.get_by_label("Name").fill(" ")
    visitor.page.get_by_role("button", name="Save preset").click()
    visitor.page.get_by_role("alert").wait_for()
