"""Admins set limits, alerts and prices; people are told when they come near their limit, and ask for more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client

from runs.connection.status import record_status
from runs.models import AccountReading, App, Entry, Member, MemberLimit, MonthTotal, Notice, SpendingLimits, Verb
from runs.models.spending import limit_of, month_of
from runs.notices import alerts
from runs.notices.notice_text import path_of, title_of
from runs.spending import limit_settings
from tests.support.clients import HTMX
from tests.support.factories import make_app

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
    assert "Enter a number of credits, such as 100 or 12.5, or leave it empty." in answer.text
    assert 'value="77"' in answer.text
    assert not SpendingLimits.objects.exists()


@time_machine.travel(NOW, tick=False)
def test_a_person_gets_their_own_limit_and_a_raise_that_ends(as_admin: Client, alice: Member) -> None:
    SpendingLimits.objects.create(pk=1, default_hundredths=5000)
    address = f"{LIMITS}{alice.public_id}/"
    assert as_admin.post(address, {"sort": "own"}).status_code == 422
    assert as_admin.post(address, {"sort": "own", "own": "100", "raised_to": "90"}).status_code == 422
    passed = {"sort": "default", "raised_to": "90", "raised_until": "2026-11-19"}
    assert "That day has passed." in as_admin.post(address, passed).text
    assert not MemberLimit.objects.exists()

    as_admin.post(address, {"sort": "own", "own": "100", "raised_to": "250", "raised_until": "2026-11-25"})

    assert [limit_of(alice, datetime(2026, 11, day, tzinfo=UTC).date()) for day in (25, 26)] == [25_000, 10_000]
    assert Entry.objects.get(verb="person.limited").changes["raised_to"] == [None, "250.00"]
    page = as_admin.get(LIMITS).text
    assert "250" in page and "raised" in page  # noqa: PT018 - one row
    as_admin.post(address, {"sort": "none"})
    assert limit_of(alice, NOW.date()) is None
    as_admin.post(address, {"sort": "default"})
    assert limit_of(alice, NOW.date()) == 5000


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
    assert told(alice) == ["You've used 80 credits of your limit of 100 credits for November 2026."]
    assert told(admin_member) == []

    use(alice, 10_000)
    use(None, 80_000)
    for _ in range(3):
        alerts.look()
    assert len(told(alice)) == 2
    assert sorted(told(admin_member)) == [
        "Alice has used up their limit of 100 credits for November 2026.",
        "Your team has used 800 credits of its limit of 1,000 credits for November 2026.",
    ]
    assert {path_of(notice).partition("?")[0] for notice in Notice.objects.filter(member=alice)} == {"/me/"}
    assert Entry.objects.filter(verb="portal.alerted").count() == 3

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
