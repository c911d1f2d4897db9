"""The health page's facts: what an admin needs to see in one look, each with a verdict and, when bad, a next step."""

import shutil
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db.models import Count, Min, Sum
from django.utils import timezone

from runs.background import heartbeats
from runs.connection import rate_limit
from runs.connection.status import STATUS_ID
from runs.engine import webhooks
from runs.history import bin
from runs.models import Heartbeat, Incident, LaminaStatus, OutputFile, Run, StoredFile
from runs.storage.fetch import size_words
from runs.words.sentences import age_words, credits_words

INCIDENTS = 10
STORAGE_SECONDS = 60
LITTLE_ROOM, NO_ROOM = 3_000_000_000, 300_000_000  # bytes

# How the list of apps can fail: what happened, and what is done about it.
LIST_PROBLEMS = {
    "refused": ("refused by Lamina", "The portal retries by itself, for 200 apps and then for fewer."),
    "late": ("not sent in time", "Lamina has up to 45 s to answer; the portal retries by itself, for fewer apps."),
    "unreadable": ("could not be read", "The portal retries by itself, for fewer apps."),
}


@dataclass(frozen=True)
class Fact:
    """One line. STATE is "good", "warn" or "bad"; ADVICE says what to do when it is not good."""

    label: str
    words: str
    state: str = "good"
    advice: str = ""


@dataclass(frozen=True)
class StateCount:
    """Runs in one state and the oldest of them."""

    word: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True)
class HealthReport:
    """The whole page."""

    facts: list[Fact]
    counts: list[StateCount]
    incidents: list[Incident]


def health_report() -> HealthReport:
    """Read everything afresh; about a dozen queries."""
    now = timezone.now()
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus()
    beats = dict(Heartbeat.objects.values_list("name", "at"))
    active = Run.objects.needing_poller().count()
    facts = [
        _lamina(status, now),
        _key(status),
        _app_list(status, now),
        Fact(
            "Credits left", credits_words(status.balance) or "unknown", "good" if status.balance is not None else "warn"
        ),
        _budget(),
        _deliveries(status, now),
        *_workers(beats.get(heartbeats.ANY), now),
        _poller(beats.get("poller"), active, now),
        _files(),
        _storage(),
        _bin(),
    ]
    return HealthReport(facts, _counts(), list(Incident.objects.all()[:INCIDENTS]))


def _lamina(status: LaminaStatus, now: datetime) -> Fact:
    if status.away_since is not None:
        advice = f"Check that this server reaches {settings.LAMINA_BASE_URL}. New runs wait and start by themselves."
        return Fact("Lamina", f"not reached since {_when(status.away_since)}", "bad", advice)
    if status.answered_at is None:
        return Fact("Lamina", "not asked yet", "warn", "The worker asks within a minute of its start.")
    name = " (sandbox: nothing here is real)" if status.is_sandbox else ""
    since = f"reachable since {_when(status.reachable_since)}" if status.reachable_since else "reachable"
    return Fact("Lamina", f"{since}{name}, last answer {age_words(status.answered_at, now)}")


def _key(status: LaminaStatus) -> Fact:
    if status.key_refused_at is not None:
        advice = "Make a new key in Lamina, put it on the server as LAMINA_API_KEY and restart the portal."
        return Fact("Workspace key", f"refused since {_when(status.key_refused_at)}", "bad", advice)
    if status.answered_at is None:
        return Fact("Workspace key", "not tried yet", "warn")
    return Fact("Workspace key", f"accepted: {status.workspace_name}" if status.workspace_name else "accepted")


def _app_list(status: LaminaStatus, now: datetime) -> Fact:
    """The list of apps: its last state, and what happens if it fails."""
    if status.catalog_problem:
        since = f" since {_when(status.catalog_problem_at)}" if status.catalog_problem_at else ""
        words, advice = LIST_PROBLEMS[status.catalog_problem]
        quote = f": “{status.catalog_quote}”" if status.catalog_quote else ""
        kept = "Known apps still work." if status.catalog_at else "No apps can be shown until then."
        return Fact("App list", f"{words}{since}{quote}", "warn" if status.catalog_at else "bad", f"{kept} {advice}")
    if status.catalog_at is None:
        return Fact("App list", "not read yet", "warn", "The worker reads it within a minute of starting.")
    words = f"{status.catalog_count:,} {'app' if status.catalog_count == 1 else 'apps'}"
    if status.catalog_limit is not None and status.catalog_limit_until and now < status.catalog_limit_until:
        asked = f"{status.catalog_limit} at a time" if status.catalog_limit else "without a number"
        words += f", asked for {asked}, the most that worked"
    return Fact("App list", f"{words}, read {age_words(status.catalog_at, now)}")


def _budget() -> Fact:
    used, limit = rate_limit.used(), settings.LAMINA_REQUESTS_PER_MINUTE
    closed = rate_limit.closed_seconds()
    if closed > 0:
        return Fact("Requests in the last minute", f"{used} of {limit}, Lamina asks to wait {closed:.0f} s", "warn")
    return Fact("Requests in the last minute", f"{used} of {limit}", "good" if used < limit * 0.9 else "warn")


def _deliveries(status: LaminaStatus, now: datetime) -> Fact:
    if not webhooks.are_wanted():
        return Fact("Deliveries by Lamina", "off: the portal asks by itself")
    if status.delivered_at is None:
        advice = f"Lamina must reach {settings.PORTAL_URL} from outside. Until then the portal asks by itself."
        return Fact("Deliveries by Lamina", "none has arrived yet", "warn", advice)
    return Fact("Deliveries by Lamina", f"last one {age_words(status.delivered_at, now)}")


def _workers(at: datetime | None, now: datetime) -> list[Fact]:
    """Each cluster of the last hour: beside one that works, a silent one would go unseen."""
    if at is None:
        return [Fact("Worker", "no sign of life yet", "warn", "It shows one within a minute of its start.")]
    facts = [_worker(beat.at, now, heartbeats.words_of(beat.name)) for beat in heartbeats.clusters(now)]
    is_another_alive = now - at <= heartbeats.SILENT_AFTER and all(fact.state != "good" for fact in facts)
    return [_worker(at, now), *facts] if is_another_alive or not facts else facts


def _worker(at: datetime, now: datetime, name: str = "") -> Fact:
    who = f"{name}: " if name else ""
    if now - at > heartbeats.SILENT_AFTER:
        advice = "Start “manage.py worker” again; nothing is lost meanwhile."
        return Fact("Worker", f"{who}no sign of life since {_when(at)}", "bad", advice)
    return Fact("Worker", f"{who}alive {age_words(at, now)}")


def _poller(at: datetime | None, active: int, now: datetime) -> Fact:
    if active and (at is None or now - at > heartbeats.SILENT_AFTER):
        advice = "The worker wakes it every 30 s. If this stays, start the worker again."
        return Fact("Watching runs", "stopped although runs are active", "bad", advice)
    return Fact("Watching runs", f"last look {age_words(at, now)}" if at else "nothing to watch yet")


def _files() -> Fact:
    waiting = OutputFile.objects.filter(status=OutputFile.Status.SAVING)
    saving, failed = waiting.count(), OutputFile.objects.filter(status=OutputFile.Status.FAILED).count()
    words = f"{saving} not saved yet, {failed} could not be saved"
    trouble = waiting.exclude(error="").order_by("created_at").values_list("error", flat=True).first()
    if trouble:
        return Fact("Result files", words, "warn", f"{trouble} The portal tries again by itself for 24 hours.")
    advice = "Each of them has a button “Try to fetch again” in its result." if failed else ""
    return Fact("Result files", words, "warn" if failed else "good", advice)


def _storage() -> Fact:
    """Adding up every file takes a moment with many of them, so it is done once a minute."""
    total: dict[str, int] = cache.get_or_set("storage-used", _sum_files, STORAGE_SECONDS) or {}
    words = f"{size_words(total['bytes'] or 0)} in {total['files']:,} {'file' if total['files'] == 1 else 'files'}"
    try:
        free = shutil.disk_usage(default_storage.path("")).free
    except NotImplementedError:
        return Fact("Storage used", f"{words}, in a bucket")
    except FileNotFoundError:  # nothing was kept yet
        return Fact("Storage used", words)
    words += f", {size_words(free)} left on the disk"
    if free < LITTLE_ROOM:
        advice = "Make room: a full disk takes no results. What is on its way is tried again for 24 hours."
        return Fact("Storage used", words, "bad" if free < NO_ROOM else "warn", advice)
    return Fact("Storage used", words)


def _sum_files() -> dict[str, int]:
    return StoredFile.objects.aggregate(files=Count("pk"), bytes=Sum("size_bytes"))


def _bin() -> Fact:
    binned = Run.objects.filter(deleted_at__isnull=False).aggregate(count=Count("pk"), first=Min("deleted_at"))
    if not binned["count"]:
        return Fact("Bin", "empty")
    gone = timezone.localtime(binned["first"] + bin.KEPT_FOR)
    return Fact("Bin", f"{binned['count']} {'run' if binned['count'] == 1 else 'runs'}, the first goes on {gone:%d %B}")


def _counts() -> list[StateCount]:
    rows = Run.objects.values("status").annotate(count=Count("pk"), oldest=Min("created_at")).order_by("status")
    words = {"queued": "In progress (queued)", "running": "In progress (running)"}
    return [
        StateCount(words.get(row["status"], str(Run.Status(row["status"]).label)), row["count"], row["oldest"])
        for row in rows
    ]


def _when(at: datetime) -> str:
    local = timezone.localtime(at)
    return f"{local:%H:%M}" if local.date() == timezone.localdate() else f"{local:%d %B, %H:%M}"
