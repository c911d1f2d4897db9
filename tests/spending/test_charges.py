"""Each press of Run is charged: credits are reserved immediately, kept once Lamina has started the run, and given back
if it is certain that Lamina hasn't."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pytest
import time_machine
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.connection.status import record_status
from runs.engine import progress
from runs.history import bin
from runs.models import App, Charge, Member, MonthTotal, Run, SpendingSum
from runs.spending import charges
from runs.spending.estimates import CostEstimate
from tests.support.app_forms import fields, token_in
from tests.support.app_forms import press as run_again
from tests.support.charges import wrong_charges, wrong_sums
from tests.support.factories import PROMPT, STYLE, make_app, make_run
from tests.support.page import Page

if TYPE_CHECKING:
    from django.http import StreamingHttpResponse

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_mid_month")]
OUTPUTS = [{"index": n, "label": label, "type": "image"} for n, label in enumerate(("Front", "Back", "Side"))]


@pytest.fixture
def app() -> App:
    costs: dict[str, Any] = {"credits_expected": Decimal(12), "estimated_at": timezone.now()}
    return make_app(parameters=[STYLE, PROMPT], outputs=OUTPUTS, **costs)


def press(client: Client, member: Member, app: App, **more: Any) -> Run:
    answer = client.post(app.get_absolute_url(), fields(app, member, **{"outputs": ["0", "1", "2"]} | more))
    assert answer.status_code == 302, answer.text
    return Run.objects.get(public_id=answer.headers["Location"].split("/")[-2])


def charge_of(run: Run) -> Charge:
    return Charge.objects.get(run=run)


def money_on_page(client: Client, run: Run) -> str:
    return Page(client.get(run.get_absolute_url()).text).first(css="run-money").words


def used(member: Member | None) -> int:
    return sum(MonthTotal.objects.filter(member=member).values_list("used", flat=True))


def test_a_press_is_charged_to_whoever_pressed(as_alice: Client, alice: Member, app: App) -> None:
    run = press(as_alice, alice, app)

    charge = charge_of(run)
    assert (charge.hundredths, charge.state, charge.source) == (1200, "reserved", "lamina")
    assert (charge.member, charge.member_name, charge.app_name, charge.kind) == (alice, "Alice", app.name, "image")
    assert (used(alice), used(None)) == (1200, 1200)
    assert wrong_charges() == []


def test_a_part_is_charged_its_share_rounded_once(as_alice: Client, alice: Member, app: App) -> None:
    App.objects.update(credits_expected=Decimal("0.05"))

    run = press(as_alice, alice, app, outputs=["2"])

    charge = charge_of(run)
    assert (charge.made, charge.total, charge.hundredths) == (1, 3, 2)  # 1.67 hundredths, rounded
    assert (
        CostEstimate(Decimal("0.05"), None, 1, 2).hundredths == 3
    )  # 2.5 is rounded up, not to the nearest even number
    assert run.credits_estimated == Decimal("0.02")
    assert CostEstimate(Decimal(-5), None, 1, 2).hundredths == CostEstimate(Decimal(-5), None, 2, 2).hundredths == 0


@pytest.mark.parametrize("cost", [Decimal("82.5"), None])
def test_an_example_is_charged_in_the_month_it_is_dated_back_to(
    as_alice: Client, as_admin: Client, alice: Member, app: App, cost: Decimal | None
) -> None:
    with time_machine.travel(datetime(2026, 12, 2, 9, tzinfo=UTC), tick=False):
        press(as_alice, alice, app)
        App.objects.update(credits_expected=cost)
        charges.date_back(press(as_alice, alice, app), datetime(2026, 11, 30, 9, tzinfo=UTC))
        pages = [Page(as_admin.get(f"/manage/spending/?month={month}").text) for month in ("2026-11", "2026-12")]

    assert wrong_charges() == []
    assert [page.first(css="spend-facts").words.split("credits")[0] for page in pages] == [
        f"Estimated {'0' if cost is None else '82.5'} ",
        "Estimated 12 ",
    ]
    columns = [column.words for column in pages[0].find(css="spend-amount")]
    assert columns[-2:] == ["0" if cost is None else "82.5", "12"]  # the chart says the same as the sum below it
    assert "(time zone: UTC)" in pages[0].words


def test_the_same_form_twice_is_charged_once(as_alice: Client, alice: Member, app: App) -> None:
    form = fields(app, alice)
    for _ in range(2):
        as_alice.post(app.get_absolute_url(), form)
    assert Charge.objects.get().hundredths == used(alice) == 800


def test_run_again_and_retry_are_charged_like_any_press(as_alice: Client, alice: Member, app: App) -> None:
    run = press(as_alice, alice, app)
    Run.objects.update(status="completed", finished_at=timezone.now(), remote_id="r", outputs_failed=1)
    run.outputs.filter(position=0).update(status="error")
    run.outputs.exclude(position=0).update(status="completed")

    run_again(as_alice, run)
    page = as_alice.get(run.get_absolute_url()).text
    token = token_in(page.partition("/retry-failed/")[2])
    as_alice.post(f"/runs/{run.public_id}/retry-failed/", {"token": token})

    assert sorted(Charge.objects.values_list("hundredths", flat=True)) == [400, 1200, 1200]
    assert used(alice) == 2800
    assert wrong_sums() == []


def test_what_lamina_started_is_kept_whatever_the_end(as_alice: Client, alice: Member, app: App) -> None:
    run = press(as_alice, alice, app)
    for _ in range(2):
        progress.accept(run, "r1", "running", timezone.now())
    assert charge_of(run).state == "kept"
    assert SpendingSum.objects.get().reserved == 0

    progress.fail(run, "lost", timezone.now(), from_statuses=("queued", "running"))

    assert charge_of(run).state == "kept"
    assert used(alice) == 1200
    assert wrong_charges() == []


@pytest.mark.parametrize("end", ["refused", "cancelled"])
def test_what_certainly_did_not_start_is_given_back_once(as_alice: Client, alice: Member, app: App, end: str) -> None:
    run = press(as_alice, alice, app)

    for _ in range(2):
        if end == "refused":
            progress.fail(run, "refused", timezone.now())
        else:
            progress.ask_cancel(run, alice, timezone.now())
        charges.release(run)

    assert charge_of(run).state == "released"
    assert (used(alice), used(None), SpendingSum.objects.get().count) == (0, 0, 0)
    assert money_on_page(as_alice, run) == "Nothing was charged: Lamina never started this run."
    assert wrong_charges() == []


def test_the_total_that_everyone_waits_for_is_locked_last(alice: Member, app: App) -> None:
    run = make_run(alice, app)
    changes: dict[str, Callable[[], object]] = {
        "reserve": lambda: charges.reserve(run, CostEstimate(Decimal(12), None, 3, 3), timezone.now()),
        "release": lambda: charges.release(run),
    }
    for what, change in changes.items():
        with CaptureQueriesContext(connection) as queries:
            change()
        told = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
        tables = [sql.split('"')[1] for sql in told]
        assert tables[-1] == "runs_monthtotal", what
        assert "runs_spendingsum" not in tables[tables.index("runs_monthtotal") :], what


def test_a_doubtful_start_keeps_its_charge(as_alice: Client, alice: Member, app: App) -> None:
    run = press(as_alice, alice, app)
    progress.doubt(run)
    assert charge_of(run).state == "reserved"

    progress.ask_person(run, ["r1", "r2"])
    as_alice.post(f"/runs/{run.public_id}/leave/")

    run.refresh_from_db()
    assert (run.status, charge_of(run).state, used(alice)) == ("failed", "kept", 1200)
    assert wrong_charges() == []


def test_a_start_that_was_not_found_and_sent_again_is_charged_once(as_alice: Client, alice: Member, app: App) -> None:
    run = press(as_alice, alice, app)
    progress.doubt(run)
    progress.start_again(run, timezone.now())
    progress.accept(run, "r1", "queued", timezone.now())
    assert Charge.objects.get().hundredths == used(alice) == 1200
    assert wrong_charges() == []


@pytest.mark.parametrize("end", ["refused", "cancelled"])
def test_a_start_that_was_sent_again_stays_charged(as_alice: Client, alice: Member, app: App, end: str) -> None:
    """The check didn't find the first attempt, but Lamina may have started it after the check."""
    run = press(as_alice, alice, app)
    progress.doubt(run)
    progress.start_again(run, timezone.now(), empty_looks=2)
    if end == "refused":
        progress.fail(run, "refused", timezone.now())
    else:
        told = Page(as_alice.post(f"/runs/{run.public_id}/cancel/", follow=True).text).first(css="notice").words
        assert told == "The run was cancelled. An earlier attempt to start it may have cost credits."

    assert (charge_of(run).state, used(alice)) == ("kept", 1200)
    assert money_on_page(as_alice, run) == "This run may have cost about 12 credits."
    page = Page(as_alice.get(run.get_absolute_url()).text)
    assert page.first(id="run-cost").words.startswith("At most about 12 credits")
    assert "Never started" not in page.words
    assert wrong_charges() == []


def test_a_start_that_a_person_sends_again_stays_charged(as_alice: Client, alice: Member, app: App) -> None:
    """Lamina may have started the first attempt, even if it refuses the second one."""
    run = press(as_alice, alice, app)
    progress.doubt(run)
    progress.ask_person(run, ["r1", "r2"])

    as_alice.post(f"/runs/{run.public_id}/start-again/")
    run.refresh_from_db()
    assert run.status == "starting"
    progress.fail(run, "refused", timezone.now())

    assert (charge_of(run).state, used(alice)) == ("kept", 1200)
    assert money_on_page(as_alice, run) == "This run may have cost about 12 credits."
    assert wrong_charges() == []


def test_the_charge_outlives_its_run(as_alice: Client, alice: Member, app: App) -> None:
    run = press(as_alice, alice, app)
    progress.accept(run, "r1", "running", timezone.now())
    Run.objects.update(status="completed", finished_at=timezone.now())
    bin.move_to_bin(Run.objects.filter(pk=run.pk), alice, timezone.now())

    assert bin.delete_for_good(Run.objects.get())

    assert (Charge.objects.get().run, Charge.objects.get().app_name) == (None, app.name)
    assert wrong_charges() == []


def test_an_app_without_an_estimate_counts_as_unknown_until_an_admin_gives_a_price(
    as_alice: Client, alice: Member, app: App
) -> None:
    App.objects.update(credits_expected=None)
    assert charge_of(press(as_alice, alice, app)).is_unknown
    assert (used(alice), SpendingSum.objects.get().unknown_count) == (0, 1)

    App.objects.update(price=Decimal("7.50"))
    page = as_alice.get(app.get_absolute_url()).text
    assert "about 7.5 credits" in page.lower()
    assert "A price set by an admin" in page
    charge = charge_of(press(as_alice, alice, app, outputs=["0"]))

    assert (charge.hundredths, charge.source, charge.is_unknown) == (250, "admin", False)
    assert wrong_charges() == []


@pytest.mark.parametrize(
    ("zone", "pressed", "month"),
    [
        ("UTC", datetime(2026, 1, 31, 23, 59, tzinfo=UTC), date(2026, 1, 1)),
        ("Europe/Berlin", datetime(2026, 1, 31, 23, 1, tzinfo=UTC), date(2026, 2, 1)),
        ("America/New_York", datetime(2026, 2, 1, 4, 59, tzinfo=UTC), date(2026, 1, 1)),
    ],
)
def test_the_month_is_that_of_the_press_in_the_portals_zone(
    as_alice: Client, alice: Member, app: App, settings: Any, zone: str, pressed: datetime, month: date
) -> None:
    settings.TIME_ZONE = zone
    Member.objects.update(time_zone="Asia/Tokyo")
    record_status()
    with time_machine.travel(pressed, tick=False):
        run = press(as_alice, alice, app)
    with time_machine.travel(pressed.replace(month=2, day=2), tick=False):
        progress.accept(run, "r1", "running", timezone.now())

    assert charge_of(run).month == month
    assert list(MonthTotal.objects.values_list("month", flat=True)) == [month, month]
    assert wrong_charges() == []


def test_ten_thousand_hundredths_are_a_hundred(as_admin: Client, alice: Member, app: App) -> None:
    """S4. SQLite would sum decimals as floats: adding 0.01 a thousand times gives 9.999999999999831.

    Only a thousand of the ten thousand charges are reserved one by one, because on PostgreSQL, each change to the same
    row in a transaction takes longer than the one before.
    """
    run, cent, now = make_run(alice, app), CostEstimate(Decimal("0.01"), None, 3, 3), timezone.now()
    for _ in range(1_000):
        charges.reserve(run, cent, now)
        Charge.objects.filter(run=run).update(run=None)
    assert SpendingSum.objects.get().hundredths == used(alice) == used(None) == 1_000
    assert wrong_sums() == []

    columns = Charge.objects.values(*(field.attname for field in Charge._meta.concrete_fields[1:]))[0]
    Charge.objects.bulk_create([Charge(**columns) for _ in range(9_000)])
    assert Charge.objects.aggregate(sum=Sum("hundredths"))["sum"] == 10_000
    rows = csv.DictReader(io.StringIO(sheet_of(as_admin), newline=""))
    assert sum(Decimal(row["Credits (estimated)"]) for row in rows) == Decimal("100.00")


def sheet_of(admin: Client) -> str:
    answer = admin.post("/manage/spending/charges.csv")
    return cast("StreamingHttpResponse", answer).getvalue().decode("utf-8-sig")
