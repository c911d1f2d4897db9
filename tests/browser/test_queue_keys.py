"""The queue in a real browser (D14, D15): by keyboard alone, on a phone without scripts, and offline."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from runs.models import Decision, Member, Output, OutputFile
from runs.review import requests
from tests.support.browser import Problems
from tests.support.factories import make_app, make_run, make_stored
from tests.support.queue_page import make_results

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
IS_LOADED = "(url) => performance.getEntriesByType('resource').some(({ name }) => name.endsWith(url))"


@pytest.fixture
def sofia(make_member: Callable[..., Member]) -> Member:
    return make_member("sofia", role="approver")


def make_pictures(maker: Member, count: int) -> list[Output]:
    """Make `count` ready pictures, each a different size, in one shared run."""
    app = make_app(outputs=[{"index": n, "label": f"Picture {n + 1}", "type": "image"} for n in range(count)])
    run = make_run(maker, app, status="completed", shared_at=timezone.now())
    for n, output in enumerate(run.outputs.all()):
        stored = make_stored((400 + n, 300))
        OutputFile.objects.create(output=output, source_url="https://x.test/a.png", status="saved", file=stored)
    run.outputs.update(content_hash="a" * 64)
    return list(run.outputs.all())


def shown(page: Page, words: str, place: str) -> None:
    expect(page.locator("h1")).to_have_text(words)
    expect(page).to_have_title(
        re.compile(rf"(\(\d+\) )?{re.escape(words)} · Review · Lamina Portal")
    )  # the title may start with the bell's count
    expect(page.locator(".stage-place")).to_have_text(place)


@pytest.mark.both
def test_twenty_decisions_by_keys_alone(
    new_context: Callable[..., BrowserContext], alice: Member, sofia: Member
) -> None:
    """Checks D14, and part of D15: each verdict is announced once, and the focus moves to the next result's heading."""
    pictures = make_pictures(alice, 12)
    requests.ask(alice, pictures)
    requests.ask(alice, make_results(alice, 988))
    page = new_context(sofia, viewport={"width": 1280, "height": 800}).new_page()
    page.goto("/review/")
    shown(page, "Picture 1", "1 of 1,000")
    for n in range(1, 10):
        file = OutputFile.objects.select_related("file").get(output=pictures[n]).file
        assert file is not None
        expect(page.locator(f"[data-picture='{file.large_url or file.original_url}']")).to_have_count(1)
        # wait for the picture to load before deciding
        page.wait_for_function(IS_LOADED, arg=file.large_url or file.original_url)
        page.keyboard.press("a")
        shown(page, f"Picture {n + 1}", f"1 of {1000 - n:,}" if 1000 - n >= 1000 else f"1 of {1000 - n}")
        expect(page.locator("#announcer")).to_have_text(f"Approved: Picture {n}. {1000 - n} left.")
        expect(page.locator("h1")).to_be_focused()
    page.keyboard.press("x")  # rejecting needs a reason, so the page asks for one
    expect(page.locator("#decide-note")).to_be_focused()
    # each key is shown once, on the button that it stands for
    assert page.locator("#file kbd").all_inner_texts() == ["z", "a", "n", "x"]
    assert page.locator("#file [aria-keyshortcuts]").evaluate_all("all => all.map((one) => one.value)") == [
        *("approved", "changes", "rejected")
    ]
    page.keyboard.type("axnz?")
    page.keyboard.press("Enter")
    shown(page, "Picture 11", "1 of 990")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#announcer")).to_have_text("Rejected: Picture 10. 990 left.")
    page.keyboard.press("n")
    page.keyboard.type("Warmer")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and larger")
    page.keyboard.press("Enter")
    shown(page, "Picture 12", "1 of 989")
    page.keyboard.press("z")
    shown(page, "Picture 11", "1 of 990")
    expect(page.locator("#announcer")).to_have_text("Undone. The result is waiting for a decision again.")
    page.keyboard.press("n")
    page.keyboard.press("Enter")  # the note is still empty
    expect(page.locator("#decide-error")).to_be_visible()
    expect(page.locator("#decide-note")).to_be_focused()
    page.keyboard.type(" ")
    expect(page.locator("#decide-error")).to_be_visible()
    page.keyboard.type("Warmer")
    expect(page.locator("#decide-error")).to_be_hidden()  # a reason is there
    expect(page.locator("#decide-note[aria-invalid]")).to_have_count(0)
    page.keyboard.press("Enter")
    shown(page, "Picture 12", "1 of 989")
    page.keyboard.press("j")
    shown(page, "Text 1", "2 of 989")
    page.keyboard.press("k")
    shown(page, "Picture 12", "1 of 989")
    for n in range(12, 21):
        page.keyboard.press("a")
        expect(page.locator(".stage-place")).to_have_text(f"1 of {1000 - n}")
    expect(page.locator("#review-nav .bar-count")).to_have_text("99+")
    verdicts = list(Decision.objects.filter(is_standing=True).order_by("pk").values_list("verdict", "note"))
    assert len(verdicts) == 20
    assert verdicts[:11] == [("approved", "")] * 9 + [("rejected", "axnz?"), ("changes", "Warmer")]


def test_a_lost_decision_stays_and_keys_can_be_off(
    new_context: Callable[..., BrowserContext], alice: Member, sofia: Member, problems: Problems
) -> None:
    problems.forgive("ERR_INTERNET_DISCONNECTED|htmx:")
    requests.ask(alice, make_results(alice, 4))
    Member.objects.filter(pk=sofia.pk).update(has_shortcuts=False)
    page = new_context(sofia).new_page()
    page.goto("/review/")
    page.keyboard.press("a")
    page.context.set_offline(True)
    page.get_by_label("Note").fill("Too pale")
    page.get_by_role("button", name="Reject").click()
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_focused()
    expect(page.get_by_text("Your decision wasn't saved.")).to_be_visible()
    assert not Decision.objects.exists(), "keys do nothing while they are turned off"
    page.context.set_offline(False)
    again.click()
    shown(page, "Text 2", "1 of 3")
    assert list(Decision.objects.values_list("verdict", "note")) == [("rejected", "Too pale")]


# Approves the next result as soon as it is on the page, before anything else can run.
APPROVE_THE_NEXT = """() => {
    window.isSamePage = true;
    const press = (_, observer) => {
        observer.disconnect();
        document.querySelector("#decide [value=approved]").click();
    };
    new MutationObserver(press).observe(document.querySelector("#file"), { childList: true });
}"""


def test_a_press_right_after_the_next_result_came_loads_no_whole_page(
    new_context: Callable[..., BrowserContext], alice: Member, sofia: Member
) -> None:
    requests.ask(alice, make_results(alice, 4))
    page = new_context(sofia).new_page()
    page.goto("/review/")
    page.evaluate(APPROVE_THE_NEXT)
    page.keyboard.press("a")
    shown(page, "Text 3", "1 of 2")
    assert page.evaluate("window.isSamePage")
    expect(page.locator("h1")).to_be_focused()


@pytest.mark.both
def test_a_phone_without_scripts(new_context: Callable[..., BrowserContext], alice: Member, sofia: Member) -> None:
    """Promise D15 (see `tests/review/__init__.py`)."""
    requests.ask(alice, make_pictures(alice, 3))
    options = {"viewport": {"width": 320, "height": 568}, "java_script_enabled": False, "has_touch": True}
    page = new_context(sofia, **options).new_page()
    page.goto("/review/")
    for name in ("Approve", "Needs changes", "Reject"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] > 568 / 2, "at thumb's reach"
    assert page.locator("html").evaluate("html => html.scrollWidth") <= 320
    page.get_by_role("button", name="Approve").click()
    shown(page, "Picture 2", "1 of 2")
    page.get_by_role("button", name="Needs changes").click()
    expect(page.locator("#decide-error")).to_be_visible()
    page.get_by_label("Note").fill("Warmer")
    page.get_by_role("button", name="Needs changes").click()
    shown(page, "Picture 3", "1 of 1")
    page.get_by_role("button", name="Undo").click()
    shown(page, "Picture 2", "1 of 2")
    for verdict in ("Approve", "Approve"):
        page.get_by_role("button", name=verdict).click()
    expect(page.locator("h1")).to_have_text("Nothing is waiting for you.")


def test_without_scripts_a_comment_that_is_typed_is_posted_before_one_decides(
    new_context: Callable[..., BrowserContext], alice: Member, sofia: Member
) -> None:
    requests.ask(alice, make_results(alice, 4))
    options = {"viewport": {"width": 320, "height": 568}, "java_script_enabled": False}
    page = new_context(sofia, **options).new_page()
    page.goto("/review/")
    approve, note = page.get_by_role("button", name="Approve"), page.get_by_label("Note")
    comment, first = page.get_by_label("Write a comment"), page.get_by_text("Post your comment first, or clear it.")
    comment.fill("The lake is lovely")
    expect(first).to_be_in_viewport()
    expect(approve).to_be_hidden()
    expect(note).to_be_hidden()
    page.get_by_role("button", name="Post comment").click()
    expect(page.locator(".comment-text")).to_have_text("The lake is lovely")
    expect(first).to_be_hidden()
    note.fill("Warmer")
    expect(page.get_by_text("Decide first, or clear your note.")).to_be_visible()
    expect(comment).to_be_hidden()
    page.get_by_role("button", name="Needs changes").click()
    shown(page, "Text 2", "1 of 3")
    assert list(Decision.objects.values_list("verdict", "note")) == [("changes", "Warmer")]
