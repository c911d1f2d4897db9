"""The remaining credits, and the workspace's name."""

from contextlib import suppress
from typing import Any

from django.utils import timezone

from runs.lamina.errors import LaminaError
from runs.services.budget import BudgetWait
from runs.services.remote import lamina
from runs.services.upkeep import health


def refresh_balance() -> None:
    """Read the remaining credits and the workspace's name."""
    try:
        usage = lamina().usage()
    except (LaminaError, BudgetWait):
        return
    fields: dict[str, Any] = {"balance": usage.balance, "balance_at": timezone.now()}
    if not health.lamina_status().workspace_name:
        with suppress(LaminaError, BudgetWait):
            fields["workspace_name"] = lamina().account().workspace_name
    health.note_status(**fields)
