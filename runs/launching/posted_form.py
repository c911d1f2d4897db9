"""Handles an app's posted form: saves its files and its draft, then starts a run, or shows the form again and says
why."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import transaction
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from runs.catalog.form_rules import form_version
from runs.engine import create_run
from runs.engine.changed_by_rules import RulesRefuseError
from runs.engine.create_run import LaunchRequest, TokenSpentError, launch_run
from runs.launching import drafts, form_files, next_version, prefill, presets
from runs.launching.app_form import app_form
from runs.launching.form_files import PostedFiles
from runs.launching.prefill import Opening
from runs.models import App, AppSchema, Draft, Member, form_hash
from runs.schema_forms.build import SchemaForm
from runs.spending.estimates import cost_line
from runs.spending.limits import LimitReached
from runs.web.posted import CutField, PostedForm, SwitchField

CHANGED = gettext_noop("This app's form has changed since you opened it. Your answers are kept where they still fit.")
SPENT = gettext_noop("You've already started a run with this form. Press Run again to start another with these values.")
EXPIRED = gettext_noop("This form was open too long, or you've switched accounts. Nothing is lost; press Run again.")
MINE = "mine"  # the button that makes the posted values the draft, although the draft was changed elsewhere


class ControlsForm(PostedForm):
    """What an app's form posts besides its answers.

    `act` names the button and its target, and is empty for Run; `token` starts one run; `schema` is the form's version.
    `run`, `next` and `preset` say what the form was opened with: the public ids of a run, of the result to make the
    next version of, and of a preset. `seen` is the stamp of the draft there was then, and `aside` is set if the form
    doesn't show that draft. If the button is in a list of drafts, `page` names the page that the list is on. `plain` is
    sent if JavaScript is off, `preview` if this is an admin's preview, and `told` if the page says that there is a
    newer draft.
    """

    act = CutField()
    token = CutField()
    schema = CutField()
    run = CutField(16)
    next = CutField(16)
    preset = CutField(16)
    seen = CutField()
    aside = SwitchField()
    private = SwitchField()
    page = CutField()
    plain = SwitchField()
    preview = SwitchField()
    told = SwitchField()

    def add_prefix(self, field_name: str) -> str:
        """Read `run` from the field called `from`, which is a reserved word in Python."""
        return "from" if field_name == "run" else field_name


@dataclass(frozen=True)
class Destination:
    """The page to go to next, and a message to show there."""

    url: str
    words: str = ""


def posted_schema(app: App, form_version: str) -> AppSchema | None:
    """Return the schema that a form with this version was made from; if `app` has no such schema, its current one."""
    version = form_version.partition(".")[0]  # leaves out the version of the admin's rules
    if app.schema is not None and app.schema.version == version:
        return app.schema
    return AppSchema.objects.filter(app=app, version=version).first() or app.schema


@dataclass
class PostedAppForm:
    """The form of `app` as `member` posted it. `schema` is the one that it was made from. Upload ids are added to
    `data`.

    Whatever handles the form changes `form`, the answers to show again, and `opened`, what the page says above them.
    `is_refused` means that no run could be started.
    """

    member: Member
    app: App
    schema: AppSchema
    controls: dict[str, Any]
    data: QueryDict
    files: PostedFiles
    file_errors: dict[str, str] = field(default_factory=dict)
    is_refused: bool = False

    @cached_property
    def form(self) -> SchemaForm:
        return app_form(self.member, self.app, self.schema, self.data, field_errors=self.file_errors)

    @cached_property
    def opened(self) -> Opening:
        """What the form was opened with."""
        return Opening(
            run=prefill.source_run(self.member, self.app, self.controls["run"]),
            result=next_version.source_result(self.member, self.app, self.controls["next"]),
            preset=prefill.source_preset(self.member, self.app, self.controls["preset"]),
            is_private=self.controls["private"],
            seen=self.controls["seen"],
        )

    @property
    def token(self) -> str:
        token: str = self.controls["token"]
        return token

    def outcome(self) -> Destination | None:
        """Save the draft, then handle the button that was pressed. Return where it leads; None to show the form
        again."""
        if not self.member.can_run:  # the page says why next to the Run button
            self.opened, self.is_refused = Opening(), True
            return None
        self._take_files()
        self._keep_draft()
        if self.app.schema is None:
            return Destination(self.app.get_absolute_url())  # the page says what is wrong with the app's form
        return self._other_button() if self.controls["act"] else self._run()

    def save_draft(self) -> None:
        """Save what was typed, valid or not, unless this form has already started its run."""
        if create_run.is_unspent(self.member, self.token):
            form_files.take_over(self.member, self.schema.questions, self.data)
            self._keep_draft()

    def drop_draft(self, now: datetime) -> bool:
        """Save what was typed as a draft, then discard the draft; return whether there is anything to restore."""
        with self._closing():
            return drafts.drop_draft(self.member, self.app, now, self.token)

    def bring_back(self, now: datetime) -> None:
        """Restore the discarded draft. Anything typed since then is saved as a preset."""
        with self._closing():
            prefill.bring_back(self.member, self.app, now, self.token)

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Save what was typed and chosen, then run the block. From then on, late requests from this form are ignored.

        If JavaScript is off, the server hasn't seen these values before.
        """
        is_unspent = create_run.is_unspent(self.member, self.token)
        if is_unspent:
            self._take_files()
        with transaction.atomic():
            drafts.lock(self.member)
            if is_unspent:
                self._keep_draft()
            yield

    def _take_files(self) -> None:
        """Turn files, links and teammates' files into the member's own uploads."""
        self.file_errors = form_files.take_all(self.member, self.schema.questions, self.data, self.files)
        form_files.rearrange(self.data, self.controls["act"])
        form_files.take_over(self.member, self.schema.questions, self.data)

    @transaction.atomic
    def _keep_draft(self) -> None:
        """Save the posted values as the draft, after setting aside a draft that the form didn't show.

        If the draft was changed elsewhere since then, it stays, and the values are kept apart from it, unless the
        member has chosen to use them instead.
        """
        member, app, seen = self.member, self.app, self.controls["seen"]
        drafts.lock(member)
        if not self.form.has_fields or drafts.is_closed(member, app, self.token):
            return
        draft = drafts.current_draft(member, app)
        typed = Draft(
            member=member,
            app=app,
            answers=self.form.draft_answers(draft.answers if draft else ()),
            wanted_outputs=self.form.draft_outputs(),
            source=self.opened.source,
            form=form_hash(self.token),
        )
        is_newer = draft is not None and drafts.is_newer(draft, typed, seen)
        if is_newer and self.controls["act"] != MINE:
            self.opened.newer, self.opened.apart = draft, presets.keep_apart(typed, timezone.now())
            return
        if draft is not None and (is_newer or (self.controls["aside"] and draft.stamp == seen)):
            prefill.set_aside(member, app, draft)
        presets.forget_apart(member, app, self.token)
        drafts.save_draft(typed)
        self.opened.seen, self.opened.is_saved = typed.stamp, True

    def _refuse(self, *words: str) -> None:
        """Show the form again with `words` above it. No run was started."""
        self.opened.saying(*words)
        self.is_refused = True

    def _renew(self) -> None:
        """Show the answers in a new form for the current version of the app."""
        answers, outputs, errors = self.form.draft_answers(), self.form.draft_outputs(), self.form.field_errors
        schema = self.app.schema or self.schema
        self.form = app_form(
            self.member, self.app, schema, answers=answers, wanted_outputs=outputs, field_errors=errors
        )

    def _other_button(self) -> Destination | None:
        """Handle a button that doesn't start a run."""
        act, url = self.controls["act"], self.app.get_absolute_url()
        verb, _colon, target = act.partition(":")  # the target is a field, or the run used as an example
        if act == MINE:
            return Destination(url, _("This is your draft now. The other one is saved as a preset."))
        if verb == "example":  # show the example's own values, even if the draft was started from it
            return Destination(f"{url}?{urlencode({'from': target, 'fresh': '1'})}")
        if self.opened.newer is None:  # otherwise, the next page would show the other draft
            if verb == "library":  # only happens if JavaScript is off
                return Destination(reverse("runs:library", query={"app": self.app.public_id, "field": target}))
            if act.startswith("preset") and not self.file_errors:
                return self._save_preset()
        self._renew()
        return None

    def _save_preset(self) -> Destination:
        """Update the open preset from the form, or go to the page that asks for the name of a new one."""
        preset = self.opened.preset
        if self.controls["act"] != "preset-update" or preset is None or not preset.is_changeable_by(self.member):
            return Destination(f"{reverse('runs:preset-new')}?app={self.app.public_id}")
        preset.answers, preset.wanted_outputs = self.form.draft_answers(preset.answers), self.form.draft_outputs()
        presets.update_preset(preset, self.member, timezone.now())
        drafts.clear_draft(self.member, self.app, self.token)
        presets.forget_apart(self.member, self.app, self.token)
        return Destination(preset.get_absolute_url(), _("“%(name)s” was updated.") % {"name": preset.name})

    def _run(self) -> Destination | None:
        """Start a run from the form, or go to the run that it has already started. If neither is possible, say why."""
        # Check this before looking for a run that this form has already started, which may have used up what was left
        # to spend
        is_blocked = cost_line(self.app, self.member, self.form.wanted_outputs()).is_blocked
        spent = create_run.run_of_form(self.member, self.token)
        try:
            if spent is not None and not self.form.is_valid():
                raise TokenSpentError(spent)
            if spent is not None or self._is_startable(is_blocked=is_blocked):
                return self._start()
        except TokenSpentError:
            self._renew()
            self._refuse(_(SPENT))
        except RulesRefuseError as refused:  # an admin has just changed the rules
            self._renew()
            self._refuse(_(SPENT) if spent else refused.sentence)
        except LimitReached as reached:
            is_told = cost_line(self.app, self.member, self.form.wanted_outputs()).is_blocked  # shown next to Run
            self.opened.token = self.token
            self._refuse(*([] if is_told else [reached.sentence]))
        return None

    def _is_startable(self, *, is_blocked: bool) -> bool:
        """Return whether the form can start a run; if it can't, say why."""
        if form_version(self.app, self.app.schema or self.schema) != self.controls["schema"]:
            self._renew()  # because a position may now refer to another field
            self._refuse(_(CHANGED), *self.form.dropped_words)
        elif not self.form.is_valid():
            self.opened.token = self.token
            self._refuse()
        elif is_blocked:
            self._refuse()
        elif create_run.read_form_token(self.token) != self.member.pk:
            self._refuse(_(EXPIRED))
        return not self.is_refused

    def _start(self) -> Destination:
        outputs = self.form.wanted_outputs()
        press = LaunchRequest(
            self.app,
            self.schema,
            self.form.answers(),
            outputs,
            self.token,
            parent=self.opened.run,
            preset=self.opened.preset,
            is_private=self.opened.is_private,
            replaces=next_version.replaced_by(self.opened.result, self.schema, outputs),
        )
        run = launch_run(self.member, press)
        presets.forget_apart(self.member, self.app, self.token)
        return Destination(run.get_absolute_url())
