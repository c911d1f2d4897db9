"""The workspace's credit balance and name."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.utils import timezone

from runs.background import leases
from runs.background.queue import enqueue
from runs.connection import status
from runs.connection.lamina_api import lamina, lamina_at_once
from runs.connection.rate_limit import RateLimitWait
from runs.lamina.client import LaminaClient
from runs.lamina.errors import LaminaError
from runs.models import LaminaStatus, Run
from runs.models.ages import is_due, is_younger

BALANCE_EVERY = timedelta(seconds=60)
EXAMPLES_TAKE = timedelta(minutes=15)
ACCOUNT_SECONDS = 3600  # how long to wait before asking for the name of the workspace again
LOOK_UP_SECONDS = 3  # how long to wait before a page may look up the balance again
AFTER_RUNS_EVERY = timedelta(seconds=10)  # one request is enough when lots of runs end one after another


def look_up() -> None:
    """Fetch the balance while a page waits, at most two seconds, because the one we know would block a run, and credits
    may have been added since. Afterwards, `lamina_status` returns the latest balance that any process has fetched.

    Does nothing else if the balance was looked up a moment ago, or if Lamina is down.
    """
    is_away = status.lamina_status().away_since is not None
    if not is_away and leases.acquire("balance_look_up", leases.new_holder(), LOOK_UP_SECONDS):
        refresh_balance(lamina_at_once())
    status.forget_status()


def refresh_balance(client: LaminaClient | None = None) -> None:
    """Fetch the remaining credits from Lamina, and the name of the workspace if it isn't known yet.

    While the examples for a new sandbox portal are being created, keep the balance we know: the sandbox charges for
    each of them and gives the credits back at the end (`management.examples`).
    """
    if are_examples_made() and status.lamina_status().balance is not None:
        return
    client = client or lamina()
    asked_at = timezone.now()  # note the time before asking, because the answer may not include runs sent after that
    try:
        usage = client.usage()
    except (LaminaError, RateLimitWait):
        return
    fields: dict[str, Any] = {"balance": usage.balance, "balance_at": asked_at, "spent": usage.spent, "spent_since": 0}
    if not status.lamina_status().workspace_name:
        fields |= _workspace_name(client)
    LaminaStatus.objects.get_or_create(pk=status.STATUS_ID)
    is_older = is_due("balance_at", asked_at, timedelta())  # if not, another worker has a newer answer
    LaminaStatus.objects.filter(is_older, pk=status.STATUS_ID).update(**fields)
    status.forget_status()


def _workspace_name(client: LaminaClient) -> dict[str, str]:
    """Fetch the name of the workspace, at most once an hour, because a workspace may have none."""
    if leases.acquire("account", leases.new_holder(), ACCOUNT_SECONDS):
        with suppress(LaminaError, RateLimitWait):
            return {"workspace_name": client.account().workspace_name}
    return {}


def are_examples_made() -> bool:
    """Return whether examples are being created right now. Finished examples are backdated, so only unfinished ones
    look recent."""
    return Run.objects.filter(is_example=True, created_at__gt=timezone.now() - EXAMPLES_TAKE).exists()


def request_balance_if_stale() -> None:
    """Request the balance if nobody has done so in the last 60 s. Until the response arrives, pages show the old
    balance."""
    current, now = status.lamina_status(), timezone.now()
    if not any(is_younger(at, now, BALANCE_EVERY) for at in (current.balance_at, current.balance_asked_at)):
        request_balance()


def request_balance() -> None:
    if leases.may_kick("balance"):
        status.record_status(balance_asked_at=timezone.now())
        enqueue("refresh_balance")


def on_run_ended(run: Run) -> None:
    """Subtract the run's estimate from the balance we know, unless Lamina has reported the balance since the run was
    sent. Then ask for the balance, in case the run cost less.

    A run is charged when it starts; failed runs may be charged too.
    """
    if not run.remote_id or run.is_example:
        return
    current, now = LaminaStatus.objects.filter(pk=status.STATUS_ID).exclude(balance=None).first(), timezone.now()
    if current is None:
        return
    if run.credits_estimated:
        status.add_spent(run.credits_estimated, sent_at=run.sent_at or run.created_at)
    if not is_younger(current.balance_asked_at, now, AFTER_RUNS_EVERY):
        request_balance()
