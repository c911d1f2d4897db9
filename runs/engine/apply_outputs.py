"""Store Lamina's outputs as results: update the box of each output, and queue its files for saving.

The caller must lock the run's row before calling functions that read a snapshot.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from runs import events
from runs.background.queue import enqueue_long
from runs.engine.match_outputs import OUTPUTS_PER_RUN, match
from runs.lamina.errors import tells_insufficient_credits
from runs.lamina.types import RemoteOutput, RunSnapshot
from runs.models import HeldOutputs, Output, OutputFile, Run, StoredFile
from runs.models.messages import Message
from runs.schema_forms.questions import shortened
from runs.words.fold import fold, kinds_text

TEXT_LIMIT = 1_000_000  # maximum length of a text result, in characters
FILES_PER_OUTPUT = 2_000  # files of a list that is too long for one result each
SENTENCE_LENGTH = 2_000  # maximum length of Lamina's message about a failure, in characters
KEEP_SECONDS = 900  # saving a video may take a while; see engine.save_outputs


def apply_outputs(run: Run, snapshot: RunSnapshot, version: int) -> bool:
    """Update the run's boxes from `snapshot`; return True if any changed."""
    remotes = snapshot.outputs[:OUTPUTS_PER_RUN]
    changed = _apply_all(run, remotes, version, is_final=snapshot.is_final) if remotes else False
    if snapshot.is_final:
        changed |= apply_waiting(run, version, remotes)
        ending = Output.Status.CANCELLED if snapshot.state == "cancelled" else Output.Status.ERROR
        changed |= close_open_boxes(run, ending, version, snapshot.error_message)
    return changed


def _apply_all(
    run: Run, remotes: Sequence[RemoteOutput], version: int, *, is_final: bool, is_given_up: bool = False
) -> bool:
    """Fill the run's boxes from `remotes`; return True if any changed. If some of `remotes` have to wait for more
    outputs, store them all for later."""
    is_over = is_final or is_given_up
    boxes = list(run.outputs.all())
    before = {box.pk: (box.position, box.remote_id) for box in boxes}
    matches = match(run, boxes, remotes, is_final=is_final, is_given_up=is_given_up)
    named = {box.pk for box in boxes if box.pk is None or before[box.pk][1] != box.remote_id}
    for box in reversed(boxes):  # from the last one on, because no two may have the same position
        if box.pk is not None and before[box.pk] != (box.position, box.remote_id):
            Output.objects.filter(pk=box.pk).update(position=box.position, remote_id=box.remote_id)
    changed, files = False, list[OutputFile]()
    for box, remote in matches.pairs:
        changed |= _apply_one(box, remote, version, files, is_named_now=box.pk in named, is_final=is_over)
    if files:
        OutputFile.objects.bulk_create(files, ignore_conflicts=True)
        enqueue_long("keep_files", timeout_seconds=KEEP_SECONDS, is_saved=False)
    _tell_of_lists([box for box in boxes if box.pk in before], [box for box in boxes if box.pk not in before])
    _record_kinds(run, boxes)
    if not is_over and any(box.line_id for box in boxes):  # otherwise, no output has to wait
        _hold(run, [*(remotes if matches.is_waiting else []), *_held_without(run, boxes, remotes)])
    return changed


def _tell_of_lists(boxes: Sequence[Output], new: Sequence[Output]) -> None:
    """Tell listeners which of the `boxes` were for one result each, but got a list of files, so that there are `new`
    boxes. If a result's next version is in the list, the others are extra results, which concern nobody."""
    expected = Counter(box.remote_id for box in boxes)
    for box in boxes:
        others = [other for other in new if other.remote_id == box.remote_id]
        if others and expected[box.remote_id] == 1 and box.line_id is None:
            events.list_arrived.send(box, others)


def _held_without(run: Run, boxes: list[Output], remotes: Sequence[RemoteOutput]) -> list[RemoteOutput]:
    """Return the outputs that were stored for later, haven't got all their boxes yet, and are missing from
    `remotes`."""
    open_ids = {box.remote_id for box in boxes if box.line_id and box.status == Output.Status.PENDING}
    ids = {"", *({box.remote_id for box in boxes} - open_ids), *(remote.id for remote in remotes)}
    return [remote for remote in _stored_outputs(HeldOutputs.objects.filter(run=run).first()) if remote.id not in ids]


def _stored_outputs(row: HeldOutputs | None) -> list[RemoteOutput]:
    return [RemoteOutput.model_validate(data) for data in row.outputs] if row else []


def _hold(run: Run, remotes: Sequence[RemoteOutput]) -> None:
    """Store `remotes` for later, replacing any stored earlier; if `remotes` is empty, just delete the earlier ones."""
    if not remotes:
        HeldOutputs.objects.filter(run=run).delete()
        return
    data = [remote.model_dump(mode="json", by_alias=True) for remote in remotes[:OUTPUTS_PER_RUN]]
    HeldOutputs.objects.update_or_create(run=run, defaults={"outputs": data})


def apply_waiting(run: Run, version: int, final: Sequence[RemoteOutput] = ()) -> bool:
    """Turn the outputs that were stored for later into results, because the run has ended; return True if any box
    changed. Outputs that are also in `final` (Lamina's final response, if there is one) are skipped, because they have
    already been applied; the rest become results, because they were paid for."""
    row = HeldOutputs.objects.filter(run=run).first()
    if row is None:
        return False
    row.delete()
    remotes = _stored_outputs(row)
    if final:
        ids = {"", *(remote.id for remote in final)}
        remotes = [remote for remote in remotes if remote.id not in ids]
    return _apply_all(run, remotes, version, is_final=False, is_given_up=True) if remotes else False


def _record_kinds(run: Run, boxes: list[Output]) -> None:
    """Store which kinds of results the run actually produces, so that History can filter by kind."""
    kinds = kinds_text(box.kind for box in boxes)
    if kinds != run.kinds:
        Run.objects.filter(pk=run.pk).update(kinds=kinds)


def count(run: Run) -> tuple[int, int, int]:
    """Count the boxes of a run: (ready, failed, total)."""
    statuses = list(Output.objects.filter(run=run).values_list("status", flat=True))
    return statuses.count("completed"), statuses.count("error"), len(statuses)


def close_open_boxes(run: Run, status: Output.Status, version: int | None = None, error: str = "") -> bool:
    """Close the boxes that are still waiting, because no more outputs will arrive. `error` is the reason."""
    waiting = Output.objects.filter(run=run, status=Output.Status.PENDING)
    error = error[:SENTENCE_LENGTH]
    return bool(waiting.update(status=status, error=error, changed_in=run.version if version is None else version))


def _apply_one(
    box: Output,
    remote: RemoteOutput,
    version: int,
    files: list[OutputFile],
    *,
    is_named_now: bool,
    is_final: bool,
) -> bool:
    """Fill `box` from `remote`, and add the files to save to `files`; return True if the box changed."""
    before = (box.pk, box.status, box.label, box.kind, box.error)
    if box.status != Output.Status.PENDING:
        return False  # a finished result never changes
    box.label = shortened(remote.label) or box.label
    box.search_text = fold(box.label)
    if remote.type not in ("", "pending"):
        box.kind = remote.type[:50]
    urls = _take_value(box, remote, is_final=is_final)
    if before != (box.pk, box.status, box.label, box.kind, box.error):
        box.changed_in = version
    elif not is_named_now:
        return False
    if box.status == Output.Status.PENDING and remote.dimensions:
        # Only until the picture arrives: reshaping its box after that would make the page jump.
        box.box_width, box.box_height = remote.dimensions
    box.save()
    if urls:
        files += [OutputFile(output=box, position=position, source_url=url) for position, url in enumerate(urls)]
    elif box.status == Output.Status.COMPLETED:
        events.content_changed.send(box)
    return box.changed_in == version


def _take_value(box: Output, remote: RemoteOutput, *, is_final: bool) -> list[str]:
    """Set the status, text and error of `box`; return the URLs of files to save. Until the run has ended, a completed
    output without a value may still get one."""
    state = remote.state_once(is_over=is_final)
    if state == "error":
        box.status, box.error = Output.Status.ERROR, remote.error[:SENTENCE_LENGTH]
    elif state == "cancelled":
        box.status = Output.Status.CANCELLED
    elif state == "completed" and not remote.has_value:
        if is_final:
            box.status, box.error = Output.Status.ERROR, Message("nothing_came")
    elif state == "completed":
        box.status, box.raw_value = Output.Status.COMPLETED, remote.value
        box.text = _fitting(remote.text)
        return remote.urls[:FILES_PER_OUTPUT]
    return []


def _fitting(text: str) -> str:
    """Return `text`, truncated and marked with "[…]" if it is too long to store."""
    return text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}\n\n[…]"


def ending(snapshot: RunSnapshot, ready: int) -> dict[str, Any]:
    """Return the fields that record how a run ended, from people's point of view. A run with any usable result counts
    as completed."""
    whole = snapshot.error_message or next((o.error for o in snapshot.outputs if o.error), "")
    text = whole[:SENTENCE_LENGTH]
    if snapshot.state == "cancelled":
        return {"status": "cancelled"}
    if ready:  # a "failed" run with some good results is shown as partly ready
        return {"status": "completed", "failure_text": text if snapshot.state == "failed" else ""}
    cause = "nothing" if snapshot.state == "completed" else "remote"
    cause = "credits" if tells_insufficient_credits(whole) else cause
    return {"status": "failed", "failure": cause, "failure_text": text}


def record_file_change(output_file: OutputFile) -> None:
    """Mark the box and the run as changed, because a result file was saved or given up on."""
    with transaction.atomic():
        run_id = output_file.output.run_id
        Run.objects.filter(pk=run_id).update(version=F("version") + 1)
        version = Run.objects.values_list("version", flat=True).get(pk=run_id)
        Output.objects.filter(pk=output_file.output_id).update(changed_in=version)


def tell_if_complete(output_file: OutputFile) -> None:
    """Tell listeners that the result's content is complete, unless other files of the result are still being saved.

    Call this after `record_file_change`, which locks the run. Otherwise, if two files were saved at the same time, each
    call might still see the other file as unsaved.
    """
    output = output_file.output
    if not output.files.filter(status=OutputFile.Status.SAVING).exists():
        events.content_changed.send(output)


def on_file_inspected(stored: StoredFile) -> None:
    """Mark the boxes that contain this file, and their runs, as changed, because we now know more about the file."""
    for output_file in OutputFile.objects.filter(file=stored).select_related("output"):
        record_file_change(output_file)
