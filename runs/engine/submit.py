"""Send runs to Lamina. Only the worker does this."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.utils import timezone

from runs import catalog
from runs.background import incidents
from runs.background.due_work import ClaimLost, Slot, held_slot
from runs.background.queue import stop_requested
from runs.connection import balance
from runs.connection.lamina_api import lamina
from runs.connection.rate_limit import Priority, RateLimitWait
from runs.engine import poller_wakeups, progress, wakeups, webhooks
from runs.engine.input_summary import summarise
from runs.engine.start_claim import CLAIM, ClaimKeeper
from runs.lamina.errors import LaminaError, LaminaRateLimited, LaminaRejected, LaminaUnavailable
from runs.lamina.types import RunStarted
from runs.models import App, Run, Upload
from runs.models.messages import Message
from runs.models.run import RunInputUpload
from runs.schema_forms.inputs import is_about_names_alone, to_inputs
from runs.schema_forms.questions import Question
from runs.storage.fetch import FetchFailed, FetchRefused
from runs.uploads import asset_upload, uploads
from runs.words.lamina_errors import field_message

# Time for several starts in a row. Even if the last POST is slow, this stays below the task's timeout.
WINDOW_SECONDS = 40.0
BACK_OFF_SECONDS = (3, 5, 10, 20, 30, 60)
FILE_TRIES = 32  # about half an hour, given the pauses between tries


def submit_run(run_id: int) -> None:
    """Send this run's start, then the same app's starts that have been waiting for it, one at a time."""
    ends_at = time.monotonic() + WINDOW_SECONDS
    waiting: int | None = run_id
    while waiting is not None:
        run = Run.objects.select_related("app", "schema").get(pk=waiting)
        waiting = None
        if _submit(run) and time.monotonic() < ends_at and not stop_requested():
            waiting = _next_of(run.app)


def _submit(run: Run) -> bool:
    """Claim a start and send it. Whatever goes wrong, the sweep can take over from there.

    Returns True if the app is free for its next start.
    """
    now = timezone.now()
    if not progress.claim_start(run, now, now + CLAIM):
        return False
    try:
        with ClaimKeeper(run):
            urls = _hand_over_files(run)
            if urls is not None:
                _send(run, urls)
    except RateLimitWait as wait:
        progress.hold(run, Run.Wait.BUDGET, timezone.now() + timedelta(seconds=wait.seconds))
    except FetchFailed as failed:
        _not_taken(run, failed)
    except ClaimLost:
        progress.hold(run, Run.Wait.FILES, timezone.now())
    except FetchRefused as refused:
        progress.fail(run, "files", timezone.now(), text=refused.message)
    except LaminaError as error:
        _before_sending(run, error)
    return run.wait != Run.Wait.APP


def _next_of(app: App) -> int | None:
    """Find the oldest start of `app` that is waiting for another start, make it due and return its primary key; None if
    there is none."""
    waiting = Run.objects.active().filter(app=app, status="starting", wait=Run.Wait.APP).order_by("created_at", "pk")
    run_id = waiting.values_list("pk", flat=True).first()
    if run_id is not None:
        waiting.filter(pk=run_id).update(due_at=timezone.now())
    return run_id


def _hand_over_files(run: Run) -> dict[str, str] | None:
    """Send the files of `run`, and return their URLs on Lamina, keyed by upload id. Return None if a file makes the run
    wait or fail."""
    links = list(RunInputUpload.objects.filter(input__run=run).select_related("upload", "input"))
    if all(link.upload.asset_url for link in links):
        return {link.upload.public_id: link.upload.asset_url for link in links}
    with held_slot("hand_over", workers=2) as slot:
        if slot is None:  # two tasks are already sending files, and other starts mustn't wait for a video
            progress.hold(run, Run.Wait.FILES, timezone.now() + timedelta(seconds=2))
            return None
        return _hand_over_each(run, links, slot)


def _hand_over_each(run: Run, links: list[RunInputUpload], slot: Slot) -> dict[str, str] | None:
    urls: dict[str, str] = {}
    client = lamina(Priority.START)
    for link in links:
        upload = link.upload
        if upload.status == Upload.Status.FETCHING:
            uploads.fetch_upload(upload.pk)
            upload.refresh_from_db()
        if upload.status == Upload.Status.FETCHING:
            progress.hold(run, Run.Wait.FILES, timezone.now() + timedelta(seconds=2))
            return None
        if upload.status == Upload.Status.FAILED:
            error = {"field": link.input.name, "key": link.input.key, "message": upload.error.to_stored()}
            progress.fail(run, "files", timezone.now(), field_errors=[error])
            return None
        if upload.status == Upload.Status.REMOVED:  # removed after Run was pressed
            error = {"field": link.input.name, "key": link.input.key, "message": asset_upload.LOST.to_stored()}
            progress.fail(run, "files", timezone.now(), field_errors=[error])
            return None
        if upload.source_url and run.input_picture_id is None:
            summarise(run)
        urls[upload.public_id] = asset_upload.ensure_asset(upload, client, on_chunk=slot.renewer())
    return urls


def _not_taken(run: Run, failed: FetchFailed) -> None:
    """Retry a file that didn't reach Lamina. After about half an hour, fail the run, so that people can choose another
    file."""
    tries = run.missing_reads + 1
    if tries >= FILE_TRIES:
        progress.fail(run, "files", timezone.now(), text=failed.message)
    else:
        progress.hold(run, Run.Wait.FILES, _next_try(run), missing_reads=tries)


def _send(run: Run, urls: dict[str, str]) -> None:
    webhook = webhooks.address_for(run)
    if not progress.mark_sent(run, timezone.now(), is_alone=webhook is None):
        is_busy = progress.is_app_busy(run, is_alone=webhook is None)
        wait = timedelta(seconds=3) if is_busy else timedelta()
        if progress.hold(run, Run.Wait.APP, timezone.now() + wait) and not is_busy:
            wakeups.queue_start(run.pk)  # the other start has finished in the meantime without waking this one
        return
    try:
        started = _start(run, urls, webhook)
    except RateLimitWait as wait:
        progress.hold(run, Run.Wait.BUDGET, timezone.now() + timedelta(seconds=wait.seconds))
    except LaminaError as error:
        if not error.nothing_happened:  # even a 5xx response doesn't prove that nothing started
            progress.doubt(run, error.quote, error.request_id)
        elif isinstance(error, LaminaRejected):
            _rejected(run, error, _cause_of(error))
        else:
            _wait_for(run, error)
    else:
        if not progress.accept(run, started.run_id, started.status, timezone.now()):
            _cancel_second_start(run, started.run_id)
        poller_wakeups.wake_for_new_work()


def _start(run: Run, urls: dict[str, str], webhook: str | None) -> RunStarted:
    """Make the call that costs credits.

    If Lamina refuses the call only because it has different names for the inputs, retry once with Lamina's names.
    That's safe, because the refused call definitely didn't start anything.
    """
    labels = _wanted_labels(run)
    questions, answers = run.schema.questions, run.answers
    inputs = to_inputs(questions, answers, urls)
    try:
        return lamina().start_run(run.app.remote_id, inputs, labels, webhook)
    except LaminaRejected as error:
        by_key = to_inputs(questions, answers, urls, by_key=True)
        if by_key.keys() == inputs.keys() or not _is_about_names_alone(questions, inputs, error):
            raise
    return lamina().start_run(run.app.remote_id, by_key, labels, webhook)


def _is_about_names_alone(questions: Sequence[Question], inputs: dict[str, Any], error: LaminaRejected) -> bool:
    if not error.nothing_happened or error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
        return False
    problems = [(problem.field, problem.code) for problem in error.field_errors]
    return error.says_unknown_parameter or is_about_names_alone(questions, inputs, problems)


def _cancel_second_start(run: Run, remote_id: str) -> None:
    """Cancel a second start of a run on Lamina, because the run has already been settled.

    Does nothing if `remote_id` belongs to a run that we know: this one, or another run if Lamina gave out the same id
    twice.
    """
    if Run.objects.filter(remote_id=remote_id).exists():
        return
    try:
        lamina().cancel_run(remote_id)
        message = Message("second_start_cancelled", {"run": run.public_id})
    except (LaminaError, RateLimitWait):
        message = Message("second_start_goes_on", {"run": run.public_id, "remote": remote_id[:100]})
    incidents.record_incident("lamina", message)


def _wanted_labels(run: Run) -> list[str] | None:
    """Return the labels of the requested outputs; None means all outputs."""
    outputs = run.schema.outputs
    if not run.wanted_outputs or len(run.wanted_outputs) == len(outputs):
        return None
    labels = [o["label"] for o in outputs if o["index"] in run.wanted_outputs]
    return list(dict.fromkeys(labels))


def _before_sending(run: Run, error: LaminaError) -> None:
    """Delay the run, or fail it, after an error in a call that can't start anything, such as a request for upload
    URLs."""
    if isinstance(error, LaminaRejected):
        cause = _cause_of(error)
        _rejected(run, error, cause if cause in {"key", "credits"} else "files")  # the error isn't about the app
    else:
        _wait_for(run, error)


def _wait_for(run: Run, error: LaminaError) -> None:
    if isinstance(error, LaminaRateLimited):
        progress.hold(run, Run.Wait.RATE, timezone.now() + timedelta(seconds=error.retry_after))
    elif isinstance(error, LaminaUnavailable):
        progress.hold(run, Run.Wait.LAMINA, _next_try(run))


def _cause_of(error: LaminaRejected) -> str:
    """Return the key of `words.run_failures.FAILURES` for a refused start."""
    if error.is_key_refused:
        return "key"
    if error.is_insufficient_credits:
        return "credits"
    if error.is_not_found:
        return "gone"
    if error.is_forbidden:
        return "forbidden"
    return "inputs" if error.field_errors else "refused"


def _rejected(run: Run, error: LaminaRejected, cause: str) -> None:
    errors: list[dict[str, Any]] = [
        {"field": e.field or "", "code": e.code or "", "message": field_message(e).to_stored()}
        for e in error.field_errors
    ]
    progress.fail(run, cause, timezone.now(), text=error.quote, request_id=error.request_id or "", field_errors=errors)
    if cause in {"gone", "forbidden", "inputs"}:
        catalog.request_app_refresh(run.app, is_news=True)
    if cause == "inputs":  # Lamina may have lost a file, so the next run has to send it again
        Upload.objects.filter(inputs__run=run).update(asset_url="")
    if cause == "credits":
        balance.request_balance()


def _next_try(run: Run) -> datetime:
    seconds = BACK_OFF_SECONDS[min(run.attempts, len(BACK_OFF_SECONDS)) - 1]
    return timezone.now() + timedelta(seconds=seconds)
