"""If the key is refused, Lamina is unreachable, the member is a viewer or there are too few credits, the page says so
and no run starts."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from pytest_django import Settings

from runs import catalog
from runs.connection import balance
from runs.models import Lease, Member, Run
from runs.words.run_failures import FAILURES, NOT_ENOUGH_CREDITS
from runs.words.run_states import WAITS
from tests.hostile.apps import NOTE
from tests.hostile.browser import Browser
from tests.hostile.faults import known
from tests.support.processes import free_port
from tests.support.quick_portal import KEY, hurry, is_at_rest, step, work_until
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ("/", "/apps/", "/history/")


def banner(browser: Browser, url: str = "/") -> str:
    cache.clear()
    return " ".join(e.words for e in browser.page(url).find(css="banner"))


def test_a_refused_key(lamina_door: SandboxDoor, browser: Browser, admin_member: Member) -> None:
    app = known(lamina_door, NOTE)
    lamina_door.control("keys", accepted=["lma_another"])

    run = browser.press(browser.open(app).set("p0", "x"))
    work_until(is_at_rest)

    page = browser.page(run.get_absolute_url())
    assert page.first(css="run-failure-sentence").words == str(FAILURES["key"][0])
    for url in PAGES:
        told = banner(browser, url)
        assert told.startswith("An admin needs to fix the connection to Lamina. Your history still works")
        assert "key" not in told.casefold()
        assert "LAMINA_API_KEY" in banner(Browser.of(admin_member), url)
    assert not lamina_door.runs

    lamina_door.control("keys", accepted=[KEY])
    again = browser.press(browser.open(app).set("p0", "x"))
    work_until(is_at_rest)
    assert Run.objects.get(pk=again.pk).status == "completed"
    assert banner(browser) == ""


def test_a_refused_key_echoed_by_lamina(lamina_door: SandboxDoor, browser: Browser, admin_member: Member) -> None:
    """If Lamina or a proxy echoes the key, no page, row, log or task may repeat it (see `Browser` and `secrecy`)."""
    app = known(lamina_door, NOTE)
    echo = {"error": f"Invalid key {KEY}", "code": KEY, "requestId": KEY, "details": [f'"Note": {KEY}']}
    for status in (400, 401, 404, 429, 500):
        told = {"fault": "status", "status": status, "body": echo, "headers": {"X-Request-Id": KEY, "Retry-After": "1"}}
        lamina_door.control("faults", endpoint="*", times=4, **told)
        run = browser.press(browser.open(app).set("p0", "x"))
        step()
        browser.page(run.get_absolute_url())
        Browser.of(admin_member).page("/manage/")
        lamina_door.clear_faults()
        work_until(is_at_rest)
        run.refresh_from_db()
        assert KEY not in repr(run.__dict__)
        catalog.refresh_app(app.pk)  # after the 404, the app counts as removed
        browser.page(run.get_absolute_url())


def test_lamina_away(lamina_door: SandboxDoor, browser: Browser, settings: Settings) -> None:
    app = known(lamina_door, NOTE)
    before = browser.press(browser.open(app).set("p0", "made before"))
    work_until(is_at_rest)
    settings.LAMINA_BASE_URL = f"http://127.0.0.1:{free_port()}"  # nothing listens on this port

    run = browser.press(browser.open(app).set("p0", "made meanwhile"))
    step()
    hurry()
    step()

    told = browser.page(run.get_absolute_url())
    assert told.first(css="run-sentence").words.startswith("Starting")
    assert str(WAITS[Run.Wait.LAMINA]) in told.first(css="run-wait").words
    for url in (*PAGES, before.get_absolute_url(), app.get_absolute_url()):
        assert "Lamina hasn't been answering since" in banner(browser, url)
    assert "made before" in browser.page(before.get_absolute_url()).words

    settings.LAMINA_BASE_URL = lamina_door.url
    work_until(is_at_rest)
    assert Run.objects.get(pk=run.pk).status == "completed"
    assert [r["inputs"]["Note"] for r in lamina_door.runs] == ["made before", "made meanwhile"]
    assert banner(browser) == ""


def test_a_waiting_run_can_be_cancelled(lamina_door: SandboxDoor, browser: Browser, settings: Settings) -> None:
    app = known(lamina_door, NOTE)
    settings.LAMINA_BASE_URL = f"http://127.0.0.1:{free_port()}"
    run = browser.press(browser.open(app).set("p0", "x"))
    step()

    browser.post(f"{run.get_absolute_url()}cancel/")

    settings.LAMINA_BASE_URL = lamina_door.url
    work_until(is_at_rest)
    assert "Stopped by Alice." in browser.page(run.get_absolute_url()).words
    assert not lamina_door.runs


def test_a_viewer_can_look_but_not_run(lamina_door: SandboxDoor, make_member: Callable[..., Member]) -> None:
    viewer = Browser.of(make_member("vera", role="viewer"))
    app = known(lamina_door, NOTE)
    form = Browser.of(make_member("max")).open(app).set("p0", "typed")  # this form belongs to another member

    seen, refused = viewer.page(app.get_absolute_url()), viewer.refused(form)

    for page in (seen, refused):
        assert "Your role is view-only, so you can't run apps. Ask an admin to change it." in page.words
        assert not page.find("button", css="launch-run")
    assert not Run.objects.exists()


@pytest.mark.parametrize("is_admin", [False, True], ids=["member", "admin"])
def test_too_few_credits_known_before(
    lamina_door: SandboxDoor, browser: Browser, admin_member: Member, is_admin: bool
) -> None:
    someone = Browser.of(admin_member) if is_admin else browser
    app = known(lamina_door, NOTE)
    lamina_door.control("balance", balance=0.25)
    balance.refresh_balance()
    form = someone.open(app).set("p0", "typed")

    page = someone.refused(form)

    reason = page.first(id="launch-reason").words
    assert reason.startswith("This needs about 1 credit; the balance is 0.25.")
    assert ("Add credits on Lamina." if is_admin else "To have credits added, ask an admin: Ada.") in reason
    assert not Run.objects.exists()
    lamina_door.control("balance", balance=10)
    balance.refresh_balance()
    someone.press(someone.open(app).set("p0", "typed"))


def test_too_few_credits_noticed_too_late(lamina_door: SandboxDoor, browser: Browser) -> None:
    form = browser.open(known(lamina_door, NOTE)).set("p0", "x")
    step()
    lamina_door.control("balance", balance=0.5)

    run = browser.press(form)
    work_until(is_at_rest)

    lamina_door.control("faults", endpoint="usage", fault="status", status=500)
    page = browser.page(run.get_absolute_url())
    assert page.first(css="run-failure-sentence").words == str(NOT_ENOUGH_CREDITS)  # without the outdated "4,250 left"
    assert "enough now" not in page.words
    assert page.first(css="run-money").words.startswith("Nothing was charged")
    Lease.objects.all().delete()  # three seconds later
    told = browser.page(run.get_absolute_url()).first(css="run-failure-sentence").words
    assert told == "There are 0.5 credits left, but this run needs about 1 credit."
    assert not lamina_door.runs


def test_too_few_credits_during_the_run(lamina_door: SandboxDoor, browser: Browser) -> None:
    """The run had started, so the page doesn't say that nothing was paid."""
    app = known(lamina_door, NOTE)
    lamina_door.control("script", outcome="failed", error="Insufficient credits", seconds=0)

    run = browser.press(browser.open(app).set("p0", "x"))
    work_until(is_at_rest)

    page = browser.page(run.get_absolute_url())
    assert "credits" in page.first(css="run-failure-sentence").words
    assert page.first(css="run-money").words.startswith("This run may have cost")


def test_results_of_a_run_that_failed_halfway_are_shown(lamina_door: SandboxDoor, browser: Browser) -> None:
    """Lamina says "failed" even though one of the two results is there. The portal shows the run as partly ready."""
    app = known(lamina_door, NOTE)
    lamina_door.control("script", outcome="never")
    run = browser.press(browser.open(app).set("p0", "x"))
    work_until(lambda: Run.objects.filter(pk=run.pk).exclude(remote_id="").exists())
    run.refresh_from_db()
    lamina_door.control(f"runs/{run.remote_id}", status="failed", error="Out of paper", ready=1)
    work_until(is_at_rest)

    page = browser.page(run.get_absolute_url())

    assert len(page.find(css="output-ready")) == 1
    assert page.first(css="run-sentence").words.startswith(
        "Partly ready Cost: up to the full estimate"
    )  # the failure comes after the cost
    assert page.first(css="run-note").words.startswith("1 of 2 ready, 1 failed")
    assert "There are no results" not in page.words
    assert "Out of paper" in page.words


def test_one_unreadable_run_does_not_delay_others(lamina_door: SandboxDoor, browser: Browser) -> None:
    app = known(lamina_door, NOTE)
    for _ in range(2):
        lamina_door.control("script", outcome="never")
    good, bad = [browser.press(browser.open(app).set("p0", text)) for text in ("good", "bad")]
    work_until(lambda: Run.objects.filter(status__in=("queued", "running")).count() == 2)
    bad.refresh_from_db()
    lamina_door.control("faults", endpoint="run", fault="status", status=500, times=None, runId=bad.remote_id)
    for record in lamina_door.runs:
        lamina_door.control(f"runs/{record['runId']}", status="completed")

    work_until(lambda: Run.objects.get(pk=good.pk).is_final)

    assert Run.objects.get(pk=bad.pk).is_active
    lamina_door.clear_faults()
    work_until(is_at_rest)
