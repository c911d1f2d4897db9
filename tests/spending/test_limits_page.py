"""Admins set limits, alerts and prices; people are told when they're close to their limit, and can ask for more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from runs.connection.status import record_status
from runs.models import AccountReading, App, Entry, Member, MemberLimit, MonthTotal, Notice, SpendingLimits, Verb
from runs.models.spending import month_of
from runs.notices import alerts
from runs.notices.notice_text import path_of, title_of
from runs.spending import limit_settings
from runs.spending.limits import allowance_of
from tests.support.clients import HTMX, client_of
from tests.support.factories import make_app
from tests.support.page import Page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_mid_month")]
LIMITS = "/manage/spending/limits/"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def told(member: Member) -> list[str]:
    return [title_of(notice) for notice in Notice.objects.filter(member=member).order_by("pk")]


def use(member: Member | None, hundredths: int) -> None:
    MonthTotal.objects.update_or_create(member=member, month=month_of(NOW), defaults={"used": hundredths})


def test_admins_set_what_everyone_may_spend(as_admin: Client) -> None:
    page = as_admin.post(LIMITS, {"default": "100", "portal": "12,5", "day": "50", "left": "20"}, follow=True)

    assert "The limits apply from the next run." in page.text
    rules = SpendingLimits.objects.get()
    assert (rules.default_hundredths, rules.portal_hundredths) == (10_000, 1250)
    assert (rules.day_hundredths, rules.left_credits, rules.allows_unknown) == (5000, 20, False)
    entry = Entry.objects.get(verb="portal.limits-changed")
    assert entry.changes["each_person"] == [None, "100.00"]

    as_admin.post(LIMITS, {"allows_unknown": "on"})
    assert SpendingLimits.objects.get().default_hundredths is None


def test_two_first_saves_at_once_change_the_same_row() -> None:
    limit_settings.change_rules(SpendingLimits(default_hundredths=100))
    with transaction.atomic(), pytest.raises(IntegrityError):
        SpendingLimits.objects.create(pk=2, default_hundredths=200)


@pytest.mark.parametrize("amount", ["much", "-1", "1.234", "1e3", "NaN", "١٢", "9" * 5000])
def test_an_amount_that_is_none_is_said_so_and_nothing_typed_is_lost(as_admin: Client, amount: str) -> None:
    answer = as_admin.post(LIMITS, {"default": amount, "portal": "77"})

    assert answer.status_code == 422
    assert "Enter a number of credits, such as 100 or 12.5, or leave the field empty." in answer.text
    assert 'value="77"' in answer.text
    assert not SpendingLimits.objects.exists()


@time_machine.travel(NOW, tick=False)
def test_a_person_gets_their_own_limit_and_a_raise_that_ends(admin_member: Member, alice: Member) -> None:
    as_admin = client_of(admin_member)  # signed in at this time, so no password is asked for
    SpendingLimits.objects.create(pk=1, default_hundredths=5000)
    address = f"{LIMITS}{alice.public_id}/"
    assert as_admin.post(address, {"sort": "own"}).status_code == 422
    assert as_admin.post(address, {"sort": "own", "own": "100", "raised_to": "90"}).status_code == 422
    passed = {"sort": "default", "raised_to": "90", "raised_until": "2026-11-19"}
    assert "That day has passed." in as_admin.post(address, passed).text
    assert not MemberLimit.objects.exists()

    as_admin.post(address, {"sort": "own", "own": "100", "raised_to": "250", "raised_until": "2026-11-25"})

    assert [allowance_of(alice, datetime(2026, 11, day, 12, tzinfo=UTC)).limit for day in (25, 26)] == [25_000, 10_000]
    assert Entry.objects.get(verb="person.limited").changes["raised_to"] == [None, "250.00"]
    page = as_admin.get(LIMITS).text
    assert "250" in page and "raised" in page  # noqa: PT018 - one row
    as_admin.post(address, {"sort": "none"})
    assert allowance_of(alice, NOW).limit is None
    as_admin.post(address, {"sort": "default"})
    assert allowance_of(alice, NOW).limit == 5000


def test_an_app_without_an_estimate_gets_a_price(as_admin: Client) -> None:
    app, known = make_app("Reel", estimated_at=NOW), make_app("Known", estimated_at=NOW, credits_expected=3)
    page = as_admin.get(LIMITS).text
    assert app.public_id in page
    assert known.public_id not in page

    answer = as_admin.post(f"/manage/spending/prices/{app.public_id}/", {"price": "a lot"})
    assert answer.status_code == 422
    assert 'value="a lot"' in answer.text
    as_admin.post(f"/manage/spending/prices/{app.public_id}/", {"price": "7.5"})
    assert App.objects.get(pk=app.pk).price == Decimal("7.5")
    assert 'value="7.50"' in as_admin.get(LIMITS).text
    as_admin.post(f"/manage/spending/prices/{app.public_id}/", {"price": ""})
    assert App.objects.get(pk=app.pk).price is None
    assert Entry.objects.filter(verb="app.priced").count() == 2


@pytest.mark.parametrize(
    ("place", "theirs", "mine", "told"),
    [
        (
            "",
            {"default": "100", "day": "5", "allows_unknown": "on"},
            {"default": "60", "day": "5"},
            "Each person: 100; Allow apps whose cost is unknown: Yes",
        ),
        ("{person}/", {"sort": "own", "own": "50"}, {"sort": "none"}, "Monthly limit: Their own limit"),
        ("../prices/{app}/", {"price": "7.5"}, {"price": "8"}, "Ana has set the price to 7.5 since"),
        ("../prices/{app}/", {"price": ""}, {"price": "8"}, "Ana has removed the price since"),
    ],
    ids=["everyone", "person", "price", "no price"],
)
def test_the_second_of_two_admins_is_told_and_replaces_nothing_unseen(
    as_admin: Client, alice: Member, place: str, theirs: dict[str, str], mine: dict[str, str], told: str
) -> None:
    app = make_app("Reel", estimated_at=NOW, price=3)
    ana = Member.objects.create_user("ana@x.test", "a long enough password", name="Ana", role="admin")
    address = f"{LIMITS}{place.format(person=alice.public_id, app=app.public_id)}".replace("limits/../", "")
    shown = LIMITS if "prices" in address else address
    opened = seen_on(as_admin.get(shown).text, address)
    assert client_of(ana).post(address, theirs | {"seen": opened}).status_code == 302
    there = Entry.objects.count()

    refused = as_admin.post(address, mine | {"seen": opened})

    assert refused.status_code == 422
    assert told in unescape(refused.text)
    assert "Ana" in refused.text
    assert f'value="{list(mine.values())[-1]}"' in refused.text
    assert Entry.objects.count() == there
    # These values are already stored, so saving them overwrites nothing.
    assert as_admin.post(address, theirs | {"seen": opened}).status_code == 302
    again = seen_on(refused.text, address)
    assert as_admin.post(address, mine | {"seen": again}).status_code == 302


def seen_on(page: str, address: str) -> str:
    """Return the state that the page showed, as the form for `address` posts it."""
    form = next(form for form in Page(page).find("form") if form.attributes.get("action") == address)
    return next(e.attributes["value"] for e in form.find("input") if e.attributes.get("name") == "seen")


# --- Alerts -----------------------------------------------------------------------------------------------------------
@time_machine.travel(NOW, tick=False)
def test_people_are_told_once_a_month_at_80_percent_and_when_all_is_used(alice: Member, admin_member: Member) -> None:
    SpendingLimits.objects.create(pk=1, default_hundredths=10_000, portal_hundredths=100_000)
    use(alice, 7999)
    use(None, 7999)
    alerts.look()
    assert told(alice) == []

    use(alice, 8000)
    for _ in range(3):
        alerts.look()
    assert told(alice) == ["You've used 80 credits in November 2026. Your limit is 100 credits."]
    assert told(admin_member) == []

    use(alice, 10_000)
    use(None, 80_000)
    for _ in range(3):
        alerts.look()
    assert len(told(alice)) == 2
    assert sorted(told(admin_member)) == [
        "Alice has reached their limit of 100 credits for November 2026.",
        "Your team has used 800 credits in November 2026. Its limit is 1,000 credits.",
    ]
    assert {path_of(notice).partition("?")[0] for notice in Notice.objects.filter(member=alice)} == {"/me/"}
    assert Entry.objects.filter(verb="portal.alerted").count() == 3

    use(admin_member, 10_000)
    alerts.look()
    own = Notice.objects.get(member=admin_member, kind="limit")
    assert "Ask an admin" not in title_of(own)
    assert path_of(own).partition("?")[0] == f"/manage/spending/limits/{admin_member.public_id}/"

    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        MonthTotal.objects.create(member=alice, month=month_of(NOW + timedelta(days=30)), used=9000)
        alerts.look()
    assert len(told(alice)) == 3


@time_machine.travel(NOW, tick=False)
def test_admins_are_told_what_the_account_spends_in_24_hours_and_has_left(alice: Member, admin_member: Member) -> None:
    SpendingLimits.objects.create(pk=1, day_hundredths=5000, left_credits=20)
    record_status(balance=Decimal(21), balance_at=NOW)
    for hours, spent in ((30, 0), (24.5, 500), (24, 1000), (12, 3000), (1, 5999)):
        AccountReading.objects.create(at=NOW - timedelta(hours=hours), spent=spent, charged=0)
    alerts.look()
    assert told(admin_member) == []

    AccountReading.objects.create(at=NOW, spent=6000, charged=0)
    record_status(balance=Decimal(20))
    for _ in range(2):
        alerts.look()
    assert told(admin_member) == [
        "The account has spent 50 credits in the last 24 hours. The alert is set to 50 credits.",
        "The account has only 20 credits left.",
    ]
    assert told(alice) == []


# --- Asking for more --------------------------------------------------------------------------------------------------
def test_whoever_is_at_their_limit_asks_for_more_in_one_press(
    as_alice: Client, as_bob: Client, alice: Member, admin_member: Member
) -> None:
    app = make_app("Reel", credits_expected=Decimal(18), estimated_at=datetime.now(UTC))
    MemberLimit.objects.create(member=alice, hundredths=4000)
    MonthTotal.objects.create(member=alice, month=month_of(datetime.now(UTC)), used=3600)
    page = as_alice.get(app.get_absolute_url()).text
    assert "You: 4 of 40 left this month" in page
    assert "Ask for a higher limit" in page
    assert "left this month" not in as_bob.get(app.get_absolute_url()).text

    assert as_alice.post("/me/spending/ask/", headers=HTMX).text == "Your admins have been told."
    as_alice.post("/me/spending/ask/", {"back": "https://evil.test/"})

    [notice] = Notice.objects.filter(member=admin_member)
    assert "Alice has used 36 credits of 40 credits" in title_of(notice)
    assert path_of(notice).startswith(f"{LIMITS}{alice.public_id}/")
    assert "You've already asked today." in as_alice.get(app.get_absolute_url()).text
    assert "You've already asked today." in as_alice.get("/me/").text


def test_whoever_asks_reads_whether_anybody_was_told(as_alice: Client, as_admin: Client, alice: Member) -> None:
    def ask(client: Client) -> str:
        return client.post("/me/spending/ask/", headers=HTMX).text

    assert ask(as_alice) == "You have no monthly limit."
    SpendingLimits.objects.create(pk=1, default_hundredths=4000)
    assert [ask(as_alice), ask(as_alice)] == ["Your admins have been told.", "You've already asked today."]
    assert ask(as_admin) == "There's no other admin to ask."
    assert Entry.objects.filter(verb=Verb.PERSON_ASKED_FOR_MORE).count() == 1
