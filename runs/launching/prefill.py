"""What an app's form is filled with when it opens: the values of a run, a preset or the draft, or nothing.

Each person has one draft per app, so a form opened with other values would overwrite the draft as soon as anything is
typed. To prevent that, the page says where its values come from and offers the draft, and the old draft is set aside as
a preset before the new form is first saved.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from django.db import transaction
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.catalog.form_rules import form_questions
from runs.engine import create_run
from runs.launching import drafts, next_version, presets
from runs.models import App, AppSchema, Draft, Member, Output, Preset, Run
from runs.schema_forms.answers import Answer
from runs.schema_forms.field_rules import open_answers
from runs.schema_forms.inputs import map_field_errors
from runs.uploads import ownership
from runs.words.run_failures import field_errors_of


@dataclass(frozen=True)
class FormNote:
    """A sentence above the form, with an optional link."""

    words: str
    url: str = ""
    label: str = ""


ADDED = "added"  # in the URL of an app that a search has just added
RESET = "reset"  # in the URL of a form that has just been cleared
FROM_LAST_TIME = gettext_noop("This is your draft from last time.")
JUST_RUN = gettext_noop("Your run has started, so this form is empty again.")
JUST_RUN_AS_OPENED = gettext_noop("Your run has started. The form now shows the values it was opened with.")
JUST_RUN_FOR = timedelta(minutes=3)
OLDER_FORM = gettext_noop("This app's form has changed since that run. Check the values.")


@dataclass
class Opening:
    """Values and notices for a form that is being opened.

    `seen` is the stamp of the draft that the form knows of. If the form doesn't show that draft, `is_aside` is set. If
    the draft was changed elsewhere, so that the form couldn't be saved, `newer` is that draft, and `apart` is the
    preset that has the values of the form instead.
    """

    answers: list[Answer] = field(default_factory=list)
    wanted_outputs: list[int] | None = None
    field_errors: dict[str, str] = field(default_factory=dict)
    notices: list[FormNote] = field(default_factory=list)
    run: Run | None = None  # the parent of the run that the form starts
    result: Output | None = None  # the result of `run` that the form makes the next version of
    preset: Preset | None = None
    filled_from: Run | None = None  # usually `run`, but after going back to a form, the run that it started
    seen: str = ""
    is_aside: bool = False
    is_saved: bool = False  # the draft has the posted values
    newer: Draft | None = None
    apart: Preset | None = None
    token: str = ""  # the token that the form was posted with, if it can still start a run
    is_forgotten: bool = False  # the app was run recently, so browsers mustn't restore its form
    is_private: bool = False  # recorded when the form was opened, because the source run may have been deleted since

    @property
    def source(self) -> str:
        """Public id of the result, preset or run the form was opened from."""
        begun_from = self.result or self.preset or self.run
        return begun_from.public_id if begun_from else ""

    @property
    def runs(self) -> list[Run]:
        """The runs the form was opened from."""
        return [run for run in {self.run, self.filled_from} if run is not None]

    def saying(self, *words: str) -> Self:
        """Return this opening after adding sentences to show above the form."""
        self.notices += [FormNote(sentence) for sentence in words]
        return self


class NoSourceError(Exception):
    """The URL names a run or a preset that doesn't exist for this member."""


def source_run(member: Member, app: App, public_id: str) -> Run | None:
    """Return the run that a form of `app` was opened from, if `member` may see it."""
    return Run.objects.visible_to(member).filter(app=app, public_id=public_id).first() if public_id else None


def source_preset(member: Member, app: App, public_id: str) -> Preset | None:
    """Return the preset that a form of `app` was opened from, if `member` may see it."""
    return Preset.objects.visible_to(member).filter(app=app, public_id=public_id).first() if public_id else None


def opening(
    member: Member, app: App, schema: AppSchema, query: Mapping[str, str], latest: Run | None = None
) -> Opening:
    """Return what to fill `app`'s form with for `?next=<result>`, `?preset=<id>`, `?from=<run>` or none of these.

    If several are given, the run's values are used. `app` was fetched `with_answers_of` the member. `latest` is the
    run of `app` that the member started last. Raises `NoSourceError` if none of them exists any more.
    """
    sources = [public_id for name in ("next", "preset", "from") if (public_id := query.get(name, "")[:16])]
    draft: Draft | None = getattr(app, "draft", None)
    stamp = draft.stamp if draft is not None else ""
    is_draft = draft is not None and (not sources or draft.source in sources) and "fresh" not in query
    if draft is not None and not is_draft and not draft.is_begun:
        draft = None  # the draft contains nothing to go back to
    opened = _opened_from(member, app, [draft.source] if draft is not None and is_draft and not sources else sources)
    if sources and not opened.source:
        raise NoSourceError(*sources)
    opened.seen = stamp
    if draft is not None and is_draft:
        opened.answers, opened.wanted_outputs = draft.answers, draft.wanted_outputs
        words = _draft_words(draft, app, schema, query.get("added", ""))
        is_reset = RESET in query and drafts.dropped_draft(member, app.public_id) is not None
        if sources:
            opened.notices.append(_kept_notice(app, opened, words))
        elif draft.is_begun and not is_reset:  # after a reset, the page says that instead
            opened.notices.append(FormNote(words))
    elif opened.filled_from is not None:
        _fill_from_run(opened, opened.filled_from, member, schema)
    elif opened.preset is not None:
        opened.answers = ownership.visible_answers(member, opened.preset.answers)
        opened.wanted_outputs = opened.preset.wanted_outputs
    if draft is not None and not is_draft:
        opened.is_aside = True
        words = _("These are the values from that run. Your draft is saved.")
        if opened.filled_from is None and opened.preset is not None:
            words = _("These are the values from “%(preset)s”. Your draft is saved.") % {"preset": opened.preset.name}
        opened.notices.append(FormNote(words, app.get_absolute_url(), _("Go back to my draft")))
    if draft is None and latest is not None:
        opened.is_forgotten = True  # because browsers would restore only part of it
        _offer_last_run(opened, member, app, latest)
    return opened


def _opened_from(member: Member, app: App, sources: Iterable[str]) -> Opening:
    """Return an opening from whichever of `sources` (public ids of a result, a preset and a run) `member` may see."""
    opened = Opening()
    for source in sources:
        if (result := next_version.source_result(member, app, source)) is not None:
            opened.result, opened.run, opened.filled_from = result, result.run, result.run
        elif (run := source_run(member, app, source)) is not None:
            opened.run, opened.filled_from = opened.run or run, run
        else:
            opened.preset = opened.preset or source_preset(member, app, source)
    return opened


def _offer_last_run(opened: Opening, member: Member, app: App, run: Run) -> None:
    """If someone returns to the form within minutes of pressing Run, in the same session, say why the form is empty or
    unchanged, and offer the inputs of that `run`."""
    if run.created_at < max(member.last_login or run.created_at, timezone.now() - JUST_RUN_FOR):
        return
    if opened.result is not None and next_version.is_of_others(run, opened.result):
        return  # this form is another one
    is_filled = opened.run is not None or opened.preset is not None
    is_as_opened = (opened.run, opened.preset) == (run.parent, run.preset) and opened.filled_from != run
    if not is_filled or is_as_opened:
        words = JUST_RUN_AS_OPENED if is_filled else JUST_RUN
        url = again_url(member, app, run, next_version.replaced_result(member, run) or opened.result)
        opened.notices.append(FormNote(_(words), url, _("Use the same inputs again")))


def form_url(app: App, *, result: Output | None = None, preset: Preset | None = None, run: Run | None = None) -> str:
    """Return the URL of the form that makes the next version of `result`, starts from `preset` and shows the inputs of
    `run`. At least one of the three must be given."""
    sources = {"next": result, "preset": preset, "from": run}
    query = {name: source.public_id for name, source in sources.items() if source is not None}
    return f"{app.get_absolute_url()}?{urlencode(query)}"


def again_url(member: Member, app: App, run: Run, result: Output | None) -> str:
    """Return the URL of the form as it was when `run` was started: with the run's inputs, making the next version of
    `result`, and with the run's preset if `member` may still see it."""
    preset = run.preset if run.preset is not None and run.preset.is_visible_to(member) else None
    return form_url(app, result=result, preset=preset, run=run)


def sent_url(member: Member, app: App, token: str, next_id: str = "") -> str:
    """Return the URL to go back to after pressing Run: the form as it was sent with `token`, or the usual form if no
    run was started. `next_id` is the public id of the result that the form made the next version of, if the browser
    sent it."""
    run = create_run.run_of_form(member, token)
    if run is None or run.deleted_at is not None or run.app_id != app.pk:
        return app.get_absolute_url()
    result = next_version.source_result(member, app, next_id) or next_version.replaced_result(member, run)
    return again_url(member, app, run, result)


def _draft_words(draft: Draft, app: App, schema: AppSchema, added: str) -> str:
    """Return a sentence about where the values of `draft` come from. If something has just been put into the field
    `added` ("p0"), from a result or from the library, and is still there, name that field."""
    questions = form_questions(app) if added else []
    question = next((one for one in questions if one.field_name == added and not one.is_fixed), None)
    if question is None:
        return _(FROM_LAST_TIME)
    own = (question.name, question.key, question.id)
    is_there = [(answer.name, answer.key, answer.id) == own for answer in draft.answers if answer.is_given]
    if not any(is_there):
        return _(FROM_LAST_TIME)
    words = (
        _("What you chose is now in “%(field)s”.")
        if all(is_there)
        else _("What you chose is now in “%(field)s”. The other fields are as you left them.")
    )
    return words % {"field": question.label}


def _kept_notice(app: App, opened: Opening, words: str) -> FormNote:
    """Return a notice with `words` about the draft, and a link to the original values of the run or preset it came
    from."""
    url = form_url(app, result=opened.result, preset=opened.preset, run=opened.filled_from)
    label = _("Show the run's original values") if opened.filled_from else _("Show the preset as it was saved")
    return FormNote(words, f"{url}&fresh=1", label)


def _fill_from_run(opened: Opening, run: Run, member: Member, schema: AppSchema) -> None:
    opened.answers = ownership.visible_answers(member, run.answers_for(member))
    opened.wanted_outputs = run.wanted_outputs or None
    if opened.result is not None and opened.result.run_id == run.pk:
        opened.wanted_outputs = next_version.next_version(opened.result, schema).wanted_outputs or opened.wanted_outputs
    opened.field_errors = map_field_errors(schema.questions, field_errors_of(run))
    if run.schema_id != schema.pk:
        opened.notices.append(FormNote(_(OLDER_FORM)))


@transaction.atomic
def set_aside(member: Member, app: App, draft: Draft) -> Preset | None:
    """Turn `draft` into a preset, before a form that didn't show it is saved; return None if it contains nothing new,
    or if it was changed or deleted in the meantime."""
    if not Draft.objects.filter(pk=draft.pk, updated_at=draft.updated_at).delete()[0]:
        return None
    return None if _is_as_opened(member, app, draft) else presets.set_aside(member, app, draft)


def _is_as_opened(member: Member, app: App, draft: Draft) -> bool:
    """Return whether the run or preset that a draft came from still exists and the draft has only its values."""
    run, preset = source_run(member, app, draft.source), source_preset(member, app, draft.source)
    if run is None and preset is None:
        return False
    source = run.answers_for(member) if run else preset.answers if preset else []
    questions = form_questions(app)

    def facts(answers: list[Answer]) -> list[tuple[str, str, str, int]]:
        filled = [answer for answer in open_answers(questions, answers) if answer.is_given]
        return sorted((one.name, one.text, one.link, len(one.upload_ids)) for one in filled)

    return facts(draft.answers) == facts(source)


@transaction.atomic
def bring_back(member: Member, app: App, now: datetime, form_token: str = "") -> None:
    """Restore the discarded draft in the form. Anything typed since then is saved as a preset.

    After this, the form with `form_token` can no longer save the draft.
    """
    drafts.lock(member)
    dropped = drafts.dropped_draft(member, app.public_id)
    if dropped is None:
        return
    closed = drafts.closed_forms(member, app, form_token)
    if (draft := Draft.objects.current().filter(member=member, app=app).first()) is not None:
        set_aside(member, app, draft)
    Draft.objects.filter(pk=dropped.pk).update(is_dropped=False, updated_at=now, closed_forms=closed)
