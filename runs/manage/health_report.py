"""The Health page: what an admin needs to know at a glance. Each fact has a state and, if something is wrong, a next
step."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db.models import Count, Max, Sum
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from runs.background import cluster_names, heartbeats
from runs.catalog.app_list import LIMITED
from runs.catalog.requests import QUIET_LIST_EVERY
from runs.connection import rate_limit
from runs.connection.status import STATUS_ID
from runs.engine import stream_refusals, webhooks
from runs.engine.stream_refusals import REFUSED_FOR
from runs.history import bin
from runs.manage.state_counts import StateCount, state_counts
from runs.models import (
    App,
    Heartbeat,
    Incident,
    LaminaStatus,
    OutputFile,
    Run,
    RunCount,
    StorageUse,
    StoredFile,
)
from runs.models.ages import is_younger
from runs.storage.disk import LITTLE_ROOM, NO_ROOM
from runs.words.credits import short_balance_words
from runs.words.markup import filled_in, moment_html
from runs.words.messages import say
from runs.words.moments import brief_day_words, short_time_words
from runs.words.numbers import number_words
from runs.words.sizes import size_words
from runs.words.time_spans import age_words
from runs.words.workers import worker_words

INCIDENTS = 10
LIST_AT_MOST = QUIET_LIST_EVERY + timedelta(hours=1)  # an older list is out of date, even if nobody was here
UNKNOWN_APPS = 50  # list unknown fields for at most this many apps
STORAGE_SECONDS = 60
MANY_FILES = 20_000  # if there are more files, the page shows the worker's daily count
MANY_IN_BIN = 1_000  # if the bin holds more runs, they aren't counted exactly

# The ways loading the app list can fail, and what the portal does about each. Translated where they are used.
LIST_PROBLEMS = {
    "refused": (
        gettext_noop("refused by Lamina since %(when)s"),
        gettext_noop("The portal retries automatically, first with 200 apps, then with fewer."),
    ),
    "late": (
        gettext_noop("timing out since %(when)s"),
        gettext_noop("Lamina has up to 45 s to respond; the portal retries automatically, with fewer apps."),
    ),
    "unreadable": (
        gettext_noop("unreadable since %(when)s"),
        gettext_noop("The portal retries automatically, with fewer apps."),
    ),
    "limited": (
        gettext_noop("held back by the request limit since %(when)s"),
        gettext_noop("More important requests come first; the portal retries automatically."),
    ),
    "apps": (
        gettext_noop("requests for some apps refused since %(when)s"),
        gettext_noop(
            "Lamina or a proxy refused requests for several apps in a row. Until one succeeds, no more apps will be "
            "marked as gone. The portal retries automatically."
        ),
    ),
}

# What happens if the list is old or missing for a reason that another line gives.
RETRIES = gettext_noop("The portal retries automatically. If no other line says why it fails, restart the worker.")

# Why runs aren't followed live.
REFUSALS = {
    "forbidden": gettext_noop("Lamina doesn't allow live updates with this workspace key."),
    "missing": gettext_noop("Lamina doesn't offer live updates, but responds to other requests for the same run."),
    "broken": gettext_noop(
        "Three times in a row, no usable live updates arrived, but Lamina responds to other requests for the same run."
    ),
}


@dataclass(frozen=True)
class Fact:
    """One line of the page. `state` is "good", "warn" or "bad"; `advice` gives details or says what to do. `words` and
    `advice` may be HTML."""

    label: str
    words: str
    state: str = "good"
    advice: str = ""


@dataclass(frozen=True)
class UnknownField:
    """A field of a type the portal doesn't know, and when the portal first saw it."""

    app: App
    label: str
    type: str
    since: datetime


@dataclass(frozen=True)
class HealthReport:
    """Everything on the Health page."""

    facts: list[Fact]
    counts: list[StateCount]
    unknown_fields: list[UnknownField]
    incidents: list[Incident]
    counted_at: datetime | None  # when runs that have ended were counted; None means just now


def health_report() -> HealthReport:
    """Return the current state. Makes about a dozen queries."""
    now = timezone.now()
    status = LaminaStatus.objects.filter(pk=STATUS_ID).first() or LaminaStatus()
    beats = dict(Heartbeat.objects.values_list("name", "at"))
    active, run_counts = Run.objects.needing_poller().count(), RunCount.objects.if_many()
    facts = [
        _lamina(status, now),
        _key(status),
        _app_list(status, now),
        _credits(status),
        _budget(),
        _deliveries(status, now),
        *_workers(beats.get(cluster_names.ANY), now),
        _poller(beats.get("poller"), active, now),
        _live(status, now),
        _files(),
        _storage(),
        _bin(),
    ]
    return HealthReport(
        facts,
        state_counts(run_counts),
        _unknown_fields(),
        list(Incident.objects.all()[:INCIDENTS]),
        run_counts[0].counted_at if run_counts else None,
    )


def _when(at: datetime) -> SafeString:
    return moment_html(at, short_time_words(at))


def _lamina(status: LaminaStatus, now: datetime) -> Fact:
    label = "Lamina"
    if status.away_since is not None:
        away = filled_in(_("unreachable since %(when)s"), when=_when(status.away_since))
        advice = _("Check that this server can reach %(url)s. New runs wait until it can, then start.")
        return Fact(label, away, "bad", advice % {"url": settings.LAMINA_BASE_URL})
    if status.answered_at is None:
        return Fact(label, _("not contacted yet"), "warn", _("The worker contacts Lamina within a minute of starting."))
    age = age_words(status.answered_at, now)
    if status.reachable_since:
        words = _("reachable since %(when)s, last response %(age)s")
        words = filled_in(words, when=_when(status.reachable_since), age=age)
    else:
        words = _("reachable, last response %(age)s") % {"age": age}
    return Fact(label, words, advice=_("This is the sandbox: nothing here is real.") if status.is_sandbox else "")


def _key(status: LaminaStatus) -> Fact:
    label = _("Workspace key")
    if status.key_refused_at is not None:
        words = filled_in(_("refused since %(when)s"), when=_when(status.key_refused_at))
        advice = _("Create a new key in Lamina, set it on the server as LAMINA_API_KEY and restart the portal.")
        return Fact(label, words, "bad", advice)
    if status.answered_at is None:
        return Fact(label, _("not tried yet"), "warn")
    if status.workspace_name:
        return Fact(label, _("accepted: %(workspace)s") % {"workspace": status.workspace_name})
    return Fact(label, _("accepted"))


def _app_list(status: LaminaStatus, now: datetime) -> Fact:
    """Return the state of the app list and, if loading it failed, what happens next."""
    label = _("App list")
    is_fresh = is_younger(status.catalog_at, now, LIST_AT_MOST)
    if status.catalog_problem and not (is_fresh and status.catalog_problem == LIMITED):
        words, retries = LIST_PROBLEMS[status.catalog_problem]
        quote = _("Lamina says: “%(quote)s”.") % {"quote": status.catalog_quote} if status.catalog_quote else ""
        still = _("Apps loaded earlier still work.") if status.catalog_at else _("No apps can be shown yet.")
        advice = " ".join(filter(None, [quote, still, _(retries)]))
        words = filled_in(_(words), when=_when(status.catalog_problem_at or now))
        return Fact(label, words, "warn" if status.catalog_at else "bad", advice)
    if status.catalog_at is None:
        advice = _("The worker loads the list within a minute of starting.")
        if status.away_since or status.key_refused_at:
            advice = _(RETRIES)
        return Fact(label, _("not loaded yet"), "warn", advice)
    words = ngettext("%(count)s app, loaded %(age)s", "%(count)s apps, loaded %(age)s", status.catalog_count)
    words %= {"count": number_words(status.catalog_count), "age": age_words(status.catalog_at, now)}
    if not is_fresh:
        return Fact(label, words, "warn", _(RETRIES))
    if status.catalog_count == 0:
        still = _("Apps loaded earlier still work.") if App.objects.listed().exists() else ""
        advice = _("Lamina sent an empty list. Check that the key belongs to the right workspace.")
        return Fact(label, words, "warn", f"{advice} {still}".strip())
    return Fact(label, words, advice=_app_list_limit(status, now))


def _app_list_limit(status: LaminaStatus, now: datetime) -> str:
    """Return a sentence saying how many apps the portal requests at a time; "" if Lamina sends all of them."""
    if status.catalog_limit is None or not status.catalog_limit_until or now >= status.catalog_limit_until:
        return ""
    if not status.catalog_limit:
        return _("Requested without a limit because every limit we tried failed.")
    return _("Requested %(count)s apps at a time, the most that worked.") % {
        "count": number_words(status.catalog_limit)
    }


def _credits(status: LaminaStatus) -> Fact:
    if status.balance is None:
        return Fact(_("Credits left"), _("unknown"), "warn")
    return Fact(_("Credits left"), short_balance_words(status))


def _budget() -> Fact:
    label, used, limit = _("Requests in the last minute"), rate_limit.used(), settings.LAMINA_REQUESTS_PER_MINUTE
    closed = rate_limit.closed_seconds()
    values = {"used": number_words(used), "limit": number_words(limit), "seconds": f"{closed:.0f}"}
    if closed > 0:
        return Fact(label, _("%(used)s of %(limit)s; Lamina has asked us to wait %(seconds)s s") % values, "warn")
    return Fact(label, _("%(used)s of %(limit)s") % values, "good" if used < limit * 0.9 else "warn")


def _deliveries(status: LaminaStatus, now: datetime) -> Fact:
    label = _("Webhooks from Lamina")
    if not webhooks.are_wanted():
        return Fact(label, _("off; the portal polls instead"))
    if status.delivered_at is None:
        advice = _("Lamina must be able to reach %(url)s from outside. Until then, the portal polls instead.")
        return Fact(label, _("none have arrived yet"), "warn", advice % {"url": settings.PORTAL_URL})
    return Fact(label, _("last one %(age)s") % {"age": age_words(status.delivered_at, now)})


def _workers(at: datetime | None, now: datetime) -> list[Fact]:
    """Return a line for each cluster seen in the last hour: with a single line, a working cluster would hide one that
    has gone silent."""
    if at is None:
        advice = _("The worker reports within a minute of starting.")
        return [Fact(_("Worker"), _("no report yet"), "warn", advice)]
    facts = [_worker(beat.at, now, worker_words(beat.name)) for beat in heartbeats.clusters(now)]
    is_another_alive = now - at <= heartbeats.SILENT_AFTER and all(fact.state != "good" for fact in facts)
    return [_worker(at, now), *facts] if is_another_alive or not facts else facts


def _worker(at: datetime, now: datetime, name: str = "") -> Fact:
    """Return the state of one cluster, or of all clusters combined if `name` is empty."""
    label, values = _("Worker"), {"name": name, "age": age_words(at, now)}
    if now - at > heartbeats.SILENT_AFTER:
        words = _("%(name)s: no report since %(when)s") if name else _("no report since %(when)s")
        words = filled_in(words, name=name, when=_when(at))
        return Fact(label, words, "bad", _("Start “manage.py worker” again; nothing is lost in the meantime."))
    return Fact(label, (_("%(name)s: last report %(age)s") if name else _("last report %(age)s")) % values)


def _poller(at: datetime | None, active: int, now: datetime) -> Fact:
    label = _("Watching runs")
    if active and (at is None or now - at > heartbeats.SILENT_AFTER):
        advice = _("The worker should resume watching within 30 s. If it doesn't, restart the worker.")
        return Fact(label, _("stopped even though runs are active"), "bad", advice)
    return Fact(label, _("last poll %(age)s") % {"age": age_words(at, now)} if at else _("nothing to watch yet"))


def _live(status: LaminaStatus, now: datetime) -> Fact:
    """Return whether runs are followed live and, if not, how they are followed instead, and why."""
    label = _("Live run updates")
    if settings.LAMINA_STREAMS == 0:
        return Fact(label, _("off; the portal reads Lamina's run list instead"))
    if (since := stream_refusals.refused_since(status, now)) is not None:
        refused = filled_in(_("refused since %(when)s; the portal reads Lamina's run list instead"), when=_when(since))
        again = filled_in(_("The portal will try again on %(when)s."), when=_when(since + REFUSED_FOR))
        return Fact(label, refused, "warn", format_html("{} {}", _(REFUSALS[status.streams_refusal]), again))
    if webhooks.are_arriving(now):
        return Fact(label, _("on, for runs that someone has open; Lamina reports the others by webhook"))
    limit = settings.LAMINA_STREAMS
    words = ngettext("on, for %(count)s run at a time", "on, for up to %(count)s runs at a time", limit)
    return Fact(label, words % {"count": number_words(limit)})


def _files() -> Fact:
    label, waiting = _("Result files"), OutputFile.objects.filter(file=None, status=OutputFile.Status.SAVING)
    saving, failed = waiting.count(), OutputFile.objects.filter(file=None, status=OutputFile.Status.FAILED).count()
    words = _("%(saving)s not saved yet, %(failed)s could not be saved")
    words %= {"saving": number_words(saving), "failed": number_words(failed)}
    trouble = waiting.exclude(error="").order_by("created_at").values_list("error", flat=True).first()
    if trouble:
        advice = _("The portal keeps trying for 24 hours.")
        return Fact(label, words, "warn", f"{say(trouble)} {advice}")
    if failed:
        return Fact(label, words, "warn", _("To retry a file, open its result and press “Try to fetch again”."))
    return Fact(label, words)


def _storage() -> Fact:
    """Return how much space files take up and, if they are on a disk, how much is left."""
    label, used = _("Storage used"), _used()
    values = {"size": size_words(used.size_bytes), "count": number_words(used.files)}
    words = ngettext("%(size)s in %(count)s file", "%(size)s in %(count)s files", used.files) % values
    try:
        free = shutil.disk_usage(default_storage.path("")).free
    except NotImplementedError:
        return Fact(label, _("%(files)s, in a bucket") % {"files": words}, advice=used.note)
    except FileNotFoundError:  # nothing has been saved yet
        return Fact(label, words)
    words = _("%(files)s, %(free)s left on the disk") % {"files": words, "free": size_words(free)}
    if free < LITTLE_ROOM:
        advice = _(
            "Free up some space: results can't be saved while the disk is full. "
            "The portal will keep trying for 24 hours."
        )
        return Fact(label, words, "bad" if free < NO_ROOM else "warn", advice)
    return Fact(label, words, advice=used.note)


@dataclass(frozen=True)
class _Used:
    """How much space files take up. `note` says when the files were counted, unless that was just now."""

    files: int
    size_bytes: int
    note: str = ""


def _used() -> _Used:
    """Return the worker's last count. If there are only a few files, return their current total instead, which is
    computed at most once a minute."""
    sums = StorageUse.objects.aggregate(number=Sum("files"), size=Sum("size_bytes"), at=Max("counted_at"))
    if (sums["number"] or 0) >= MANY_FILES:
        note = _(
            "Counted once a day (last count: %(counted)s). Previews aren't included; they take up a little more space."
        )
        return _Used(sums["number"], sums["size"], filled_in(note, counted=_when(sums["at"])))
    total: dict[str, int] = cache.get_or_set("storage-used", _sum_files, STORAGE_SECONDS) or {}
    return _Used(total["files"], total["bytes"] or 0)


def _sum_files() -> dict[str, int]:
    return StoredFile.objects.aggregate(files=Count("pk"), bytes=Sum("size_bytes"))


def _bin() -> Fact:
    binned = Run.objects.filter(deleted_at__isnull=False).order_by("deleted_at")
    moments = binned.values_list("deleted_at", flat=True)[: MANY_IN_BIN + 1]
    dates = [at for at in moments if at is not None]
    if not dates:
        return Fact(_("Bin"), _("empty"))
    if len(dates) > MANY_IN_BIN:
        words = _("more than %(count)s runs, the first to be permanently deleted on %(day)s")
    else:
        words = ngettext(
            "%(count)s run, to be permanently deleted on %(day)s",
            "%(count)s runs, the first to be permanently deleted on %(day)s",
            len(dates),
        )
    goes_at = dates[0] + bin.KEPT_FOR
    count, day = number_words(min(len(dates), MANY_IN_BIN)), moment_html(goes_at, brief_day_words(goes_at))
    return Fact(_("Bin"), filled_in(words, count=count, day=day))


def _unknown_fields() -> list[UnknownField]:
    """Return the unknown fields of the listed apps, in catalogue order."""
    apps = App.objects.listed().exclude(unknown_fields=[]).only("public_id", "name", "unknown_fields")
    return [
        UnknownField(app, field["label"], field["type"], datetime.fromisoformat(field["since"]))
        for app in apps[:UNKNOWN_APPS]
        for field in app.unknown_fields
    ]
