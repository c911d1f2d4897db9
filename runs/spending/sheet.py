"""Every charge in a period as rows of a spreadsheet, oldest first."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from runs.models import Charge
from runs.spending.overview import KINDS, SpendingFilters
from runs.words.credits import to_credits

ROWS_AT_ONCE = 2_000
# A charge's month was worked out when Run was pressed; the portal's time zone may have changed since then
ZONES = timedelta(days=2)
COLUMNS = (
    *("pk", "pressed_at", "member_name", "app_name", "kind", "hundredths", "source", "made", "total", "state"),
    *("is_from_before", "is_maker_known", "approved", "run__public_id"),
)


def sheet(filters: SpendingFilters) -> Iterator[list[str]]:
    """Yield the headings and a row for each charge. Reads charges in batches, so that even a million take little
    memory."""
    yield [
        _("Time (%(zone)s)") % {"zone": filters.period.zone_words},
        _("Person"),
        _("App"),
        pgettext("of results", "Kind"),
        _("Credits (estimated)"),
        _("Estimate from"),
        _("Results"),
        _("Out of"),
        _("Approved"),
        _("State"),
        _("Note"),
        _("Run"),
    ]
    for row in _rows(filters):
        yield _cells(row)


def _rows(filters: SpendingFilters) -> Iterator[dict[str, Any]]:
    """Yield charges in the order that Run was pressed. Each batch starts where the previous one ended."""
    period = filters.period
    inside = Charge.objects.filter(
        month__gte=period.first,
        month__lte=period.month,
        pressed_at__gte=period.starts_at - ZONES,
        pressed_at__lt=period.ends_at + ZONES,
    )
    if filters.person is not None:
        inside = inside.filter(member=filters.person)
    if filters.app is not None:
        inside = inside.filter(app=filters.app)
    ordered, beyond = inside.order_by("pressed_at", "pk").values(*COLUMNS), Q()
    while slice_ := list(ordered.filter(beyond)[:ROWS_AT_ONCE]):
        yield from slice_
        last = slice_[-1]
        same = Q(pressed_at=last["pressed_at"], pk__gt=last["pk"])
        beyond = Q(pressed_at__gte=last["pressed_at"]) & (Q(pressed_at__gt=last["pressed_at"]) | same)


def _cells(row: dict[str, Any]) -> list[str]:
    at = timezone.localtime(row["pressed_at"], timezone.get_default_timezone())
    return [
        f"{at:%Y-%m-%d %H:%M:%S}",
        row["member_name"],
        row["app_name"],
        str(KINDS.get(row["kind"], row["kind"])),
        _credits(row),
        _sources()[row["source"]],
        str(row["made"]),
        str(row["total"]),
        str(row["approved"]),
        _states()[row["state"]],
        _note(row),
        row["run__public_id"] or _("deleted"),
    ]


def _credits(row: dict[str, Any]) -> str:
    """Return the amount that counts towards the total on the page, so that the column adds up to it; empty if
    unknown."""
    if row["state"] == Charge.State.RELEASED:
        return "0.00"
    return "" if row["source"] == Charge.Source.NONE else f"{to_credits(row['hundredths']):.2f}"


def _sources() -> dict[str, str]:
    Source = Charge.Source
    return {Source.LAMINA: "Lamina", Source.ADMIN: _("an admin"), Source.NONE: _("unknown")}


def _states() -> dict[str, str]:
    State = Charge.State
    return {
        State.RESERVED: pgettext("state of a charge", "Reserved"),
        State.KEPT: pgettext("state of a charge", "Counted"),
        State.RELEASED: pgettext("state of a charge", "Not counted: nothing was started"),
    }


def _note(row: dict[str, Any]) -> str:
    if not row["is_from_before"]:
        return ""
    if row["is_maker_known"]:
        return _("Charged afterwards")
    return _("Charged to the owner later because we don't know who pressed Run")
