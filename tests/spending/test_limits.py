"""Limits hold no matter how many people press Run at once, and anyone who reaches a limit is told what is left and who
can raise it.

There are no batches yet. Once there are, a batch that would exceed the limit must be refused as a whole, before any of
its runs starts.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from runs.engine import create_run, progress
from runs.models import App, Draft, Member, MemberLimit, MonthTotal, Notice, Run, SpendingLimits
from runs.models.spending import month_of
from runs.spending.limits import allowance_of
from tests.support.app_forms import fields, token_in
from tests.support.charges import wrong_charges, wrong_sums
from tests.support.factories import PROMPT, STYLE, make_app
from tests.support.page import Page
from tests.support.processes import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_mid_month")]


@pytest.fixture
def app() -> App:
    costs: dict[str, Any] = {"credits_expected": Decimal(30), "estimated_at": timezone.now()}
    return make_app(parameters=[STYLE, PROMPT], **costs)


def press(client: Client, member: Member, app: App, **more: Any) -> Any:
    return client.post(app.get_absolute_url(), fields(app, member, **more))


def reason(answer: Any) -> str:
    return Page(answer.text).first(css="launch-reason").words


def set_limits(default: int | None = None, portal: int | None = None, **more: Any) -> None:
    """Set limits, in credits."""
    limits = SpendingLimits.current()
    limits.default_hundredths = None if default is None else default * 100
    limits.portal_hundredths = None if portal is None else portal * 100
    for name, value in more.items():
        setattr(limits, name, value)
    limits.save()


def use(member: Member | None, credits: int) -> None:
    """Record that `member`, or the team as a whole, has used this many credits this month."""
    MonthTotal.objects.update_or_create(member=member, month=month_of(timezone.now()), defaults={"used": credits * 100})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("whose", ["own", "portal"])
def test_ten_presses_from_two_processes_never_go_beyond_a_limit(
    alice: Member, admin_member: Member, app: App, tmp_path: Path, whose: str
) -> None:
    set_limits(default=100) if whose == "own" else set_limits(portal=100)
    database = connection.settings_dict
    url = f"sqlite:///{database['NAME']}"
    if connection.vendor == "postgresql":
        url = f"{os.environ['TEST_DATABASE_URL'].rpartition('/')[0]}/{database['NAME']}"
    environ = os.environ | {"TEST_DATABASE_URL": url}
    gate, now = tmp_path / "go", timezone.now().isoformat()
    pressing = [sys.executable, "-m", "tests.support.limit_presser", str(app.pk), str(alice.pk)]
    pressers = [
        subprocess.Popen(
            [*pressing, str(times), str(gate), now],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for times in (5, 5)
    ]
    for presser in pressers:
        assert presser.stdout is not None
        assert presser.stdout.readline() == "ready\n"
    gate.touch()
    answers = [answer for presser in pressers for answer in json.loads(presser.communicate()[0])]

    assert Counter(status for status, _words in answers) == {302: 3, 422: 7}
    whom = "you have 10 of your 100" if whose == "own" else "the team has 10 of its 100"
    refusals = {words for status, words in answers if status == 422}
    assert len(refusals) == 1
    assert f"This needs about 30 credits; {whom} left this month. To have" in refusals.pop()
    assert Run.objects.count() == 3
    assert wrong_charges() == []


def test_a_press_beyond_the_limit_says_what_is_left_and_loses_nothing(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    set_limits(default=100)
    use(alice, 80)

    answer = press(as_alice, alice, app)

    assert answer.status_code == 422
    words = (
        "This needs about 30 credits; you have 20 of your 100 left this month. To have your limit raised, ask an "
        "admin: Ada."
    )
    assert words in reason(answer)
    assert "at sea" in answer.text
    assert Draft.objects.filter(member=alice, app=app).exists()
    # the page says so even before anyone presses Run
    assert "launch-reason" in as_alice.get(app.get_absolute_url()).text
    assert not Run.objects.exists()
    assert wrong_sums() == [f"{place}: 8000 used instead of 0" for place in [(month_of(timezone.now()), alice.pk)]]


def test_an_admin_reads_that_they_can_raise_it_themselves(as_admin: Client, admin_member: Member, app: App) -> None:
    set_limits(portal=10)
    answer = press(as_admin, admin_member, app)
    assert "the team has 10 of its 10 left this month. You can raise the limit in “Manage”." in reason(answer)


def test_a_limit_reached_since_the_page_was_checked_is_said_all_the_same(
    as_alice: Client, alice: Member, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else presses Run between the check and the charge."""
    real = allowance_of

    def left(member: Member, now: datetime | None = None) -> Any:
        use(None, 100)
        return real(member, now)

    set_limits(portal=100)
    monkeypatch.setattr("runs.spending.limits.allowance_of", left)

    answer = press(as_alice, alice, app)

    assert answer.status_code == 422
    assert answer.text.count("the team has 0 of its 100 left this month") == 1
    assert not Run.objects.exists()


def partly_failed(client: Client, member: Member, app: App) -> Run:
    """Return a run where one of two results failed."""
    press(client, member, app)
    run = Run.objects.get()
    Run.objects.update(status="completed", finished_at=timezone.now(), outputs_failed=1)
    run.outputs.filter(position=0).update(status="error")
    return run


@pytest.mark.parametrize("button", ["run", "run again", "retry"])
def test_the_second_of_two_quick_presses_leads_to_the_run_of_the_first(
    as_alice: Client, alice: Member, app: App, monkeypatch: pytest.MonkeyPatch, button: str
) -> None:
    """The second press looked for the form's run before the first press had stored it."""
    form, address = fields(app, alice), app.get_absolute_url()
    if button == "run again":
        press(as_alice, alice, app)
        address = f"/runs/{Run.objects.get().public_id}/again/"
        form = {"token": token_in(as_alice.get(address).text)}
    elif button == "retry":
        run = partly_failed(as_alice, alice, app)
        address = f"/runs/{run.public_id}/retry-failed/"
        form = {"token": token_in(as_alice.get(run.get_absolute_url()).text.partition("/retry-failed/")[2])}
    set_limits(default=15 * (2 * Run.objects.count() + (1 if button == "retry" else 2)))
    first, real, looks = as_alice.post(address, form), create_run.run_of_form, iter([None])
    monkeypatch.setattr(create_run, "run_of_form", lambda *given: next(looks, real(*given)))
    if button == "run":  # for this button, the portal looks for the run only once, after checking the cost
        monkeypatch.setattr("runs.spending.estimates.beyond_limit", lambda *_: "")

    second = as_alice.post(address, form)

    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]


def test_run_again_retry_and_start_again_meet_the_limit_too(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    press(as_alice, alice, app)
    run = Run.objects.get()
    words = "you have 0 of your 10 left this month. To have your limit raised, ask an admin: Ada."
    progress.doubt(run)
    progress.ask_person(run, ["r1", "r2"])
    page = as_alice.get(f"/runs/{run.public_id}/again/").text
    set_limits(default=10)

    again = as_alice.post(f"/runs/{run.public_id}/start-again/", follow=True)
    assert f"This needs about 30 credits; {words}" in again.text
    run.refresh_from_db()
    assert run.status == "checking"

    answer = as_alice.post(f"/runs/{run.public_id}/again/", {"token": token_in(page)})
    assert answer.status_code == 422
    assert answer.text.count(f"This needs about 30 credits; {words}") == 1

    Run.objects.update(status="completed", finished_at=timezone.now(), outputs_failed=1)
    run.outputs.filter(position=0).update(status="error")
    assert f"This needs about 15 credits; {words}" in as_alice.get(run.get_absolute_url()).text
    assert Run.objects.count() == 1


def test_a_start_sent_again_by_an_admin_meets_the_limit_of_whoever_pays(
    as_alice: Client, as_admin: Client, alice: Member, admin_member: Member, app: App
) -> None:
    press(as_alice, alice, app)
    run = Run.objects.get()
    progress.doubt(run)
    progress.ask_person(run, ["r1", "r2"])
    MemberLimit.objects.create(member=alice, hundredths=1000)
    Run.objects.update(member=admin_member)  # the run has been transferred since then

    page = as_admin.post(f"/runs/{run.public_id}/start-again/", follow=True)

    words = "This needs about 30 credits; Alice has 0 of their 10 left this month. You can raise their limit"
    assert words in page.text
    run.refresh_from_db()
    assert run.status == "checking"


def test_a_retry_that_meets_the_limit_at_the_press_says_so(
    as_alice: Client, alice: Member, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = partly_failed(as_alice, alice, app)
    token = token_in(as_alice.get(run.get_absolute_url()).text.partition("/retry-failed/")[2])
    set_limits(default=40)
    # turn off the check that comes before the charge
    monkeypatch.setattr("runs.spending.estimates.beyond_limit", lambda *_: "")

    page = as_alice.post(f"/runs/{run.public_id}/retry-failed/", {"token": token}, follow=True)

    assert "This needs about 15 credits; you have 10 of your 40 left" in page.text
    assert Run.objects.count() == 1


def test_whoever_cannot_retry_for_their_limit_asks_for_more_there(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    run = partly_failed(as_alice, alice, app)
    assert "/me/spending/ask/" not in as_alice.get(run.get_absolute_url()).text
    set_limits(default=40)

    asking = Page(as_alice.get(run.get_absolute_url()).text).first(id="run-retry")
    form = next(one for one in asking.find("form") if one.attributes["action"] == "/me/spending/ask/")
    back = next(one for one in form.find("input") if one.attributes["name"] == "back").attributes["value"]
    page = as_alice.post("/me/spending/ask/", {"back": back}, follow=True)

    assert page.redirect_chain[-1][0] == run.get_absolute_url()
    assert "Your admins have been told that you" in page.text
    assert "You've already asked today." in Page(page.text).first(id="run-retry").words
    assert Notice.objects.filter(member=admin_member).count() == 1


def test_raising_or_lowering_a_limit_holds_at_the_next_press(as_alice: Client, alice: Member, app: App) -> None:
    set_limits(default=20)
    assert press(as_alice, alice, app).status_code == 422
    limit = MemberLimit.objects.create(member=alice, hundredths=3000)
    assert press(as_alice, alice, app).status_code == 302
    assert press(as_alice, alice, app).status_code == 422

    limit.raised_to, limit.raised_until = 9000, timezone.localdate()
    limit.save()
    assert press(as_alice, alice, app).status_code == 302

    MemberLimit.objects.update(hundredths=1000, raised_to=None, raised_until=None)
    assert "you have 0 of your 10 left" in reason(press(as_alice, alice, app))
    for run in Run.objects.all():  # these runs were already in progress, so they may continue
        assert progress.accept(run, f"r{run.pk}", "running", timezone.now())
    assert allowance_of(alice).used == 6000
    assert wrong_charges() == []


def test_what_is_given_back_may_be_spent_again(as_alice: Client, alice: Member, app: App) -> None:
    set_limits(default=30)
    press(as_alice, alice, app)
    assert press(as_alice, alice, app).status_code == 422
    progress.ask_cancel(Run.objects.get(), alice, timezone.now())
    assert press(as_alice, alice, app).status_code == 302


def test_a_new_month_begins_with_the_whole_limit(as_alice: Client, alice: Member, app: App, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    set_limits(default=30)
    last = datetime(2026, 3, 31, 21, 59, tzinfo=UTC)
    with time_machine.travel(last, tick=False):
        assert press(as_alice, alice, app).status_code == 302
        assert press(as_alice, alice, app).status_code == 422
    with time_machine.travel(last + timedelta(minutes=1), tick=False):
        assert press(as_alice, alice, app).status_code == 302


def test_a_raise_ends_with_its_day(alice: Member) -> None:
    set_limits(default=10)
    now = timezone.now()
    MemberLimit.objects.create(member=alice, raised_to=5000, raised_until=timezone.localdate(now))
    assert allowance_of(alice, now).limit == 5000
    assert allowance_of(alice, now + timedelta(days=1)).limit == 1000

    MemberLimit.objects.update(raised_to=500)  # a raised limit that is lower than the usual one has no effect
    assert allowance_of(alice, now).limit == 1000
    MemberLimit.objects.update(is_unlimited=True)
    assert allowance_of(alice, now).limit is None
    assert allowance_of(alice, now).least is None


def test_none_is_none_and_zero_is_zero(as_alice: Client, alice: Member, app: App) -> None:
    use(alice, 1_000_000)
    assert press(as_alice, alice, app).status_code == 302
    MemberLimit.objects.create(member=alice, hundredths=0)
    assert press(as_alice, alice, app).status_code == 422


def test_unknown_costs_need_some_room_and_may_be_stopped(
    as_alice: Client, alice: Member, admin_member: Member, app: App
) -> None:
    App.objects.update(credits_expected=None)
    set_limits(default=10)
    assert press(as_alice, alice, app).status_code == 302
    use(alice, 10)
    words = "This needs an unknown number of credits; you have 0 of your 10 left this month."
    assert words in reason(press(as_alice, alice, app))

    use(alice, 0)
    set_limits(allows_unknown=False)
    refused = press(as_alice, alice, app)
    assert refused.status_code == 422
    assert reason(refused) == (
        "The cost of this app is unknown, so nobody can run it. To have a price set, ask an admin: Ada."
    )

    App.objects.update(price=Decimal(2))
    assert press(as_alice, alice, app).status_code == 302
