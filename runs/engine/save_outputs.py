"""Save results: fetch each media URL that Lamina gave us (after checking that it is safe), check the file, store it and
show it.

At most two workers do this at a time (`background.due_work`). In a new portal, the example runs' files wait while
anyone has a recent run of their own in progress. A worker renews its claim on a row while bytes arrive; if it dies, the
claim ends within a minute. Failures, including a full disk, are retried less and less often for 24 hours. After that,
the page says "Could not be saved" and shows the original link.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from runs import events
from runs.audit.record import record
from runs.background import incidents
from runs.background.due_work import CLAIM, ClaimLost, DueWork, Renewer, Slot, back_off, claim_first, unclaimed
from runs.background.queue import stop_requested
from runs.engine import apply_outputs
from runs.models import Output, OutputFile, Run, Verb
from runs.models.messages import Message
from runs.storage import deferred_thumbnails, disk, store
from runs.storage.claimed_fetch import fetch_file
from runs.storage.fetch import FetchFailed, FetchRefused, TooLargeToFetch
from runs.storage.media import Media, NotMedia
from runs.words.file_names import file_name

logger = logging.getLogger("runs.outputs")

FETCH_SECONDS = 600.0  # per file; with the window, this stays below the task's timeout
BACK_OFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600))  # the last delay repeats
GIVE_UP_AFTER = timedelta(hours=24)
A_LITTLE = timedelta(minutes=1)  # the clocks of two hosts may differ by this much
PEOPLE_FIRST = timedelta(minutes=15)  # examples stop waiting for a person's run this long after it was started

WEB_PAGE = Message("web_page_instead")
UNREADABLE = Message("unreadable_answer")
GAVE_UP = Message("not_within_a_day")


def _due_files() -> QuerySet[OutputFile]:
    is_free = unclaimed() | Q(claimed_until__gt=Now() + CLAIM + A_LITTLE)
    # Compare `due_at` with our own clock: SQLite's clock is only accurate to the millisecond, so we would miss a row
    # that has just been created.
    now = timezone.now()
    # These times were set by a clock that was ahead, and may be hours away.
    is_ahead = Q(due_at__gt=now + BACK_OFF[-1] + A_LITTLE) | Q(attempts=0, due_at__gt=now + A_LITTLE)
    return OutputFile.objects.filter(is_free, is_ahead | Q(due_at__lte=now), file=None, status=OutputFile.Status.SAVING)


def _files_to_keep() -> QuerySet[OutputFile]:
    """Return the due files. Examples' files are left out while anyone has a recent run of their own in progress."""
    is_free = ~Exists(_own_active()) & ~Exists(_own_saving())
    return _due_files().filter(Q(output__run__is_example=False) | is_free)


def is_anyone_waiting() -> bool:
    """Return whether a recent run is active, or results of any run are being saved. Examples don't count."""
    return _own_active().exists() or _own_saving().exists()


def _own_active() -> QuerySet[Run]:
    """Return people's own recent runs (not examples) that are active, except those waiting for a person's decision."""
    return Run.objects.needing_poller().exclude(is_example=True).filter(created_at__gt=timezone.now() - PEOPLE_FIRST)


def _own_saving() -> QuerySet[OutputFile]:
    """Return files of people's own runs that are being saved, except those that have failed before."""
    return OutputFile.objects.filter(
        file=None, status=OutputFile.Status.SAVING, attempts__lte=1, output__run__is_example=False
    )


def _claim_next() -> OutputFile | None:
    """Claim the file with the fewest failures; if there is a tie, claim the one that has waited longest."""
    pk = claim_first(
        _files_to_keep().order_by("attempts", "due_at", "pk"),
        _due_files(),
        "attempts",
        lambda number: {"claimed_until": Now() + CLAIM, "due_at": Now() + back_off(BACK_OFF, number)},
    )
    return OutputFile.objects.select_related("output__run").get(pk=pk) if pk else None


def fetch_again(output: Output) -> bool:
    """Try again to save files of `output` that we gave up on. Return True if there were any.

    The files' 24 hours are up, so there's only one try: if it fails, the page says so at once.
    """
    fresh = {
        "status": OutputFile.Status.SAVING,
        "due_at": Now(),
        "claimed_until": None,
        "attempts": 0,
        "error": Message(),
    }
    fresh |= {"is_refused": False}
    with transaction.atomic():
        given_up = list(output.files.filter(status=OutputFile.Status.FAILED))
        if given_up:
            output.files.filter(status=OutputFile.Status.FAILED).update(**fresh)
            apply_outputs.record_file_change(given_up[0])
            record(Verb.RESULT_FETCHED_AGAIN, output)
    if given_up:
        FILES.request()
    return bool(given_up)


def _keep(output_file: OutputFile, slot: Slot) -> None:
    """Fetch and store one claimed file, and record the outcome."""
    try:
        _fetch_and_save(output_file, slot.renewer(_still_saving(output_file)))
    except ClaimLost:
        if stop_requested():  # otherwise, another worker has claimed the file
            _still_saving(output_file).update(claimed_until=None, due_at=Now(), attempts=F("attempts") - 1)
    except FetchRefused as error:
        _give_up(output_file, error.message, is_refused=not isinstance(error, TooLargeToFetch))
    except FetchFailed as error:
        _try_later(output_file, error.message)
    except NotMedia as error:
        (_give_up if error.is_lasting else _try_later)(output_file, error.message)
    except OSError as error:
        logger.warning("result file %s could not be saved: %s", output_file.pk, error)
        _try_later(output_file, disk.disk_message(error))
    except Exception:  # an unexpected error with one file must not stop the others
        logger.exception("result file %s: unexpected error", output_file.pk)
        _try_later(output_file, UNREADABLE)


def _fetch_and_save(output_file: OutputFile, renewer: Renewer) -> None:
    with fetch_file(output_file.source_url, FETCH_SECONDS, renewer, keeps_unopened=True) as new_file:
        if new_file.media.is_web_page:
            raise FetchFailed(WEB_PAGE)  # some error pages come with status 200; the file may still arrive
        stored = store.place(new_file, result_name(output_file, new_file.media), on_chunk=renewer)
    with store.discarding_on_error(stored), transaction.atomic():
        stored.save()
        fields = {
            "status": OutputFile.Status.SAVED,
            "file": stored,
            "error": Message(),
            "due_at": None,
            "claimed_until": None,
        }
        if not _still_saving(output_file).update(**fields):
            raise ClaimLost
        apply_outputs.record_file_change(output_file)
        apply_outputs.tell_if_complete(output_file)
        if stored.picture_due_at:
            deferred_thumbnails.PICTURES.request()
        events.output_saved.send(output_file)


def _still_saving(output_file: OutputFile) -> QuerySet[OutputFile]:
    return OutputFile.objects.filter(pk=output_file.pk, status=OutputFile.Status.SAVING)


def _try_later(output_file: OutputFile, message: Message) -> None:
    """Try again later, or give up after 24 hours."""
    left = output_file.created_at + GIVE_UP_AFTER - timezone.now()
    if left <= timedelta(0):
        _give_up(output_file, message or GAVE_UP)
        return
    delay = min(back_off(BACK_OFF, output_file.attempts), left)
    fields = {"due_at": Now() + delay, "claimed_until": None, "error": message}
    with transaction.atomic():
        if _still_saving(output_file).update(**fields) and output_file.error != message:
            apply_outputs.record_file_change(output_file)


def _give_up(output_file: OutputFile, message: Message, *, is_refused: bool = False) -> None:
    """Stop trying. The page shows why saving failed and, if it is safe, the original link."""
    ended = {"status": OutputFile.Status.FAILED, "due_at": None, "claimed_until": None}
    fields = ended | {"error": message, "is_refused": is_refused}
    with transaction.atomic():
        if _still_saving(output_file).update(**fields):
            apply_outputs.record_file_change(output_file)
            apply_outputs.tell_if_complete(output_file)
            record(Verb.RESULT_GIVEN_UP, output_file.output)
            run = output_file.output.run
            values = {"run": run.public_id, "reason_message": message.to_stored()}
            incidents.record_incident("file", Message("result_not_saved", values))


def result_name(output_file: OutputFile, file_info: Media) -> str:
    """Return the current name of the file. Pages and downloads call this whenever they need the name, because it
    changes with the run's title."""
    return file_name(output_file, file_info.extension)


FILES = DueWork("keep_files", lambda: _files_to_keep().exists(), _claim_next, _keep, workers=2)
