"""What an app's form opens with: the values of a run, of a preset, the draft, or nothing.

One draft is kept for each person and app, so a form that opens with other values would write over it as soon as a word
is typed. It does not: the page says what is shown and offers the other, and before the first word of the new form is
kept, the old draft is set aside as a preset.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from django.db import transaction
from django.utils import timezone

from runs.engine import create_run
from runs.launching import drafts, presets
from runs.models import App, AppSchema, Draft, Member, Preset, Run
from runs.schema_forms.answers import Answer
from runs.schema_forms.inputs import map_field_errors
from runs.uploads import ownership


@dataclass(frozen=True)
class Notice:
    """A sentence above the form, perhaps with a way to something else."""

    words: str
    url: str = ""
    label: str = ""


KEPT = "Kept from last time."
OLDER_FORM = Notice("This app's form has changed since that run. Check what is filled in.")


@dataclass
class Opening:
    """Values and sentences of a form that is being opened. SET_ASIDE is the time the page was made, when it shows
    something else than a draft that is there."""

    answers: list[Answer] = field(default_factory=list)
    wanted: list[int] | None = None
    field_errors: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    run: Run | None = None
    preset: Preset | None = None
    set_aside: str = ""
    is_private: bool = False  # the form said so as it was opened; the run it began from may be gone by now

    @property
    def source(self) -> str:
        """Public id of the run or preset it was begun from."""
        begun_from = self.run or self.preset
        return begun_from.public_id if begun_from else ""

    def saying(self, *words: str) -> Self:
        """The same with more sentences above the form."""
        self.notices += [Notice(sentence) for sentence in words]
        return self


class NoSourceError(Exception):
    """The address names a run or a preset that is not there for this member."""


def source_run(member: Member, app: App, public_id: str) -> Run | None:
    """The run a form of APP was begun from, as far as MEMBER may see it."""
    return Run.objects.visible_to(member).filter(app=app, public_id=public_id).first() if public_id else None


def source_preset(member: Member, app: App, public_id: str) -> Preset | None:
    """The preset a form of APP was opened with, as far as MEMBER may see it."""
    return Preset.objects.visible_to(member).filter(app=app, public_id=public_id).first() if public_id else None


def opening(member: Member, app: App, schema: AppSchema, query: Mapping[str, str]) -> Opening:
    """What the form of APP shows for `?from=<run>`, `?preset=<id>` or neither. Raises NoSourceError."""
    asked = query.get("from", "")[:16] or query.get("preset", "")[:16]
    draft = drafts.load_draft(member, app)
    is_draft = draft is not None and (not asked or draft.source == asked) and "fresh" not in query
    source = draft.source if draft is not None and is_draft and not asked else asked
    found = Opening(run=source_run(member, app, source))
    found.preset = None if found.run else source_preset(member, app, source)
    if asked and found.run is None and found.preset is None:
        raise NoSourceError(asked)
    if draft is not None and is_draft:
        found.answers, found.wanted = draft.answers, draft.wanted
        found.notices.append(_kept_notice(found) if asked else Notice(KEPT))
    elif found.run is not None:
        _fill_from_run(found, found.run, member, schema)
    elif found.preset is not None:
        found.answers = ownership.shown(member, presets.answers_of(found.preset))
        found.wanted = found.preset.wanted_outputs
    if draft is not None and not is_draft:
        found.set_aside = f"{timezone.now().timestamp():.6f}"
        what = "that run" if found.run else f"“{found.preset}”"
        found.notices.append(
            Notice(
                f"This is {what}. What you had typed before is kept.", app.get_absolute_url(), "Go back to what I typed"
            )
        )
    return found


def _kept_notice(found: Opening) -> Notice:
    """The draft was begun from what was asked for: it is shown, and what it was begun from is offered."""
    if found.run is not None:
        return Notice(
            KEPT, f"{found.run.app.get_absolute_url()}?from={found.run.public_id}&fresh=1", "Show the run's own values"
        )
    assert found.preset is not None  # noqa: S101 - the caller has seen that one of both is there
    return Notice(KEPT, f"{found.preset.get_absolute_url()}&fresh=1", "Show the preset as it was saved")


def _fill_from_run(found: Opening, run: Run, member: Member, schema: AppSchema) -> None:
    found.answers = ownership.shown(member, create_run.answers_of(run))
    found.wanted = run.wanted_outputs or None
    found.field_errors = map_field_errors(schema.parameters, run.field_errors)
    if run.schema_id != schema.pk:
        found.notices.append(OLDER_FORM)


def set_aside(member: Member, app: App, opened: str) -> Preset | None:
    """Keep the draft that a form opened at OPENED did not show, before it is written over; None when there is none.

    Of several posts at once the one that takes the old draft away keeps it.
    """
    try:
        opened_at = datetime.fromtimestamp(float(opened), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    draft = Draft.objects.filter(member=member, app=app, updated_at__lte=opened_at).first()
    if draft is None:
        return None
    with transaction.atomic():
        if not Draft.objects.filter(pk=draft.pk, updated_at=draft.updated_at).delete()[0]:
            return None
        return presets.set_aside(member, app, drafts.kept_in(draft), draft.updated_at)
