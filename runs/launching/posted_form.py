"""An app's form as it was posted: its files are taken, what is in it is kept as the draft, and then a run starts, or
the form is shown again and says why not.

Files and links become uploads before the form is read: a chosen file outlives any error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.http import urlencode

from runs.engine import create_run
from runs.engine.create_run import LaunchRequest, TokenSpentError, launch_run
from runs.launching import drafts, prefill, presets
from runs.launching.prefill import Opening
from runs.models import App, AppSchema, Member, Preset, Run, StoredFile, Upload
from runs.schema_forms.answers import Answer
from runs.schema_forms.build import SchemaForm, build_form
from runs.schema_forms.questions import Question, files_question, questions_of
from runs.schema_forms.types import Parameters
from runs.spending.estimates import cost_line
from runs.uploads import ownership, uploads
from runs.uploads.uploads import UploadRejected

MAX_FILES = 50  # in one field
KEPT_FOR = timedelta(days=1)  # how old a form may be whose files are kept after the sign-in has expired

CHANGED = "This app's form has changed since you opened it. What you filled in is kept where it still fits."
SPENT = "This form has already started a run. Press Run again to start another one with these values."
EXPIRED = "This form was opened for somebody else or too long ago. Everything is kept; press Run again."

type PostedFiles = "MultiValueDict[str, UploadedFile[bytes]]"


@dataclass(frozen=True)
class Shown:
    """The form once more, with TOKEN still good, or refused and with a reason on it."""

    form: SchemaForm
    opened: Opening
    token: str = ""
    is_refused: bool = False


@dataclass(frozen=True)
class Done:
    """Where the person goes on, and what is said there."""

    url: str
    words: str = ""


@dataclass(frozen=True)
class PostedForm:
    """APP's form as MEMBER sent it with one of its buttons. SCHEMA is the app's present one; taking the files changes
    what was POSTED."""

    member: Member
    app: App
    schema: AppSchema
    posted: QueryDict
    files: PostedFiles

    def outcome(self) -> Shown | Done:
        """Do what the button stands for. What was filled in is kept first, whatever comes of it."""
        known = AppSchema.objects.filter(app=self.app, version=self.posted.get("schema", "")).first()
        form = self._read(known or self.schema)
        if not self.member.can_run:  # the page says so beside Run
            return Shown(form, Opening(), is_refused=True)
        opened = keep_draft(self.member, self.app, form, self.posted)
        if "act" in self.posted:
            return self._other_button(self._act, form, opened)
        if spent := create_run.run_of_form(self.member, self._token):
            return self._again(form, spent, opened)
        if known != self.schema:  # positions of an unknown version could mean anything
            fresh = self._in_present_form(form)
            return Shown(fresh, opened.saying(CHANGED, *dropped_words(fresh)), is_refused=True)
        if not form.is_valid():
            return Shown(form, opened, self._token, is_refused=True)
        return self._run(form, opened)

    @property
    def _token(self) -> str:
        return self.posted.get("token", "")

    @property
    def _act(self) -> str:
        """Name of the button, and what it acts on; empty for Run."""
        return self.posted.get("act", "")

    def _read(self, schema: AppSchema) -> SchemaForm:
        """The form with its files taken, and those of teammates taken over; a viewer's as it is."""
        errors: dict[str, str] = {}
        if self.member.can_run:
            errors = take_all(self.member, schema.parameters, self.posted, self.files)
            rearrange(self.posted, self._act)
            take_over(self.member, schema.parameters, self.posted)
        return app_form(self.member, self.app, schema, self.posted, field_errors=errors)

    def _in_present_form(self, form: SchemaForm, field_errors: dict[str, str] | None = None) -> SchemaForm:
        """What is in FORM as a fresh form of the app's present version."""
        answers, wanted = form.draft_answers(), ticked(form)
        return app_form(self.member, self.app, self.schema, answers=answers, wanted=wanted, field_errors=field_errors)

    def _other_button(self, act: str, form: SchemaForm, opened: Opening) -> Shown | Done:
        """A button that starts nothing."""
        verb, _, field = act.partition(":")
        if verb == "library":  # of a form without scripts
            return Done(f"{reverse('runs:library')}?{urlencode({'app': self.app.public_id, 'field': field})}")
        if act.startswith("preset") and not form.field_errors:
            return self._save_preset(act, form, opened.preset)
        return Shown(self._in_present_form(form, form.field_errors), opened)

    def _save_preset(self, act: str, form: SchemaForm, preset: Preset | None) -> Done:
        """Save what is in the form under a name, which is asked for on a page of its own; or into the open preset."""
        changeable = Preset.objects.changeable_by(self.member)
        if act == "preset-update" and preset and changeable.filter(pk=preset.pk).exists():
            presets.update_preset(preset, self.member, form.draft_answers(), ticked(form), timezone.now())
            drafts.clear_draft(self.member, self.app)
            return Done(preset.get_absolute_url(), f"“{preset.name}” now holds these values.")
        return Done(f"{reverse('runs:preset-new')}?app={self.app.public_id}")

    def _again(self, form: SchemaForm, spent: Run, opened: Opening) -> Shown | Done:
        """This form has started a run: the same inputs lead to it, others give the form again with a new token."""
        if form.is_valid() and create_run.is_same(spent, self.app, form.answers(), form.wanted_outputs()):
            drafts.clear_draft(self.member, self.app)
            return Done(spent.get_absolute_url())
        return Shown(self._in_present_form(form), opened.saying(SPENT), is_refused=True)

    def _run(self, form: SchemaForm, opened: Opening) -> Shown | Done:
        """Start the run of a valid form."""
        if cost_line(self.app, self.member).is_blocked:
            return Shown(form, opened, is_refused=True)
        if create_run.read_form_token(self._token) != self.member.pk:
            return Shown(form, opened.saying(EXPIRED), is_refused=True)
        pressed = LaunchRequest(
            self.app,
            self.schema,
            form.answers(),
            form.wanted_outputs(),
            self._token,
            parent=opened.run,
            preset=opened.preset,
            is_private=opened.is_private,
        )
        try:
            return Done(launch_run(self.member, pressed).get_absolute_url())
        except TokenSpentError:
            return Shown(form, opened.saying(SPENT), is_refused=True)


def app_form(
    member: Member,
    app: App,
    schema: AppSchema,
    data: QueryDict | None = None,
    *,
    answers: list[Answer] | None = None,
    wanted: list[int] | None = None,
    field_errors: dict[str, str] | None = None,
) -> SchemaForm:
    """The form of APP for MEMBER, as posted or with ANSWERS."""
    is_sent = data is not None and member.can_run  # then all that counts is the member's own by now
    infos = uploads.upload_infos if is_sent else ownership.infos
    return build_form(schema.parameters, schema.outputs)(
        data,
        answers=answers,
        wanted=wanted,
        uploads=lambda ids: infos(member, ids),
        field_errors=field_errors,
        samples=lambda: sample_pictures(app),
    )


def ticked(form: SchemaForm) -> list[int] | None:
    """Indexes of the results that are ticked; None when the app tells of none."""
    return form.wanted_outputs() if form.results else None


def dropped_words(form: SchemaForm) -> list[str]:
    """A sentence that names the answers which no longer fit, if there are any."""
    names = ", ".join(f"“{name}”" for name in form.dropped)
    return [f"What was filled in for {names} no longer fits; choose again."] if names else []


def keep_draft(member: Member, app: App, form: SchemaForm, posted: QueryDict) -> Opening:
    """Keep what was posted, and whatever else was typed before; returns what the form had been opened with."""
    opened = prefill.opened_with(member, app, posted)
    drafts.save_draft(member, app, form.draft_answers(), ticked(form), opened.source)
    return opened


def take_one(member: Member, app: App, field: str, file: "UploadedFile[bytes] | None", link: str) -> Upload:
    """Take one file or link for FIELD ("p0") of the app's form.

    Raises UploadRejected with a sentence for people.
    """
    question = files_question(app.schema.parameters, field) if app.schema else None
    if question is None:
        raise UploadRejected("This app's form has changed. Reload the page; what you typed is kept.")
    if file is not None:
        return uploads.receive_file(member, file, list(question.accept))
    return uploads.receive_link(member, link, list(question.accept))


def take_all(member: Member, parameters: Parameters, posted: QueryDict, files: PostedFiles) -> dict[str, str]:
    """Turn every file and link in a posted form into an upload and put its id into POSTED (changed in place).

    Returns a sentence by field name for each that could not be taken; a refused link stays in its box.
    """
    errors: dict[str, str] = {}
    for question in questions_of(parameters):
        if question.kind == "url":
            _take_field(member, question, posted, files.getlist(f"{question.field_name}_file"), errors)
    return errors


def _take_field(
    member: Member,
    question: Question,
    posted: QueryDict,
    files: "Sequence[UploadedFile[bytes]]",
    errors: dict[str, str],
) -> None:
    name = question.field_name
    taken: list[str] = []
    sentences: list[str] = []
    for file in files[:MAX_FILES]:
        try:
            taken.append(uploads.receive_file(member, file, list(question.accept)).public_id)
        except UploadRejected as rejected:
            sentences.append(str(rejected))
    link = posted.get(f"{name}_link", "").strip()
    if link:
        try:
            taken.append(uploads.receive_link(member, link, list(question.accept)).public_id)
            posted[f"{name}_link"] = ""
        except UploadRejected as rejected:
            sentences.append(str(rejected))
    if taken:
        kept = [*posted.getlist(f"{name}_kept"), *taken] if question.is_multiple else taken[-1:]
        posted.setlist(f"{name}_kept", kept)
    if sentences:
        errors[name] = " ".join(dict.fromkeys(sentences))


def take_over(member: Member, parameters: Parameters, posted: QueryDict) -> None:
    """Put MEMBER's own uploads into POSTED (changed in place) for files of a teammate that the form was opened with."""
    for question in questions_of(parameters):
        name = f"{question.field_name}_kept"
        if question.kind == "url" and (kept := posted.getlist(name)):
            posted.setlist(name, ownership.take_over(member, kept))


def keep_expired(request: HttpRequest) -> list[tuple[str, str]]:
    """Files of a form that was posted after the sign-in had expired, as the fields that stand for them.

    The form's own token tells whose they are: it is signed, and only that member can pick them up again.
    """
    given = request.POST
    owner = create_run.read_form_token(given.get("token", ""), KEPT_FOR) or 0
    member = Member.objects.filter(pk=owner, is_active=True).first()
    schema = AppSchema.objects.filter(version=given.get("schema", "")).first()
    if member is None or schema is None:
        return []
    posted = QueryDict(mutable=True)
    take_all(member, schema.parameters, posted, request.FILES)
    return [(name, str(value)) for name, values in posted.lists() for value in values]


def rearrange(posted: QueryDict, act: str) -> None:
    """Apply a button of the form that needs no script: "remove:p0:<id>", "up:p0:<id>", "down:p0:<id>"."""
    verb, _, rest = act.partition(":")
    field, _, upload_id = rest.partition(":")
    kept = posted.getlist(f"{field}_kept")
    if upload_id not in kept:
        return
    at = kept.index(upload_id)
    kept.pop(at)
    if verb in ("up", "down"):
        kept.insert(max(0, at - 1) if verb == "up" else at + 1, upload_id)
    posted.setlist(f"{field}_kept", kept)


def sample_pictures(app: App) -> Mapping[str, dict[str, str]]:
    """Our copies of the author's sample media by their addresses."""
    stored = StoredFile.objects.in_bulk(list(app.samples.values()), field_name="public_id")
    return {
        url: {"small_url": stored[file_id].small_url, "card_url": stored[file_id].card_url}
        for url, file_id in app.samples.items()
        if file_id in stored
    }
