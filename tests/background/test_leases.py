"""Leases and kicks when the database's clock is set back."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from runs.background import leases
from runs.models import Lease

pytestmark = pytest.mark.django_db


def set_clock_back(by: timedelta) -> None:
    """Make all times that were taken from the database's clock lie further ahead, by as much as the clock is set
    back."""
    Lease.objects.update(until=F("until") + by, kicked_at=F("kicked_at") + by)


def test_a_released_lease_is_free() -> None:
    assert leases.acquire("poller", "one", 12)
    leases.release("poller", "one")

    set_clock_back(timedelta(hours=2))

    assert not leases.is_held("poller")
    assert leases.acquire("poller", "another", 12)


def test_work_may_be_kicked() -> None:
    assert leases.may_kick("balance")
    assert not leases.may_kick("balance")

    set_clock_back(timedelta(hours=2))

    assert leases.may_kick("balance")


def test_a_clock_that_is_a_second_ahead_changes_nothing() -> None:
    assert leases.may_kick("balance")
    Lease.objects.update(kicked_at=Now() + timedelta(seconds=1))

    assert not leases.may_kick("balance")
