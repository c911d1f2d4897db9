"""Results of every shape that Lamina or an attacker could send: they are shown, linked or refused, but never executed
or lost."""

from typing import Any

import pytest

from runs.models import Output, OutputFile, Run
from runs.storage.guard import NOT_HTTPS, PRIVATE
from tests.hostile.browser import Browser
from tests.hostile.faults import age_files, app_like, known
from tests.support.page import Element
from tests.support.quick_portal import is_at_rest, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


def result_of(
    door: SandboxDoor, browser: Browser, value: Any, *, kind: str = "image", type: str | None = None
) -> Element:
    """Run an app whose result has this value and kind; return the result's box on the run's page."""
    app = known(door, app_like("odd", kind=kind))
    door.control("script", seconds=0, values={"0": value}, types={"0": type} if type is not None else {})
    run = browser.press(browser.open(app).set("p0", "x"))
    work_until(is_at_rest)
    assert Run.objects.get(pk=run.pk).status == "completed"
    browser.page("/")
    browser.page("/history/")
    return browser.page(run.get_absolute_url()).first(css="output")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, "7"),
        (0, "0"),
        (False, "false"),
        ({"a": {"b": [1, None, "<script>alert(1)</script>"]}}, "<script>alert(1)</script>"),
        (["<img src=x onerror=alert(1)>"], "<img src=x onerror=alert(1)>"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("data:text/html,<script>alert(1)</script>", "data:text/html,<script>alert(1)</script>"),
        ("nul\x00nul \ud83d", "nul\ufffdnul \ufffd"),
        ([[[[[[[[[[["deep"]]]]]]]]]]], "deep"),
    ],
)
@pytest.mark.parametrize("kind", ["text", "image"])
def test_values_without_an_address_are_text(
    lamina_door: SandboxDoor, browser: Browser, value: Any, shown: str, kind: str
) -> None:
    assert shown in result_of(lamina_door, browser, value, kind=kind).first(css="output-text").text


@pytest.mark.parametrize("type", ["hologram", "<b>type</b>", "text/html", "x" * 5000, "IMAGE "])
def test_unknown_kinds(lamina_door: SandboxDoor, browser: Browser, type: str) -> None:
    box = result_of(lamina_door, browser, f"{lamina_door.url}/thumbs/sandbox-caption.webp", type=type)

    assert box.find("img") or box.find("a", css="output-other")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/a.png",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/a.png?<script>",
        "http://localhost:1/'onerror='x",
    ],
)
def test_internal_addresses_are_never_opened(lamina_door: SandboxDoor, browser: Browser, address: str) -> None:
    box = result_of(lamina_door, browser, address)

    assert "output-unsaved" in box.classes
    assert not box.find("img")
    kept = OutputFile.objects.get()
    assert box.first(css="output-refused").words == kept.source_url  # shown as text, not as a link
    assert not [link for link in box.find("a") if link.attributes["href"].startswith("http")]
    assert (kept.status, kept.attempts) == ("failed", 1)
    assert kept.error in (PRIVATE, NOT_HTTPS)


def test_many_pictures_are_as_many_results(lamina_door: SandboxDoor, browser: Browser) -> None:
    addresses = [f"{lamina_door.url}/thumbs/sandbox-caption.webp?n={n}" for n in range(51)]

    box = result_of(lamina_door, browser, addresses)

    assert len(box.find("img")) == 1
    assert OutputFile.objects.count() == Output.objects.count() == 51


def test_a_result_of_two_hundred_thousand_characters(lamina_door: SandboxDoor, browser: Browser) -> None:
    text = "<b>word</b> " * 20_000

    assert result_of(lamina_door, browser, text, kind="text").first(css="output-text").text == text


def test_a_file_that_comes_too_late_is_not_lost_silently(lamina_door: SandboxDoor, browser: Browser) -> None:
    lamina_door.control("expire", all=True)
    app = known(lamina_door, app_like("late", kind="image"))
    run = browser.press(browser.open(app).set("p0", "x"))
    work_until(lambda: not Run.objects.active().exists())
    assert "Saving" in browser.page(run.get_absolute_url()).first(css="output").words
    age_files()
    work_until(is_at_rest)

    assert "We couldn't save a copy." in browser.page(run.get_absolute_url()).first(css="output").words
