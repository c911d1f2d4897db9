"""The page that shows admins where the credits went, and the CSV file of all charges."""

import csv
import io
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import time_machine
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from runs.lamina.client import LaminaClient
from runs.models import AccountReading, App, Charge, Entry, Member, MonthTotal, Run, SpendingSum
from runs.models.spending import month_of
from runs.review.deciders import Reviewer
from runs.review.verdicts import decide
from runs.spending import account
from runs.spending.overview import SpendingFilters, overview
from runs.spending.period import Period
from tests.support.clients import client_of
from tests.support.factories import make_app, make_kept, make_run
from tests.support.html import flat
from tests.support.sandbox_door import SandboxDoor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_mid_month")]
CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
PAGE, SHEET = "/manage/spending/", "/manage/spending/charges.csv"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def charge(member: Member, app: App, hundredths: int, at: datetime = NOW, **fields: Any) -> Charge:
    """Create a charge the way `spending.charges` does, and update the sums."""
    made = Charge.objects.create(
        member=member,
        member_name=member.display_name,
        app=app,
        app_name=app.name,
        month=month_of(at),
        hundredths=hundredths,
        pressed_at=at,
        **({"kind": "image", "source": "lamina", "state": "kept"} | fields),
    )
    place: dict[str, Any] = {"month": made.month, "member": member, "app": app, "kind": made.kind}
    found, _ = SpendingSum.objects.get_or_create(**place)
    SpendingSum.objects.filter(pk=found.pk).update(
        hundredths=found.hundredths + hundredths,
        count=found.count + 1,
        unknown_count=found.unknown_count + made.is_unknown,
    )
    return made


def rows_of(page: str, heading: str) -> dict[str, list[str]]:
    """Return the cells of each row in the table below `heading`, keyed by row name."""
    section = page.partition(f'id="{heading}"')[2].partition("</table>")[0]
    found = {}
    for row in re.findall(r"<tr.*?</tr>", section.partition("<tbody>")[2], re.DOTALL):
        name, *cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"</t[hd]>", row)]
        found[name] = [cell for cell in cells if cell]
    return found


@pytest.fixture
def reel() -> App:
    return make_app("Reel")


@pytest.fixture
def spent(alice: Member, bob: Member, reel: App) -> None:
    desk = make_app("Oak desk")
    charge(alice, reel, 1250)
    charge(alice, desk, 3000, kind="video")
    charge(bob, desk, 550)
    charge(bob, desk, 0, source="none", is_unknown=True)
    charge(bob, reel, 100_000, NOW - timedelta(days=40))


@time_machine.travel(NOW, tick=False)
@pytest.mark.usefixtures("spent")
def test_it_shows_a_month_by_person_app_and_kind_and_a_year_by_month(
    as_admin: Client, bob: Member, reel: App, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(20):
        page = as_admin.get(PAGE).text

    assert rows_of(page, "by-person") == {"Alice": ["42.5", "2"], "Bob": ["5.5", "2"]}
    assert rows_of(page, "by-app") == {"Oak desk": ["35.5", "3"], "Reel": ["12.5", "1"]}
    assert rows_of(page, "by-kind") == {"Videos": ["30", "1"], "Images": ["18", "3"]}
    assert "48 credits" in page
    assert "1 run" in page and "Their cost is unknown" in page  # noqa: PT018 - one sentence
    assert "were added later" not in page
    assert re.search(r'<rect\s+width="100.0%"', page), "the longest bar"

    year = as_admin.get(f"{PAGE}?month=2026-11&span=12").text
    months = rows_of(year, "by-month")
    assert len(months) == 12
    assert months["October 2026"] == ["1,000", "1"]
    assert rows_of(year, "by-person")["Bob"] == ["1,005.5", "3"]

    only = as_admin.get(f"{PAGE}?span=12&by={bob.public_id}&app={reel.public_id}").text
    assert rows_of(only, "by-kind") == {"Images": ["1,000", "1"]}
    assert as_admin.get(f"{PAGE}?month=2099-99&span=x&by=nobody&app=nothing&all=x").status_code == 200


@time_machine.travel(NOW, tick=False)
def test_all_tables_have_the_same_sum_and_people_who_left_keep_their_name(
    alice: Member, bob: Member, reel: App
) -> None:
    apps = [reel, *(make_app(f"App {n}") for n in range(12))]
    for n in range(300):
        who, kind = (alice, bob)[n % 2], ("image", "video", "spatial")[n % 3]
        charge(who, apps[n % 13], 1 + n, NOW - timedelta(days=n), kind=kind)
    Member.objects.filter(pk=bob.pk).update(is_active=False)

    shown = overview(SpendingFilters(Period.parse("2026-11", "12"), whole="apps"))

    total = sum(Charge.objects.values_list("hundredths", flat=True))
    for lines in (shown.people, shown.apps, shown.kinds, shown.months):
        assert sum(line.total.hundredths for line in lines) == total == shown.total.hundredths
    assert {line.name for line in shown.people} == {"Alice", "Bob"}
    short = overview(SpendingFilters(Period.parse("2026-11", "12")))
    assert short.apps[-1].is_rest
    assert sum(line.total.hundredths for line in short.apps) == total


def test_an_approved_result_costs_what_all_attempts_did(
    as_admin: Client, alice: Member, admin_member: Member, reel: App
) -> None:
    runs = [make_run(alice, reel, status="completed", shared_at=timezone.now()) for _ in range(2)]
    for run in runs:
        make_kept(run)
        charge(alice, reel, 1000, timezone.now(), run=run)
    result, other = runs[1].outputs.all()[0], runs[0].outputs.all()[0]
    type(result).objects.filter(pk=result.pk).update(line=other, number=2)
    result.refresh_from_db()

    decide(result, "approved", "", Reviewer(member=admin_member), None)
    assert rows_of(as_admin.get(PAGE).text, "approved") == {"Reel": ["1", "20", "2"]}

    decide(result, "rejected", "Too dark", Reviewer(member=admin_member), None)
    assert "No results from this period have been approved yet." in as_admin.get(PAGE).text


# --- The account ------------------------------------------------------------------------------------------------------
def test_the_gap_to_the_account_is_named(
    as_admin: Client, alice: Member, reel: App, sandbox: SandboxDoor, lamina: LaminaClient
) -> None:
    """Runs cost 20% more than estimated. The page says so, but doesn't add the difference to anyone's spending."""
    account.read_account()
    sandbox.control("price", factor=1.2)
    expected = lamina.estimate(CARTOONIFY).expected
    assert expected is not None
    lamina.start_run(CARTOONIFY, {"Style": "Ghibli"})
    charge(alice, reel, int(expected * 100), timezone.now())

    account.read_account()

    facts = facts_of(as_admin.get(PAGE).text)
    assert f"{expected * 12 / 10:g} credits" in facts["According to the Lamina account"]
    assert "20% more than was charged here" in facts["Unaccounted for"]
    assert AccountReading.objects.count() == 2


@pytest.mark.parametrize(
    ("spent", "term", "words"),
    [
        (100_001, "Unaccounted for", "0.01 credits Up to 1% more than was charged here"),
        (100_000, "Unaccounted for", "Every credit is accounted for."),
        (99_999, "Charged here but not spent", "0.01 credits Up to 1% less than was charged here"),
        (50_000, "Charged here but not spent", "500 credits 50% less than was charged here"),
    ],
)
def test_a_gap_of_either_sign_is_named_as_what_it_is(as_admin: Client, spent: int, term: str, words: str) -> None:
    now = timezone.now()
    AccountReading.objects.create(at=now - timedelta(seconds=2), spent=0, charged=0)
    AccountReading.objects.create(at=now - timedelta(seconds=1), spent=spent, charged=100_000)
    assert words in facts_of(as_admin.get(PAGE).text)[term]


def facts_of(page: str) -> dict[str, str]:
    """Return what the page says next to each term."""
    facts = re.findall(r"<dt>\s*(.*?)\s*</dt>\s*<dd>(.*?)</dd>", page, re.DOTALL)
    return {term: " ".join(re.sub(r"<[^>]+>", " ", words).split()) for term, words in facts}


# --- For spreadsheets -------------------------------------------------------------------------------------------------
@time_machine.travel(NOW, tick=False)
def test_every_charge_is_a_row_that_opens_right_in_a_spreadsheet(
    admin_member: Member, alice: Member, reel: App
) -> None:
    odd = '=HYPERLINK("x"), "quoted"\nnext line 🦊'
    Member.objects.filter(pk=alice.pk).update(name=odd)
    alice.refresh_from_db()
    run: Run = make_run(alice, reel)
    charge(alice, reel, 1250, run=run, made=1, total=2)
    charge(alice, reel, 0, source="none", is_unknown=True, is_from_before=True, is_maker_known=False)
    charge(alice, reel, 99, NOW - timedelta(days=40))
    charge(alice, reel, 500, state="released")

    admin = client_of(admin_member)
    answer = admin.post(SHEET, {"month": "2026-11"})
    body = answer.getvalue()

    assert body.startswith(b"\xef\xbb\xbf")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="spending-2026-11.csv"'
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    assert [row["Credits (estimated)"] for row in rows] == ["12.50", "", "0.00"]
    assert rows[0]["Person"] == f"'{odd}"
    assert (rows[0]["Run"], rows[0]["Results"], rows[0]["Out of"]) == (run.public_id, "1", "2")
    assert rows[0]["Kind"] == "Images"  # the page uses the same word
    assert rows[1]["Note"].startswith("Charged to the owner later")
    assert "those that had already been permanently deleted." in flat(admin.get(PAGE).content)
    assert Entry.objects.get(verb="portal.exported").object_label == "spending-2026-11.csv"


def test_many_rows_take_no_more_memory_than_some(as_admin: Client, alice: Member, reel: App) -> None:
    first = charge(alice, reel, 100)
    columns = {field.attname: getattr(first, field.attname) for field in Charge._meta.concrete_fields[1:]}
    Charge.objects.bulk_create(Charge(**columns) for _ in range(9_999))

    answer = cast("StreamingHttpResponse", as_admin.post(SHEET, {"month": "2026-11"}))
    pieces = iter(answer)
    next(pieces)
    tracemalloc.start()
    lines = sum(piece.count(b"\r\n") for piece in pieces)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert lines == 10_001
    assert peak < 8_000_000


# --- Your own spending ------------------------------------------------------------------------------------------------
@time_machine.travel(NOW, tick=False)
@pytest.mark.usefixtures("spent")
def test_people_see_their_own_spending_and_nobody_elses(as_alice: Client, as_bob: Client, alice: Member) -> None:
    MonthTotal.objects.create(member=alice, month=month_of(NOW), used=4250)

    page = as_alice.get("/me/").text

    assert "42.5 credits used this month." in page
    assert "You have no monthly limit." in page
    assert "Bob" not in page
    assert rows_of(page, "spending-title") == {"Oak desk": ["30", "1"], "Reel": ["12.5", "1"]}
    assert "is unknown" not in page
    assert "The cost of 1 run is unknown, so it counts as 0 credits." in flat(as_bob.get("/me/").content)
    assert [as_alice.get(PAGE).status_code, as_alice.post(SHEET).status_code] == [404, 404]
