"""Handles an app's posted form: saves its files and its draft, then starts a run, or shows the form again and says
why."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.catalog.field_rules import form_version
from runs.engine import create_run
from runs.engine.changed_by_rules import RulesRefuseError
from runs.engine.create_run import LaunchRequest, TokenSpentError, is_what_started, launch_run
from runs.launching import drafts, form_files, next_version, prefill, presets
from runs.launching.app_form import app_form
from runs.launching.form_files import PostedFiles
from runs.launching.prefill import Opening
from runs.models import App, AppSchema, Draft, Member, Preset, Run
from runs.schema_forms.build import SchemaForm
from runs.spending.estimates import cost_line
from runs.spending.limits import LimitReached

CHANGED = gettext_noop("This app's form has changed since you opened it. Your answers are kept where they still fit.")
SPENT = gettext_noop("You've already started a run with this form. Press Run again to start another with these values.")
EXPIRED = gettext_noop("This form was open too long, or you've switched accounts. Nothing is lost; press Run again.")
MINE = "mine"  # the button that makes the posted values the draft, although the draft was changed elsewhere


@dataclass(frozen=True)
class FormPage:
    """The form to show again, with its `token` if that is still valid; `is_refused` means that no run could be
    started."""

    form: SchemaForm
    opened: Opening
    token: str = ""
    is_refused: bool = False


@dataclass(frozen=True)
class Done:
    """The page to go to next, and a message to show there."""

    url: str
    words: str = ""


@dataclass(frozen=True)
class Controls:
    """What an app's form posts besides its answers (`forms.ControlsForm`).

    `act` names the button and its target, and is empty for Run. `run`, `next` and `preset` say what the form was opened
    with: the public ids of a run, of the result to make the next version of, and of a preset. `seen` is the stamp of
    the draft there was then, and `aside` is set if the form doesn't show that draft.
    """

    act: str
    token: str
    schema: str
    run: str
    next: str
    preset: str
    seen: str
    aside: bool
    private: bool
    plain: bool = False  # sent if JavaScript is off


def posted_schema(app: App, form_version: str) -> AppSchema | None:
    """Return the schema that a form with this version was made from; None if `app` has no such schema."""
    version = form_version.partition(".")[0]  # leaves out the version of the admin's rules
    return AppSchema.objects.filter(app=app, version=version).first()


@dataclass
class PostedAppForm:
    """The form of `app` as `member` posted it. `schema` is the app's current schema or, if the app has no usable form
    any more, the one that this form was made from. Upload ids are added to `answers`."""

    member: Member
    app: App
    schema: AppSchema
    controls: Controls
    answers: QueryDict
    files: PostedFiles

    def outcome(self) -> FormPage | Done:
        """Save the draft, then handle the button that was pressed."""
        if not self.member.can_run:  # the page says why next to the Run button
            return FormPage(self._form(), Opening(), is_refused=True)
        errors = self._take_files()
        form = self._form(errors)
        opened = self._keep_draft(form)
        if self.app.schema is None:
            return Done(self.app.get_absolute_url())  # the page says what is wrong with the app's form
        if self.controls.act:
            return self._other_button(form, opened)
        # Check this before looking for a run that this form has already started, which may have used up what was left
        # to spend
        is_blocked = cost_line(self.app, self.member, form.wanted_outputs()).is_blocked
        if spent := create_run.run_of_form(self.member, self.controls.token):
            return self._again(form, spent, opened)
        # If the form has changed, a position may now refer to another field
        if form_version(self.app, self.schema) != self.controls.schema:
            fresh = self._in_present_form(form)
            return FormPage(fresh, opened.saying(_(CHANGED), *fresh.dropped_words), is_refused=True)
        if not form.is_valid():
            return FormPage(form, opened, self.controls.token, is_refused=True)
        if is_blocked:
            return FormPage(form, opened, is_refused=True)
        return self._run(form, opened)

    def save_draft(self) -> Opening:
        """Save what was typed, valid or not, unless this form has already started its run; return what the form was
        opened with."""
        if not create_run.is_unspent(self.member, self.controls.token):
            return self._opened()
        form_files.take_over(self.member, self._posted_schema.questions, self.answers)
        return self._keep_draft(self._form())

    def drop_draft(self, now: datetime) -> bool:
        """Save what was typed as a draft, then discard the draft; return whether there is anything to restore."""
        with self._closing():
            return drafts.drop_draft(self.member, self.app, now, self.controls.token)

    def bring_back(self, now: datetime) -> None:
        """Restore the discarded draft. Anything typed since then is saved as a preset."""
        with self._closing():
            prefill.bring_back(self.member, self.app, now, self.controls.token)

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Save what was typed and chosen, then run the block. From then on, late requests from this form are ignored.

        If JavaScript is off, the server hasn't seen these values before.
        """
        is_unspent = create_run.is_unspent(self.member, self.controls.token)
        form = self._form(self._take_files()) if is_unspent else None
        with transaction.atomic():
            drafts.lock(self.member)
            if form is not None:
                self._keep_draft(form)
            yield

    @cached_property
    def _posted_schema(self) -> AppSchema:
        """The schema version for reading the posted form: the one it was made from, if known, or the current one."""
        return posted_schema(self.app, self.controls.schema) or self.schema

    def _take_files(self) -> dict[str, str]:
        """Turn files, links and teammates' files into the member's own uploads; return errors by field name."""
        questions = self._posted_schema.questions
        errors = form_files.take_all(self.member, questions, self.answers, self.files)
        form_files.rearrange(self.answers, self.controls.act)
        form_files.take_over(self.member, questions, self.answers)
        return errors

    def _form(self, field_errors: dict[str, str] | None = None) -> SchemaForm:
        return app_form(self.member, self.app, self._posted_schema, self.answers, field_errors=field_errors)

    def _opened(self) -> Opening:
        """Return what the form was opened with."""
        return Opening(
            run=prefill.source_run(self.member, self.app, self.controls.run),
            result=next_version.source_result(self.member, self.app, self.controls.next),
            preset=prefill.source_preset(self.member, self.app, self.controls.preset),
            is_private=self.controls.private,
            seen=self.controls.seen,
        )

    @transaction.atomic
    def _keep_draft(self, form: SchemaForm) -> Opening:
        """Save the posted values as the draft, after setting aside a draft that the form didn't show; return what the
        form was opened with.

        If the draft was changed elsewhere since then, it stays, and the values are kept apart from it, unless the
        member has chosen to use them instead.
        """
        opened, token = self._opened(), self.controls.token
        drafts.lock(self.member)
        if not form.has_fields or drafts.is_closed(self.member, self.app, token):
            return opened
        draft = drafts.current_draft(self.member, self.app)
        answers = form.draft_answers(draft.answers if draft else ())
        typed = Draft(answers=answers, wanted_outputs=form.draft_outputs(), source=opened.source)
        if draft is not None and drafts.is_newer(draft, typed, token, self.controls.seen):
            if self.controls.act != MINE:
                apart = presets.keep_apart(self.member, self.app, typed, timezone.now(), token)
                return replace(opened, newer=draft, apart=apart)
            prefill.set_aside(self.member, self.app, draft)
        elif draft is not None and self.controls.aside and draft.stamp == self.controls.seen:
            prefill.set_aside(self.member, self.app, draft)
        presets.forget_apart(self.member, self.app, token)
        saved = drafts.save_draft(self.member, self.app, answers, typed.wanted_outputs, typed.source, form_token=token)
        return replace(opened, seen=saved.stamp, is_saved=True)

    def _forget_draft(self) -> None:
        """Delete what was saved of this form, because it has become a run or a preset."""
        drafts.clear_draft(self.member, self.app, self.controls.token)
        presets.forget_apart(self.member, self.app, self.controls.token)

    def _in_present_form(self, form: SchemaForm, field_errors: dict[str, str] | None = None) -> SchemaForm:
        """Return a new form for the current version of the app, with the answers from `form`."""
        answers, outputs = form.draft_answers(), form.draft_outputs()
        return app_form(
            self.member, self.app, self.schema, answers=answers, wanted_outputs=outputs, field_errors=field_errors
        )

    def _other_button(self, form: SchemaForm, opened: Opening) -> FormPage | Done:
        """Handle a button that doesn't start a run."""
        act = self.controls.act
        verb, _colon, field = act.partition(":")  # the target is a field, or the run used as an example
        if act == MINE:
            return Done(self.app.get_absolute_url(), _("This is your draft now. The other one is saved as a preset."))
        if opened.newer is not None and verb != "example":  # the next page would show the other draft
            return FormPage(self._in_present_form(form, form.field_errors), opened)
        if verb == "library":  # only happens if JavaScript is off
            return Done(reverse("runs:library", query={"app": self.app.public_id, "field": field}))
        if verb == "example":  # show the example's own values, even if the draft was started from it
            return Done(f"{self.app.get_absolute_url()}?{urlencode({'from': field, 'fresh': '1'})}")
        if act.startswith("preset") and not form.field_errors:
            return self._save_preset(form, opened.preset)
        return FormPage(self._in_present_form(form, form.field_errors), opened)

    def _save_preset(self, form: SchemaForm, preset: Preset | None) -> Done:
        """Update the open preset from the form, or go to the page that asks for the name of a new one."""
        changeable = Preset.objects.changeable_by(self.member)
        if self.controls.act == "preset-update" and preset and changeable.filter(pk=preset.pk).exists():
            answers = form.draft_answers(preset.answers)
            presets.update_preset(preset, self.member, answers, form.draft_outputs(), timezone.now())
            self._forget_draft()
            return Done(preset.get_absolute_url(), _("“%(name)s” was updated.") % {"name": preset.name})
        return Done(f"{reverse('runs:preset-new')}?app={self.app.public_id}")

    def _again(self, form: SchemaForm, spent: Run, opened: Opening) -> FormPage | Done:
        """Go to the run that this form has already started. If the inputs have changed since then, show the form with a
        new token instead."""
        if form.is_valid() and is_what_started(spent, self.member, self._request(form, opened, self._posted_schema)):
            self._forget_draft()
            return Done(spent.get_absolute_url())
        return FormPage(self._in_present_form(form), opened.saying(_(SPENT)), is_refused=True)

    def _run(self, form: SchemaForm, opened: Opening) -> FormPage | Done:
        """Start a run from the valid form, or say why it can't start."""
        if create_run.read_form_token(self.controls.token) != self.member.pk:
            return FormPage(form, opened.saying(_(EXPIRED)), is_refused=True)
        try:
            replaces = next_version.replaced_by(opened.result, self.schema, form.wanted_outputs())
            pressed = replace(self._request(form, opened, self.schema), replaces=replaces)
            started = launch_run(self.member, pressed)
            presets.forget_apart(self.member, self.app, self.controls.token)
            return Done(started.get_absolute_url())
        except TokenSpentError:
            return FormPage(form, opened.saying(_(SPENT)), is_refused=True)
        except RulesRefuseError as refused:  # an admin has just changed the rules
            return FormPage(self._in_present_form(form), opened.saying(refused.sentence), is_refused=True)
        except LimitReached as reached:
            is_told = cost_line(self.app, self.member, form.wanted_outputs()).is_blocked  # shown next to Run
            answer = opened if is_told else opened.saying(reached.sentence)
            return FormPage(form, answer, self.controls.token, is_refused=True)

    def _request(self, form: SchemaForm, opened: Opening, schema: AppSchema) -> LaunchRequest:
        return LaunchRequest(
            self.app,
            schema,
            form.answers(),
            form.wanted_outputs(),
            self.controls.token,
            parent=opened.run,
            preset=opened.preset,
            is_private=opened.is_private,
        )
