"""Presets: named answers for one app's form, private or shared with the team.

The uploads in a preset's answers are kept, whatever happens to the runs they were uploaded for. Anyone who opens the
preset sees these files, and gets copies of their own when they submit the form (`uploads.ownership`). That's why a team
preset works for everyone, even after its maker's files have been deleted. A preset may contain only files owned by the
member who saves it; otherwise, people could share somebody else's file by posting its id.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from itertools import count

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from runs.audit.record import differences, record
from runs.catalog.form_rules import locked_files
from runs.engine.input_summary import InputLine
from runs.models import App, Draft, Member, Preset, Upload, Verb, form_hash
from runs.models.reuse import PresetQuerySet
from runs.schema_forms.answers import Answer, upload_ids
from runs.schema_forms.questions import shortened
from runs.uploads import ownership
from runs.words.fold import fold
from runs.words.moments import brief_day_time_words

NAME_LENGTH = Preset._meta.get_field("name").max_length or 100


class NameTakenError(Exception):
    """The member already has a preset with that name for this app."""


def presets_for(member: Member, app: App) -> list[Preset]:
    """Return the presets of `app` that `member` can open: their own first, then the team's."""
    if not getattr(app, "has_presets", True):  # see `with_answers_of`
        return []
    presets = app.presets.visible_to(member).select_related("member")
    return sorted(presets, key=lambda preset: (not preset.belongs_to(member), fold(preset.name)))


@transaction.atomic
def save_preset(preset: Preset) -> Preset:
    """Save a new preset, keeping only files owned by its member.

    Raises `NameTakenError` if the member already has a preset with that name for this app.
    """
    _insert(preset)
    record(Verb.PRESET_SAVED, preset)
    return preset


def _insert(preset: Preset) -> None:
    preset.name = preset.name[:NAME_LENGTH]
    preset.answers = ownership.only_own(preset.member, preset.answers)
    try:
        with transaction.atomic():
            preset.save(force_insert=True)
            _keep_files(preset)
    except IntegrityError:
        raise NameTakenError(preset.name) from None


def update_preset(preset: Preset, member: Member, now: datetime) -> None:
    """Save the preset's new answers, keeping only files owned by `member` (the preset's maker or an admin)."""
    with transaction.atomic():
        preset.answers = ownership.only_own(member, preset.answers)
        preset.updated_at, preset.is_example, preset.is_set_aside = now, False, False
        preset.save(update_fields=["answers", "wanted_outputs", "updated_at", "is_example", "is_set_aside"])
        record(Verb.PRESET_CHANGED, preset)
        _keep_files(preset)


def edit_preset(preset: Preset, name: str, now: datetime, *, is_team: bool) -> None:
    """Rename `preset` and set whether it is shared with the team. Raises `NameTakenError`."""
    before = {"name": preset.name, "is_team": preset.is_team}
    preset.name, preset.is_team, preset.updated_at = name[:NAME_LENGTH], is_team, now
    preset.is_example, preset.is_set_aside = False, False
    try:
        with transaction.atomic():
            preset.save(update_fields=["name", "is_team", "updated_at", "is_example", "is_set_aside"])
            changes = differences(before, {"name": preset.name, "is_team": is_team})
            record(Verb.PRESET_CHANGED, preset, changes=changes)
    except IntegrityError:
        raise NameTakenError(name) from None


@transaction.atomic
def delete_preset(preset: Preset) -> None:
    """Delete `preset`. Runs that were started from it stay as they are."""
    record(Verb.PRESET_REMOVED, preset)
    preset.delete()


@transaction.atomic
def set_aside(member: Member, app: App, draft: Draft) -> Preset | None:
    """Before `draft` is replaced, save it as a preset named after the time of its last change; return None if it is
    empty.

    This replaces the draft that was last set aside, unless the member has edited that preset and so made it their own.
    """
    if not draft.is_begun:
        return None
    Preset.objects.filter(member=member, app=app, is_set_aside=True, form="").delete()
    return _make_dated(member, app, draft, draft.updated_at)


@transaction.atomic
def keep_apart(draft: Draft, now: datetime) -> Preset | None:
    """Save the values of an open form as a preset, because its draft was changed elsewhere in the meantime; return None
    if the form is empty. Later values of the same form replace them."""
    preset = _kept_apart(draft.member, draft.app, draft.form).first()
    if preset is None or not draft.is_begun:
        return _make_dated(draft.member, draft.app, draft, now, draft.form) if draft.is_begun else preset
    preset.answers, preset.updated_at = ownership.only_own(draft.member, draft.answers), now
    preset.wanted_outputs = draft.wanted_outputs
    preset.save(update_fields=["answers", "wanted_outputs", "updated_at"])
    _keep_files(preset)
    return preset


def forget_apart(member: Member, app: App, form_token: str) -> None:
    """Delete what `keep_apart` saved for a form, because it has become the draft or a run."""
    _kept_apart(member, app, form_hash(form_token)).delete()


def _kept_apart(member: Member, app: App, form: str) -> PresetQuerySet:
    return Preset.objects.filter(member=member, app=app, is_set_aside=True, form=form).exclude(form="")


def _make_dated(member: Member, app: App, draft: Draft, at: datetime, form: str = "") -> Preset:
    """Make a preset that is named after a time."""
    name = _("Draft from %(time)s") % {"time": brief_day_time_words(at)}
    preset = Preset(member=member, app=app, answers=draft.answers, wanted_outputs=draft.wanted_outputs, form=form)
    preset.is_set_aside = True
    for number in count(1):
        preset.name = name if number == 1 else f"{name} ({number})"
        with suppress(NameTakenError):
            _insert(preset)
            break
    return preset


def _keep_files(preset: Preset) -> None:
    """Protect the uploads in the answers from deletion."""
    preset.uploads.set(Upload.objects.filter(public_id__in=upload_ids(preset.answers)))


def answer_lines(answers: Sequence[Answer], ruled_by: App | None = None) -> list[InputLine]:
    """Return `answers` as lines for people to read, including locked pictures from the rules of the app `ruled_by`."""
    uploads = Upload.objects.select_related("file").in_bulk(upload_ids(answers), field_name="public_id")
    locked = locked_files(ruled_by) if ruled_by else {}
    lines = []
    for answer in answers:
        own_uploads = [uploads[upload_id] for upload_id in answer.upload_ids if upload_id in uploads]
        files = [upload.file for upload in own_uploads if upload.file is not None]
        names = [upload.name for upload in own_uploads]
        for stored in (locked[file_id] for file_id in answer.upload_ids if file_id in locked):
            files.append(stored)
            names.append(stored.name)
        text = shortened(answer.text) if answer.type == "options" else answer.text
        words = ", ".join(names) or answer.link or text
        lines.append(InputLine(shortened(answer.name), words, files, answer.is_default))
    return lines
