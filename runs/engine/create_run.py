"""Turn a press of Run into exactly one call to Lamina, made by the worker. Each form token starts at most one run.

`launch_run` applies the admin's rules to the answers; then a single transaction records that Run was pressed. Every run
goes through it, wherever its answers come from: a form, a draft, a preset or an earlier run. Sending the run
(`submit_run`) may be repeated, delayed or interrupted. `sent_at` is committed before the one POST that may cost
credits, so we never repeat that POST without first checking whether it worked.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db import IntegrityError, transaction
from django.utils import timezone

from runs import events
from runs.audit.record import record
from runs.catalog.form_rules import form_questions, locked_files
from runs.catalog.pauses import closed_words
from runs.engine import poller_wakeups, wakeups
from runs.engine.changed_by_rules import RulesRefuseError, refused_words
from runs.engine.input_summary import summarise
from runs.engine.run_inputs import hidden_before, is_same, record_inputs
from runs.engine.synced_commit import synced
from runs.models import App, AppSchema, Draft, Member, Output, Preset, Run, Verb, form_hash
from runs.schema_forms.answers import Answer
from runs.schema_forms.field_rules import RuledAnswers, apply_rules
from runs.schema_forms.questions import shortened
from runs.sharing.visibility import begins_with_team
from runs.spending import charges
from runs.spending.estimates import estimate
from runs.uploads.ownership import adopt
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
    wanted_outputs: Sequence[int]  # indexes of the requested outputs in the schema; empty if the app doesn't name any
    token: str
    parent: Run | None = None  # the run that this run was started from
    preset: Preset | None = None  # the preset that the form was opened with
    is_private: bool = False  # whether the form said that only the maker would see the run
    keeps_draft: bool = False  # the run isn't started from the app's form, so keep the form's draft
    # Earlier results that this run makes new versions of, keyed by the output's index in the schema. There are several
    # at an index if the output was a list of files.
    replaces: Mapping[int, Sequence[Output]] = field(default_factory=dict)


def new_form_token(member: Member) -> str:
    """Create a one-time token for a form shown to `member`."""
    return signing.TimestampSigner(salt=TOKEN_SALT).sign(f"{member.pk}.{secrets.token_urlsafe(12)}")


def read_form_token(token: str, max_age: timedelta | None = None) -> int | None:
    """Return the primary key of the member that the token was created for; None if the token isn't ours or is older
    than `max_age`."""
    try:
        return int(signing.TimestampSigner(salt=TOKEN_SALT).unsign(token, max_age=max_age).split(".")[0])
    except (signing.BadSignature, ValueError):
        return None


def is_unspent(member: Member, token: str) -> bool:
    """Return whether this token belongs to a form of `member` that hasn't started a run yet. Once the form has started
    one, a draft that arrives late mustn't be saved."""
    return read_form_token(token) == member.pk and run_of_form(member, token) is None


def run_of_form(member: Member, token: str) -> Run | None:
    """Return the run that `member` started from the form with this token; None if there is none."""
    return Run.objects.filter(member=member, form_token=token).first() if token else None


def launch_run(member: Member, press: LaunchRequest, now: datetime | None = None) -> Run:
    """Record that Run was pressed. Idempotent: the same form with the same inputs returns the same run.

    Raises `RulesRefuseError`, `limits.LimitReached`, or, if the token was already used with other inputs,
    `TokenSpentError`. The caller must have checked the token and the answers.
    """
    now = now or timezone.now()
    ruled = _apply_rules(member, press)
    try:
        with synced(), transaction.atomic():
            run = _record(member, press, ruled, now)
            record(Verb.RUN_STARTED, run)
            _clear_draft(member, press)
            wakeups.queue_start(run.pk)
            transaction.on_commit(poller_wakeups.wake_for_new_work)
            return run
    except IntegrityError:
        first = run_of_form(member, press.token)
        if first is None:
            raise
        if is_same(first, press.app, ruled.answers, press.wanted_outputs):
            _clear_draft(member, press)
            return first
        raise TokenSpentError(first) from None


def _apply_rules(member: Member, press: LaunchRequest) -> RuledAnswers:
    """Return what `press` sends under the admin's rules. A locked picture becomes one of the member's uploads.

    Raises `RulesRefuseError`.
    """
    if words := closed_words(press.app, member):
        raise RulesRefuseError(words)
    ruled = apply_rules(form_questions(press.app, press.schema), press.answers)
    if ruled.refused:
        raise RulesRefuseError(refused_words(ruled))
    locked = locked_files(press.app)
    for place, answer in enumerate(ruled.answers):
        files = [locked[file_id] for file_id in answer.upload_ids if file_id in locked]
        if own := [adopt(member, file, is_hidden=place in ruled.hidden).public_id for file in files]:
            ruled.answers[place] = answer.with_uploads(own)
    return ruled


def _clear_draft(member: Member, press: LaunchRequest) -> None:
    if not press.keeps_draft:
        Draft.objects.current().filter(member=member, app=press.app, form=form_hash(press.token)).delete()


def _record(member: Member, press: LaunchRequest, ruled: RuledAnswers, now: datetime) -> Run:
    outputs = press.schema.outputs_at(press.wanted_outputs)
    estimated = estimate(press.app, press.schema, press.wanted_outputs)
    run = Run.objects.create(
        member=member,
        made_by=member,
        app=press.app,
        schema=press.schema,
        app_name=press.app.name,
        form_token=press.token,
        parent=press.parent,
        preset=press.preset,
        wanted_outputs=list(press.wanted_outputs),
        outputs_total=sum(max(1, len(press.replaces.get(output["index"], ()))) for output in outputs),
        credits_estimated=estimated.expected,
        created_at=now,
        due_at=now,
        shared_at=now if not press.is_private and begins_with_team(press.parent) else None,
        kinds=kinds_text(output["type"][:50] for output in outputs),
    )
    record_inputs(run, ruled.answers, ruled.hidden | hidden_before(press.parent, ruled.answers))
    if not press.app.is_listed:
        App.objects.filter(pk=press.app.pk).list_for_all()
    summarise(run)
    _record_boxes(run, outputs, expected_ratio(ruled.answers), press.replaces)
    if run.shared_at is not None:
        events.run_shared.send(run)
    # This comes last, because it locks the portal's total, which makes everyone else who presses Run wait.
    charges.reserve(run, estimated, now)
    return run


def _record_boxes(
    run: Run, outputs: Sequence[dict[str, Any]], ratio: tuple[int, int], replaces: Mapping[int, Sequence[Output]]
) -> None:
    boxes: list[Output] = []
    for output in outputs:
        for replaced in replaces.get(output["index"]) or (None,):
            boxes.append(_box(run, output, ratio))
            boxes[-1].position = len(boxes) - 1
            if replaced is not None:
                boxes[-1].list_number = replaced.list_number
                _join_line(boxes[-1], replaced)
    Output.objects.bulk_create(boxes)


def _box(run: Run, output: dict[str, Any], ratio: tuple[int, int]) -> Output:
    return Output(
        run=run,
        schema_index=output["index"],
        label=shortened(output["label"]),
        search_text=fold(shortened(output["label"])),
        kind=output["type"][:50],
        box_width=ratio[0],
        box_height=ratio[1],
    )


def _join_line(box: Output, replaced: Output) -> None:
    """Make `box` the newest version of the result `replaced`, unless that result has been deleted.

    Locks the first version, so that pressing Run twice at the same time makes versions 2 and 3.
    """
    first = Output.objects.select_for_update().filter(pk=replaced.first_id).first()
    if first is not None:
        box.line, box.number = first, first.newest_number + 1


def expected_ratio(answers: Sequence[Answer]) -> tuple[int, int]:
    """Return the expected aspect ratio of the images, from an input such as "Aspect Ratio: 16:9"; 1:1 by default."""
    for answer in answers:
        is_ratio = re.search(r"ratio|format|size|aspect", answer.name, re.IGNORECASE)
        match = RATIO.match(answer.text) if is_ratio else None
        width, height = (int(match[1]), int(match[2])) if match else (0, 0)
        if width and height and 0.1 < width / height < 10:
            return width, height
    return 1, 1
