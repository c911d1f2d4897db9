"""Deciding on a result with scripts and by keyboard, and on a phone without scripts."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Member, Output, Run
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from runs.sharing.visibility import share_with_team
from tests.support.factories import make_app, make_kept, make_run
from tests.support.page_checks import SIDEWAYS, findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Contexts = Callable[..., BrowserContext]


@pytest.fixture
def petra(make_member: Callable[..., Member]) -> Member:
    return make_member("petra", role="approver")


@pytest.fixture
def run(alice: Member) -> Run:
    run = make_run(alice, status="completed")
    make_kept(run)
    make_kept(run, position=1)
    share_with_team(run)
    return run


def test_deciding_by_keyboard(new_context: Contexts, run: Run, petra: Member) -> None:
    page = new_context(petra, viewport={"width": 1280, "height": 800}, reduced_motion="reduce").new_page()
    page.goto(run.outputs.all()[0].get_absolute_url())
    panel = page.locator(".verdict")
    expect(panel).to_contain_text("Not reviewed")
    panel.locator("summary", has_text="Needs changes").focus()
    page.keyboard.press("Enter")
    field = panel.get_by_label("What should change?")
    expect(field).to_be_focused()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(panel.locator("summary", has_text="Needs changes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.type("Warmer light")
    page.keyboard.press("Control+Enter")
    line = page.locator(".verdict > .verdict-line").first
    expect(line).to_contain_text("Needs changes by you")
    expect(line).to_be_focused()  # the focus makes screen readers read the line, and only once
    expect(panel.locator(".verdict-note")).to_have_text("Warmer light")
    assert findings(page) == []
    panel.get_by_role("button", name="Undo").press("Enter")
    expect(line).to_contain_text("Not reviewed")
    panel.get_by_role("button", name="Approve").press("Enter")
    expect(line).to_contain_text("Approved by you")
    panel.locator(".verdict-more > summary").press("Enter")
    panel.locator("summary", has_text="Add a note").press("Enter")
    panel.get_by_label("Note").fill("Lovely")
    panel.get_by_role("button", name="Save note").press("Enter")
    expect(panel.locator(".verdict-note").first).to_have_text("Lovely")
    panel.locator(".decisions > summary").press("Enter")
    assert findings(page) == []


def test_the_next_version_is_offered_at_once(new_context: Contexts, run: Run, petra: Member) -> None:
    page = new_context(petra, viewport={"width": 1280, "height": 800}, reduced_motion="reduce").new_page()
    offered = page.get_by_role("link", name="Make the next version")
    for place in (run.outputs.all()[0].get_absolute_url(), run.get_absolute_url()):
        page.goto(place)
        panel, line = page.locator(".verdict").first, page.locator(".verdict > .verdict-line").first
        panel.locator("summary", has_text="Needs changes").click()
        panel.get_by_label("What should change?").fill("Warmer light")
        panel.get_by_role("button", name="Ask for changes").click()
        expect(line).to_contain_text("Needs changes by you")
        expect(offered.locator("visible=true")).to_have_count(1)
        expect(offered.locator("visible=true")).to_have_class(re.compile("primary"))
        assert findings(page) == []
        panel.get_by_role("button", name="Undo").click()
        expect(line).to_contain_text("Not reviewed")
        expect(page.locator(".main-next, #run-next")).to_have_count(0)


def test_deciding_on_a_phone_without_scripts(new_context: Contexts, run: Run, petra: Member) -> None:
    page = new_context(petra, viewport={"width": 320, "height": 640}, java_script_enabled=False).new_page()
    page.goto(run.get_absolute_url())
    front, back = page.locator(".output .verdict").all()
    front.get_by_role("button", name="Approve").click()
    expect(page.locator(".messages")).to_contain_text("Approved")
    expect(front).to_contain_text("Approved by you")
    back.locator("summary", has_text="Reject").click()
    back.get_by_label("Why not?").fill("Wrong bag")
    assert page.evaluate(SIDEWAYS) == ""
    back.get_by_role("button", name="Reject this result").click()
    expect(back).to_contain_text("Wrong bag")
    page.locator(".messages").get_by_role("button", name="Undo").click()
    expect(page.locator(".messages")).to_contain_text("1 decision was undone.")
    expect(back.get_by_role("button", name="Approve")).to_be_visible()
    expect(front).to_contain_text("Approved by you")


@pytest.mark.parametrize(("width", "language"), [(320, "de"), (360, "en")])
def test_on_a_phone_the_decision_is_within_reach(
    new_context: Contexts, petra: Member, width: int, language: str
) -> None:
    Member.objects.filter(pk=petra.pk).update(language=language)
    run = make_run(petra, status="completed")
    make_kept(run)
    page = new_context(petra, viewport={"width": width, "height": 640}, has_touch=True).new_page()
    page.goto(run.outputs.all()[0].get_absolute_url())
    link, acts = page.locator("#verdict-link"), page.locator(".file-actions")
    expect(link).to_be_in_viewport(ratio=1)
    expect(acts.locator("> .more-open")).to_be_in_viewport(ratio=1)
    assert acts.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert findings(page) == []
    link.click()
    approve = page.locator(".verdict form.is-approved button")
    expect(approve).to_be_in_viewport(ratio=1)
    approve.click()
    expect(link).to_have_accessible_name({"de": "Freigegeben", "en": "Approved"}[language])
    expect(acts.locator("> .more-open")).to_be_in_viewport(ratio=1)
    assert acts.evaluate("it => it.scrollWidth <= it.clientWidth")
    assert findings(page) == []


def test_the_shown_version_is_in_view_in_the_strip(page: Page, alice: Member) -> None:
    app = make_app()
    first, *later = [make_kept(make_run(alice, app, status="completed")).output for _ in range(8)]
    for number, version in enumerate(later, 2):
        Output.objects.filter(pk=version.pk).update(line=first, number=number)
    page.set_viewport_size({"width": 1280, "height": 1600})
    page.goto(later[-1].get_absolute_url())
    expect(page.locator(".version[aria-current]")).to_be_in_viewport(ratio=0.9)
    Output.objects.filter(pk__in=[version.pk for version in later[2:]]).update(line=None, number=1)
    page.goto(first.get_absolute_url())
    boxes = page.locator(".version")
    expect(boxes).to_have_count(3)
    for box in boxes.all():
        expect(box).to_be_in_viewport(ratio=0.9)  # there are few results, so all of them are in view


def test_the_demand_for_a_reason_goes_when_one_is_typed(
    new_context: Contexts, run: Run, petra: Member, make_member: Callable[..., Member]
) -> None:
    output = run.outputs.all()[0]
    decide(output, "approved", "", Reviewer(petra), None)
    page = new_context(make_member("ruth", role="approver"), viewport={"width": 1280, "height": 800}).new_page()
    page.goto(output.get_absolute_url())
    page.locator(".decisions > summary").click()
    page.locator(".verdict-aside > summary").click()
    field, demand = page.get_by_label("Why shouldn't it count"), page.get_by_text("Give a reason")
    field.fill("  ")
    page.get_by_role("button", name="Set aside").click()
    expect(demand).to_be_visible()
    field.press_sequentially("x")
    expect(demand).to_have_count(0)
    expect(field).not_to_have_attribute("aria-invalid", "true")
