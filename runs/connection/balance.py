"""The workspace's balance and name."""

from contextlib import suppress
from typing import Any

from django.utils import timezone

from runs.connection import status
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import RateLimitWait
from runs.lamina.errors import LaminaError


def refresh_balance() -> None:
    """Fetch the remaining credits from Lamina, and the workspace's name if it isn't known yet."""
    try:
        usage = lamina().usage()
    except (LaminaError, RateLimitWait):
        return
    fields: dict[str, Any] = {"balance": usage.balance, "balance_at": timezone.now()}
    if not status.lamina_status().workspace_name:
        with suppress(LaminaError, RateLimitWait):
            fields["workspace_name"] = lamina().account().workspace_name
    status.record_status(**fields)
