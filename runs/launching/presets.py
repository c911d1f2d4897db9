"""Presets: answers of one app's form under a name, a person's own or the team's.

A preset keeps the uploads its answers name, whatever becomes of the runs they were given for. Whoever may open it sees
their files, and gets files of their own (`uploads.ownership`), so that a team's preset works for everyone and
outlives its maker's. So only what is one's own goes into it: nobody shares somebody else's file by naming it.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format

from runs.engine.input_summary import InputLine
from runs.launching.drafts import Kept
from runs.models import App, Member, Preset, Upload
from runs.schema_forms.answers import Answer, dump_answers, load_answers, upload_ids
from runs.schema_forms.questions import shortened
from runs.uploads import ownership

NAME_LENGTH = Preset._meta.get_field("name").max_length or 100


class NameTakenError(Exception):
    """The member has a preset of that name for this app."""


def listed(member: Member, app: App) -> list[Preset]:
    """What MEMBER may open on the app's form: own ones first, then the team's."""
    found = Preset.objects.visible_to(member).filter(app=app).select_related("member")
    return sorted(found, key=lambda preset: (not preset.belongs_to(member), preset.name.casefold()))


def answers_of(preset: Preset) -> list[Answer]:
    """What is kept under its name."""
    return load_answers(preset.answers)


def save_preset(
    member: Member, app: App, name: str, answers: Sequence[Answer], wanted: Sequence[int] | None, *, is_team: bool
) -> Preset:
    """Keep ANSWERS under NAME, with files of MEMBER's own only.

    Raises NameTakenError when the member has one of that name for this app.
    """
    try:
        with transaction.atomic():
            preset = Preset.objects.create(
                app=app,
                member=member,
                name=name[:NAME_LENGTH],
                is_team=is_team,
                answers=dump_answers(ownership.only_own(member, answers)),
                wanted_outputs=None if wanted is None else list(wanted),
            )
            _keep_files(preset)
    except IntegrityError:
        raise NameTakenError(name) from None
    return preset


def update_preset(
    preset: Preset, member: Member, answers: Sequence[Answer], wanted: Sequence[int] | None, now: datetime
) -> None:
    """Let the preset hold ANSWERS from now on, with files of MEMBER's own only: its maker's, or an admin's."""
    with transaction.atomic():
        preset.answers = dump_answers(ownership.only_own(member, answers))
        preset.wanted_outputs = None if wanted is None else list(wanted)
        preset.updated_at = now
        preset.save(update_fields=["answers", "wanted_outputs", "updated_at"])
        _keep_files(preset)


def edit_preset(preset: Preset, name: str, now: datetime, *, is_team: bool) -> None:
    """Rename it, or say whose it is. Raises NameTakenError."""
    preset.name, preset.is_team, preset.updated_at = name[:NAME_LENGTH], is_team, now
    try:
        with transaction.atomic():
            preset.save(update_fields=["name", "is_team", "updated_at"])
    except IntegrityError:
        raise NameTakenError(name) from None


def set_aside(member: Member, app: App, kept: Kept, now: datetime) -> Preset | None:
    """Keep what was typed and is about to be replaced by other values, under a name that says when; None if it was
    nothing worth keeping."""
    if not any(answer.is_given for answer in kept.answers):
        return None
    name = f"Unfinished, {date_format(timezone.localtime(now), 'j M, H:i')}"
    for number in count(1):
        try:
            numbered = name if number == 1 else f"{name} ({number})"
            return save_preset(member, app, numbered, kept.answers, kept.wanted, is_team=False)
        except NameTakenError:
            continue
    raise AssertionError  # never reached: count() does not end


def _keep_files(preset: Preset) -> None:
    """Protect the uploads that are named in the answers."""
    preset.uploads.set(Upload.objects.filter(public_id__in=upload_ids(answers_of(preset))))


def answer_lines(answers: Sequence[Answer]) -> list[InputLine]:
    """ANSWERS as people read them."""
    found = Upload.objects.select_related("file").in_bulk(upload_ids(answers), field_name="public_id")
    lines = []
    for answer in answers:
        given = [found[upload_id] for upload_id in answer.upload_ids if upload_id in found]
        files = [upload.file for upload in given if upload.file is not None]
        text = shortened(answer.text) if answer.type == "options" else answer.text
        words = ", ".join(upload.name for upload in given) or answer.link or text
        lines.append(InputLine(shortened(answer.name), words, files, answer.is_default))
    return lines
