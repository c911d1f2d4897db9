"""The inputs of a run: stored when Run is pressed, and compared. `Run.answers` reads them back, and
`schema_forms.inputs` turns them into what is sent to Lamina."""

import hashlib
from collections.abc import Container, Mapping, Sequence
from typing import Any

from runs.models import App, Run, RunInput, Upload
from runs.models.run import RunInputUpload
from runs.schema_forms.answers import Answer, Files, upload_ids
from runs.schema_forms.questions import sample_urls


def record_inputs(run: Run, answers: Sequence[Answer], hidden: Container[int]) -> None:
    """Store `answers` as the inputs of the new `run`. Answers whose position is in `hidden` are shown only to
    admins."""
    inputs = [_input(run, position, answer, is_hidden=position in hidden) for position, answer in enumerate(answers)]
    for run_input, answer in zip(RunInput.objects.bulk_create(inputs), answers, strict=True):
        if answer.upload_ids and not answer.is_default:
            _record_uploads(run_input, answer.upload_ids)


def _input(run: Run, position: int, answer: Answer, *, is_hidden: bool) -> RunInput:
    value: str | list[str] = answer.text
    if isinstance(answer.value, Files):
        value = sample_urls(run.schema.questions[position : position + 1]) if answer.is_default else []
    return RunInput(
        run=run,
        position=position,
        name=answer.name,
        key=answer.key,
        parameter_id=answer.id,
        type=answer.type[:50],
        value=value,
        is_default=answer.is_default,
        is_hidden=is_hidden,
    )


def _record_uploads(run_input: RunInput, ids: Sequence[str]) -> None:
    run = run_input.run
    mine = Upload.objects.owned_by(run.member).order_by("pk")  # lock them, so that retention can't remove a file
    uploads = mine.select_for_update(of=("self",), no_key=True).in_bulk(ids, field_name="public_id")
    RunInputUpload.objects.bulk_create(
        RunInputUpload(input=run_input, upload=uploads[upload_id], position=i)
        for i, upload_id in enumerate(ids)
        if upload_id in uploads
    )
    if uploads:
        used = mine.exclude(status=Upload.Status.FAILED).filter(pk__in=[upload.pk for upload in uploads.values()])
        used.update(used_at=run.created_at)


def hidden_before(parent: Run | None, answers: Sequence[Answer]) -> set[int]:
    """Return the positions of `answers` that repeat hidden inputs of `parent`, the run that a new run was started
    from."""
    before = parent.inputs.filter(is_hidden=True).prefetch_related("links__upload") if parent else ()
    if not before:
        return set()
    secret, values = _comparable([run_input.answer for run_input in before]), _comparable(answers)
    return {position for position, one in enumerate(values) if one in secret}


def is_same(run: Run, app: App, answers: Sequence[Answer], indexes: Sequence[int]) -> bool:
    """Return whether `run` is a run of `app` with exactly these inputs."""
    return run.app_id == app.pk and fingerprint_of(run) == fingerprint(answers, indexes)


def fingerprint(answers: Sequence[Answer], indexes: Sequence[int]) -> str:
    """Return a hash that is the same for the same inputs. Links are compared by URL, files by content."""
    return hashlib.sha256(repr((_comparable(answers), sorted(indexes))).encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint_of(run: Run) -> str:
    """Return the fingerprint of the inputs of `run`."""
    return fingerprint(run.answers, run.wanted_outputs)


def _comparable(answers: Sequence[Answer]) -> list[tuple[str, str, str, Any]]:
    """Return `answers` in a form that can be compared. Links are compared by URL, files by content."""
    contents = {
        upload.public_id: (upload.source_url, upload.file.sha256 if upload.file else "")
        for upload in Upload.objects.filter(public_id__in=upload_ids(answers)).select_related("file")
    }
    return [(a.name, a.key, a.id, _comparable_value(a, contents)) for a in answers]


def _comparable_value(answer: Answer, contents: Mapping[str, tuple[str, str]]) -> Any:
    if not isinstance(answer.value, Files):
        return answer.value
    files = [contents.get(upload_id) for upload_id in answer.upload_ids]
    return [(url, "") if url else (url, digest) for url, digest in filter(None, files)]
