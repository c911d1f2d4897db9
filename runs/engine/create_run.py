"""Turn a press of Run into exactly one call to Lamina, made by the worker. Each form token starts one run at most.

One transaction records the press (`launch_run`). Sending the run (`submit_run`) may be repeated, delayed or
interrupted. `sent_at` is committed before the one POST that may cost credits, so we never repeat that POST without
checking.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from runs import events
from runs.audit.record import record
from runs.engine import poller_wakeups, wakeups
from runs.engine.apply_field_rules import hidden_places, ruled_answers
from runs.engine.input_summary import summarise
from runs.models import App, AppSchema, Draft, Member, Output, Preset, Run, RunInput, Upload, Verb
from runs.models.run import RunInputUpload
from runs.schema_forms.answers import Answer, Files, load_value, upload_ids
from runs.schema_forms.questions import sample_urls, shortened
from runs.sharing.links import begins_with_team
from runs.spending import charges
from runs.spending.estimates import estimate
from runs.words.fold import fold, kinds_text

TOKEN_SALT = "runs.form-token"  # noqa: S105 - a salt, not a secret
RATIO = re.compile(r"^\s*(\d{1,3})\s*[:x/]\s*(\d{1,3})\b")


class TokenSpentError(Exception):
    """Raised when this form has already started a run with other inputs."""

    def __init__(self, run: Run) -> None:
        super().__init__("the form was already used")
        self.run = run


@dataclass(frozen=True)
class LaunchRequest:
    """Everything that the form contained when Run was pressed."""

    app: App
    schema: AppSchema
    answers: Sequence[Answer]
    wanted: Sequence[int]  # indexes of the schema's outputs; empty if the app names none
    token: str
    parent: Run | None = None  # the run that this run was started from
    preset: Preset | None = None  # the preset that the form was opened with
    is_private: bool = False  # whether the form said that only the maker would see the run
    keeps_draft: bool = False  # Run was pressed elsewhere, so keep the draft of the app's form
    # Earlier results that get a new version from this run, by index of the schema's outputs.
    replaces: Mapping[int, Output] = field(default_factory=dict)


def new_form_token(member: Member) -> str:
    """Create a one-time token for a form of `member`."""
    return signing.TimestampSigner(salt=TOKEN_SALT).sign(f"{member.pk}.{secrets.token_urlsafe(12)}")


def read_form_token(token: str, max_age: timedelta | None = None) -> int | None:
    """Return the primary key of the member that the token was created for; None if the token isn't ours or is older
    than `max_age`."""
    try:
        return int(signing.TimestampSigner(salt=TOKEN_SALT).unsign(token, max_age=max_age).split(".")[0])
    except (signing.BadSignature, ValueError):
        return None


def is_unspent(member: Member, token: str) -> bool:
    """Return whether the form of `member` hasn't started a run yet. Once it has, a draft that arrives late mustn't be
    saved."""
    return read_form_token(token) == member.pk and run_of_form(member, token) is None


def run_of_form(member: Member, token: str) -> Run | None:
    """Return the run that the form of `member` has started; None if there is none."""
    return Run.objects.filter(member=member, form_token=token).first() if token else None


def is_same(run: Run, app: App, answers: Sequence[Answer], wanted: Sequence[int]) -> bool:
    """Return whether `run` was started with exactly these inputs."""
    return run.app_id == app.pk and fingerprint_of(run) == fingerprint(answers, wanted)


def launch_run(member: Member, press: LaunchRequest, now: datetime | None = None) -> Run:
    """Record the press of Run. Idempotent: the same form with the same inputs returns the same run.

    Raises `TokenSpentError` if the token was used with other inputs, `RulesRefuseError`, or `limits.LimitReached`. The
    caller must have checked the token and the answers.
    """
    now = now or timezone.now()
    press = replace(press, answers=ruled_answers(member, press.app, press.schema, press.answers))
    try:
        with transaction.atomic():
            run = _record(member, press, now)
            record(Verb.RUN_STARTED, run)
            _clear_draft(member, press)
            wakeups.queue_start(run.pk)
            transaction.on_commit(poller_wakeups.ensure_poller)
            return run
    except IntegrityError:
        first = run_of_form(member, press.token)
        if first is None:
            raise
        if is_same(first, press.app, press.answers, press.wanted):
            _clear_draft(member, press)
            return first
        raise TokenSpentError(first) from None


def _clear_draft(member: Member, press: LaunchRequest) -> None:
    if not press.keeps_draft:
        Draft.objects.current().filter(member=member, app=press.app).delete()


def fingerprint(answers: Sequence[Answer], wanted: Sequence[int]) -> str:
    """Return a hash that is the same for the same inputs. Links are compared by URL, files by content."""
    return hashlib.sha256(repr((_told(answers), sorted(wanted))).encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint_of(run: Run) -> str:
    """Return the fingerprint of the inputs of `run`."""
    return fingerprint(answers_of(run), run.wanted_outputs)


def _told(answers: Sequence[Answer]) -> list[tuple[str, str, str, Any]]:
    """Return `answers` as values that are equal for equal answers. Links are compared by URL, files by content."""
    contents = {
        upload.public_id: (upload.source_url, upload.file.sha256 if upload.file else "")
        for upload in Upload.objects.filter(public_id__in=upload_ids(answers)).select_related("file")
    }
    return [(a.name, a.key, a.id, _told_value(a, contents)) for a in answers]


def _told_value(answer: Answer, contents: Mapping[str, tuple[str, str]]) -> Any:
    if not isinstance(answer.value, Files):
        return answer.value
    given = [contents.get(upload_id) for upload_id in answer.upload_ids]
    return [(url, "") if url else (url, digest) for url, digest in filter(None, given)]


def answers_of(run: Run) -> list[Answer]:
    """Return the inputs of `run` as form answers, including hidden ones."""
    return [_answer_of(given) for given in run.inputs.all()]


def answers_for(member: Member, run: Run) -> list[Answer]:
    """Return the inputs of `run` that `member` may see, as form answers. A field that was hidden at the time may be
    visible now."""
    return [_answer_of(given) for given in run.inputs.shown_to(member)]


def _answer_of(given: RunInput) -> Answer:
    value = load_value(given.value)
    if given.type == "url":
        value = Files(tuple(link.upload.public_id for link in given.links.select_related("upload")))
    return Answer(given.name, given.key, given.parameter_id, given.type, value, given.is_default)


def _record(member: Member, press: LaunchRequest, now: datetime) -> Run:
    outputs = press.schema.asked(press.wanted)
    estimated = estimate(press.app, press.schema, press.wanted)
    run = Run.objects.create(
        member=member,
        made_by=member,
        app=press.app,
        schema=press.schema,
        app_name=press.app.name,
        form_token=press.token,
        parent=press.parent,
        preset=press.preset,
        wanted_outputs=list(press.wanted),
        outputs_total=len(outputs),
        credits_estimated=estimated.expected,
        created_at=now,
        due_at=now,
        shared_at=now if not press.is_private and begins_with_team(press.parent) else None,
        kinds=kinds_text(output["type"][:50] for output in outputs),
    )
    hidden = hidden_places(press.app, press.schema, press.answers) | _hidden_before(press)
    for position, answer in enumerate(press.answers):
        _record_input(run, position, answer, press.schema.parameters, is_hidden=position in hidden)
    if not press.app.is_listed:
        App.objects.filter(pk=press.app.pk).list_for_all()
    summarise(run)
    _record_boxes(run, press, outputs)
    if run.shared_at is not None:
        events.run_shared.send(run)
    # This comes last, because it locks the portal's total, and everyone else who presses Run then has to wait.
    charges.reserve(run, estimated, now)
    return run


def _hidden_before(press: LaunchRequest) -> set[int]:
    """Return the positions of answers that repeat hidden inputs of the run that this run was started from."""
    before = list(press.parent.inputs.filter(is_hidden=True)) if press.parent else []
    if not before:
        return set()
    secret, told = _told([_answer_of(given) for given in before]), _told(press.answers)
    return {position for position, one in enumerate(told) if one in secret}


def _record_boxes(run: Run, press: LaunchRequest, outputs: Sequence[dict[str, Any]]) -> None:
    width, height = expected_ratio(press.answers)
    boxes = [
        Output(
            run=run,
            position=position,
            schema_index=output["index"],
            label=shortened(output["label"]),
            search_text=fold(shortened(output["label"])),
            kind=output["type"][:50],
            box_width=width,
            box_height=height,
        )
        for position, output in enumerate(outputs)
    ]
    for box, output in zip(boxes, outputs, strict=True):
        if (replaced := press.replaces.get(output["index"])) is not None:
            _join_line(box, replaced)
    Output.objects.bulk_create(boxes)


def _join_line(box: Output, replaced: Output) -> None:
    """Make `box` the newest version of the result `replaced`, unless that result has been deleted.

    Lock the first version, so that two presses at the same time make versions 2 and 3.
    """
    first = Output.objects.select_for_update().filter(pk=replaced.line_id or replaced.pk).first()
    if first is not None:
        latest = Output.objects.filter(line=first).aggregate(latest=Max("number"))["latest"]
        box.line, box.number = first, (latest or first.number) + 1


def _record_input(
    run: Run, position: int, answer: Answer, parameters: list[dict[str, Any]], *, is_hidden: bool
) -> None:
    value: str | list[str] = answer.text
    if isinstance(answer.value, Files):
        value = sample_urls(parameters[position : position + 1]) if answer.is_default else []
    ids = () if answer.is_default else answer.upload_ids
    given = RunInput.objects.create(
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
    mine = Upload.objects.owned_by(run.member).order_by("pk")  # lock them, so that retention doesn't remove a file now
    uploads = mine.select_for_update(of=("self",), no_key=True).in_bulk(ids, field_name="public_id")
    RunInputUpload.objects.bulk_create(
        RunInputUpload(input=given, upload=uploads[upload_id], position=i)
        for i, upload_id in enumerate(ids)
        if upload_id in uploads
    )
    if uploads:
        mine.filter(pk__in=[upload.pk for upload in uploads.values()]).update(used_at=run.created_at)


def expected_ratio(answers: Sequence[Answer]) -> tuple[int, int]:
    """Return the expected aspect ratio of the images, from an input such as "Aspect Ratio: 16:9"; 1:1 by default."""
    for answer in answers:
        is_ratio = re.search(r"ratio|format|size|aspect", answer.name, re.IGNORECASE)
        found = RATIO.match(answer.text) if is_ratio else None
        width, height = (int(found[1]), int(found[2])) if found else (0, 0)
        if width and height and 0.1 < width / height < 10:
            return width, height
    return 1, 1
