"""The values an app's form opens with: from a run, a preset, the draft, or none.

Each person has one draft per app, so a form opened with other values would overwrite it as soon as anything is typed.
To prevent that, the page says what is shown and offers the draft, and the old draft is set aside as a preset before the
new form is first saved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.engine import create_run
from runs.launching import drafts, presets
from runs.models import App, AppSchema, Draft, Member, Preset, Run
from runs.schema_forms.answers import Answer
from runs.schema_forms.inputs import map_field_errors
from runs.uploads import ownership
from runs.words.run_failures import field_errors_of


@dataclass(frozen=True)
class Notice:
    """A sentence above the form, with an optional link."""

    words: str
    url: str = ""
    label: str = ""


KEPT = gettext_noop("This is your draft from last time.")
OLDER_FORM = gettext_noop("This app's form has changed since that run. Check the values.")


@dataclass
class Opening:
    """Values and notices for a form that is being opened.

    If there is a draft that the form doesn't show, `set_aside` is the time when the page was made.
    """

    answers: list[Answer] = field(default_factory=list)
    wanted: list[int] | None = None
    field_errors: dict[str, str] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    run: Run | None = None
    preset: Preset | None = None
    set_aside: str = ""
    is_private: bool = False  # set when the form was opened, since its source run may be deleted by now

    @property
    def source(self) -> str:
        """Public id of the run or preset the form was opened from."""
        begun_from = self.run or self.preset
        return begun_from.public_id if begun_from else ""

    def saying(self, *words: str) -> Self:
        """Add sentences above the form and return self."""
        self.notices += [Notice(sentence) for sentence in words]
        return self


class NoSourceError(Exception):
    """The address names a run or a preset that doesn't exist for this member."""


def source_run(member: Member, app: App, public_id: str) -> Run | None:
    """Return the run that a form of `app` was opened from, if `member` may see it."""
    return Run.objects.visible_to(member).filter(app=app, public_id=public_id).first() if public_id else None


def source_preset(member: Member, app: App, public_id: str) -> Preset | None:
    """Return the preset that a form of `app` was opened from, if `member` may see it."""
    return Preset.objects.visible_to(member).filter(app=app, public_id=public_id).first() if public_id else None


def opening(member: Member, app: App, schema: AppSchema, query: Mapping[str, str]) -> Opening:
    """Return what the form of `app` shows for `?from=<run>`, `?preset=<id>` or neither. Raises `NoSourceError`."""
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
        found.notices.append(_kept_notice(found) if asked else Notice(_(KEPT)))
    elif found.run is not None:
        _fill_from_run(found, found.run, member, schema)
    elif found.preset is not None:
        found.answers = ownership.shown(member, presets.answers_of(found.preset))
        found.wanted = found.preset.wanted_outputs
    if draft is not None and not is_draft:
        found.set_aside = f"{timezone.now().timestamp():.6f}"
        if found.preset is None:
            words = _("These are the values of that run. Your draft is saved.")
        else:
            words = _("These are the values of “%(preset)s”. Your draft is saved.") % {"preset": found.preset.name}
        found.notices.append(Notice(words, app.get_absolute_url(), _("Go back to my draft")))
    return found


def _kept_notice(found: Opening) -> Notice:
    """Return the notice that a draft is shown, with a link to its run's or preset's original values."""
    if found.run is not None:
        url = f"{found.run.app.get_absolute_url()}?from={found.run.public_id}&fresh=1"
        return Notice(_(KEPT), url, _("Show the run's own values"))
    assert found.preset is not None  # noqa: S101 - the caller has checked that one of the two is set
    return Notice(_(KEPT), f"{found.preset.get_absolute_url()}&fresh=1", _("Show the preset as it was saved"))


def _fill_from_run(found: Opening, run: Run, member: Member, schema: AppSchema) -> None:
    found.answers = ownership.shown(member, create_run.answers_of(run))
    found.wanted = run.wanted_outputs or None
    found.field_errors = map_field_errors(schema.parameters, field_errors_of(run))
    if run.schema_id != schema.pk:
        found.notices.append(Notice(_(OLDER_FORM)))


def set_aside(member: Member, app: App, opened: str) -> Preset | None:
    """Save as a preset the draft that a form opened at `opened` didn't show, before the form overwrites it.

    Returns None if there is no such draft. If several posts arrive at once, the one that deletes the draft saves it.
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
