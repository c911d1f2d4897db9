"""Time zones, identified by their names in the IANA database, such as "Europe/Berlin"."""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone
from django.utils.translation import gettext_lazy as _lazy

REGIONS = {
    "Africa": _lazy("Africa"),
    "America": _lazy("America"),
    "Antarctica": _lazy("Antarctica"),
    "Asia": _lazy("Asia"),
    "Atlantic": _lazy("Atlantic"),
    "Australia": _lazy("Australia"),
    "Europe": _lazy("Europe"),
    "Indian": _lazy("Indian Ocean"),
    "Pacific": _lazy("Pacific"),
}


@cache
def _all_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_called(name: str) -> ZoneInfo | None:
    """Return the time zone called `name`, or None if there is no such zone, for example because the name is out of
    date."""
    return ZoneInfo(name) if name in _all_zones() else None


def zone_words(at: datetime) -> str:
    """Describe the active time zone, such as "Berlin, UTC+1", with its offset at the time `at`. Zones that aren't named
    after a place are described only by their offset, such as "UTC"."""
    offset = offset_words(at)
    name = timezone.get_current_timezone_name()
    return f"{place_words(name)}, {offset}" if name.split("/")[0] in REGIONS else offset


def zone_name_words() -> str:
    """Return the name of the active time zone, such as "Berlin" or "UTC", for a column whose times may have different
    offsets."""
    name = timezone.get_current_timezone_name()
    return place_words(name) if name.split("/")[0] in REGIONS else offset_words(timezone.now())


def place_words(name: str) -> str:
    """Return the place that a time zone is named after: "Buenos Aires" for "America/Argentina/Buenos_Aires"."""
    return name.rpartition("/")[2].replace("_", " ")


def offset_words(at: datetime, zone: ZoneInfo | None = None) -> str:
    """Return the UTC offset of `zone` (by default, the active one) at the time `at`: "UTC", "UTC+1" or "UTC-3:30"."""
    away = timezone.localtime(at, zone).utcoffset()
    minutes = round(away.total_seconds() / 60) if away else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}{f':{rest:02d}' if rest else ''}" if minutes else "UTC"


def zone_choices() -> list[tuple[str, str | list[tuple[str, str]]]]:
    """Return the time zones to choose from: UTC, then all places by region with their current offsets, such as
    ("Europe/Berlin", "Berlin, UTC+1")."""
    now = timezone.now()
    places: dict[str, list[tuple[str, str]]] = {region: [] for region in REGIONS}
    for name in sorted(_all_zones()):
        region, _slash, rest = name.partition("/")
        if region in places and rest:
            words = rest.replace("/", ", ").replace("_", " ")
            places[region].append((name, f"{words}, {offset_words(now, ZoneInfo(name))}"))
    return [("UTC", "UTC"), *((str(REGIONS[region]), choices) for region, choices in places.items())]
