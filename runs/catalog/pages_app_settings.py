"""Read and show the page where admins set up an app."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.catalog import app_rules
from runs.catalog.app_rules import AppEdit, FieldEdit, FieldLine
from runs.catalog.app_settings import AppSettings, field_edit
from runs.catalog.forms_app_settings import AppSettingsForm, FieldSettingsForm
from runs.models import App, AppSchema, FieldRule, Member, StoredFile, Upload
from runs.schema_forms.field_rules import match_rules
from runs.schema_forms.questions import Question, clean_text, questions_of
from runs.schema_forms.types import Rule
from runs.uploads import uploads
from runs.uploads.uploads import UploadRejected
from runs.web.posted import CreditsField
from runs.words.numbers import number_in, number_words

TICKED_UP_TO = 24  # fields with up to this many options show checkboxes; for others, admins type one option per line
AUDIENCES = ("all", "some", "hidden")
Mode = FieldRule.Mode


@dataclass(frozen=True)
class PostedSettings:
    """The page as posted: its settings and errors. `is_older` says whether the app's form has changed since the page
    was opened."""

    settings: AppSettings
    audience: str
    version: int
    errors: dict[str, str] = field(default_factory=dict)
    is_older: bool = False
    price: str = ""  # the price as typed


@dataclass(frozen=True)
class Option:
    """One option of a field, identified by its position."""

    position: int
    label: str
    is_allowed: bool
    is_value: bool


@dataclass(frozen=True)
class FieldPart:
    """One field on the page. `meanwhile` says what another admin has saved for it since this page was opened."""

    line: FieldLine
    edit: FieldEdit
    error: str = ""
    meanwhile: str = ""

    @property
    def name(self) -> str:
        return self.question.field_name

    @property
    def question(self) -> Question:
        """The field as the app defines it."""
        return self.line.plain

    @property
    def label(self) -> str:
        return self.edit.label or self.question.label

    @property
    def own_label(self) -> str:
        """The label that the app itself gives the field; "" if the admin hasn't changed it."""
        return self.question.label if self.edit.label and self.edit.label != self.question.label else ""

    @property
    def is_changed(self) -> bool:
        return self.edit != FieldEdit()

    @property
    def is_unfolded(self) -> bool:
        return bool(self.error or self.meanwhile)

    @property
    def is_needed(self) -> bool:
        """Whether a locked or hidden field needs a value, because the app has no default."""
        return self.question.default is None

    @property
    def type_words(self) -> str:
        """What kind of value people enter."""
        q = self.question
        if q.kind == "options":
            count = len(q.options)
            return ngettext("%(count)s option", "%(count)s options", count) % {"count": number_words(count)}
        if q.kind == "url":
            return _("files") if q.is_multiple else _("a file")
        return _("text")

    @property
    def state_words(self) -> str:
        """What the admin has set besides the label, in a few words; shown while the field is collapsed."""
        return " · ".join(edit_words(replace(self.edit, label=""), self.question))

    @property
    def all_words(self) -> str:
        """Everything that the admin has set, in a few words."""
        return " · ".join(edit_words(self.edit, self.question))

    @property
    def modes(self) -> list[tuple[str, str, str, str, bool]]:
        """The ways people can use the field: for each, its value, icon, label and explanation, and whether it is
        chosen."""
        told = {
            Mode.OPEN: ("edit", _("Open"), _("People fill it in.")),
            Mode.LOCKED: ("lock", _("Locked"), _("People see the value but can't change it.")),
            Mode.HIDDEN: ("away", _("Hidden"), _("People don't see it, but its value is sent.")),
        }
        return [(str(mode), *words, mode == self.edit.mode) for mode, words in told.items()]

    @property
    def is_typed(self) -> bool:
        """Whether the field has too many options for checkboxes, so that admins type the allowed ones instead."""
        return len(self.question.options) > TICKED_UP_TO

    @property
    def options(self) -> list[Option]:
        allowed = self.edit.options
        seen: dict[str, int] = {}
        for position, label in enumerate(self.question.options):
            seen.setdefault(label, position)
        return [
            Option(position, label, not allowed or label in allowed, label == self.edit.value)
            for label, position in seen.items()
        ]

    @property
    def lines(self) -> str:
        """The allowed options, one per line; empty if all are allowed."""
        return "\n".join(self.edit.options)

    @property
    def accept(self) -> str:
        return ",".join(f"{kind}/*" for kind in self.question.accept)


def edit_words(edit: FieldEdit, question: Question) -> list[str]:
    """Return what `edit` changes about a field, in a few words for each change; empty if it changes nothing."""
    words = []
    if edit.label:
        words.append(_("label “%(label)s”") % {"label": edit.label})
    if edit.help:
        words.append(_("custom help text"))
    if edit.mode != Mode.OPEN:
        value = edit.file.name if edit.file else " ".join((edit.value or question.default_words).split())
        value = f"{value[:59]}…" if len(value) > 60 else value
        told = {Mode.LOCKED: _("locked to “%(value)s”"), Mode.HIDDEN: _("hidden, sends “%(value)s”")}
        none = {Mode.LOCKED: _("locked"), Mode.HIDDEN: _("hidden")}
        words.append(told[Mode(edit.mode)] % {"value": value} if value else none[Mode(edit.mode)])
    elif edit.options:
        count = len(edit.options)
        allowed = ngettext("%(count)s of %(total)s options", "%(count)s of %(total)s options", count)
        words.append(allowed % {"count": number_words(count), "total": number_words(len(set(question.options)))})
    return words


def read_settings(
    admin: Member, app: App, given: QueryDict, files: "MultiValueDict[str, UploadedFile[bytes]]"
) -> PostedSettings:
    """Read the posted page. Files are first saved as the admin's uploads, so that none are lost if there are errors."""
    posted = AppSettingsForm.read(given)
    schema = AppSchema.objects.filter(app=app, version=posted["schema"]).first() or app.schema
    errors: dict[str, str] = {}
    fields = {
        question.field_name: _field(admin, app, question, given, files, errors)
        for question in questions_of(schema.parameters if schema else [])
        if f"{question.field_name}-mode" in given
    }
    is_older = schema is not None and app.schema is not None and schema.pk != app.schema.pk
    if is_older and schema and app.schema:
        fields, errors = _in_present_form(fields, schema, app.schema), {}
    audience = posted["audience"] if posted["audience"] in AUDIENCES else "all"
    if audience == "some" and not posted["role"]:
        errors["audience"] = _("Tick at least one role, or choose another option.")
    forget = posted["forget"]
    edit = AppEdit(
        is_hidden=audience == "hidden",
        roles=() if audience == "all" else [role for role in posted["role"] if role in Member.Role.values],
        name=" ".join(posted["name"].split()),
        line=" ".join(posted["line"].split()),
        group=" ".join(posted["group"].split()),
        house_rules=clean_text(posted["house_rules"]).strip(),
        fields=fields,
    )
    lost = [row for row in app_rules.lost_rules(app) if str(row.pk) in forget] if forget else []
    settings = AppSettings(edit, posted["asks"], _price(posted["price"], errors), lost)
    return PostedSettings(settings, audience, posted["seen"], errors, is_older, posted["price"].strip())


def fitted(posted: PostedSettings, old: AppSchema | None, new: AppSchema | None) -> PostedSettings:
    """Convert `posted`, which was read for the form `old`, to fit the form `new` that has since replaced it."""
    if old == new:
        return posted
    edit = posted.settings.edit
    edit = replace(edit, fields=_in_present_form(edit.fields, old, new) if old and new else {})
    return replace(posted, settings=replace(posted.settings, edit=edit), is_older=True)


def _price(typed: str, errors: dict[str, str]) -> Decimal | None:
    try:
        price: Decimal | None = CreditsField().clean(typed)
    except ValidationError as error:
        errors["price"] = error.messages[0]
        return None
    return price


def parts_of(
    lines: Sequence[FieldLine], edit: AppEdit, errors: dict[str, str], stored: AppEdit | None
) -> list[FieldPart]:
    """Return the fields for the page; if `stored` is given, each field says what another admin has saved for it in the
    meantime."""
    parts = []
    for line in lines:
        name = line.plain.field_name
        # A field that wasn't on the posted page keeps its stored settings
        wanted = edit.fields.get(name, field_edit(line.row))
        now = stored.fields.get(name, FieldEdit()) if stored else wanted
        meanwhile = "" if now == wanted else " · ".join(edit_words(now, line.plain)) or _("same as on Lamina")
        parts.append(FieldPart(line, wanted, errors.get(name, ""), meanwhile))
    return parts


def _field(
    admin: Member,
    app: App,
    question: Question,
    given: QueryDict,
    files: "MultiValueDict[str, UploadedFile[bytes]]",
    errors: dict[str, str],
) -> FieldEdit:
    """Return what was posted for `question`; add any problems to `errors`."""
    form = FieldSettingsForm(given, prefix=question.field_name)
    form.full_clean()
    posted = form.cleaned_data
    mode = posted["mode"] if posted["mode"] in Mode.values else Mode.OPEN
    allowed = _allowed(question, posted, errors) if question.kind == "options" and mode == Mode.OPEN else ()
    return FieldEdit(
        label=" ".join(posted["label"].split()),
        help=clean_text(posted["help"]).strip(),
        mode=mode,
        value=_value(question, posted),
        file=_file(admin, app, question, posted, files, errors) if question.kind == "url" else None,
        options=allowed,
    )


def _value(question: Question, posted: dict[str, str]) -> str | None:
    if question.kind == "text":
        return clean_text(posted["text"]) or None
    at = number_in(posted["option"], 0, len(question.options) - 1, None)
    return question.options[at] if question.kind == "options" and at is not None else None


def _allowed(question: Question, posted: dict[str, list[str]], errors: dict[str, str]) -> tuple[str, ...]:
    """Return the allowed options; an empty list means all."""
    labels = list(dict.fromkeys(question.options))
    if len(question.options) > TICKED_UP_TO:
        return _typed_options(labels, str(posted["lines"]), errors, question.field_name)
    wanted = {number_in(at, 0, len(question.options) - 1, None) for at in posted["allowed"]}
    chosen = tuple(label for label in labels if question.options.index(label) in wanted)
    if not chosen:
        errors[question.field_name] = str(app_rules.NONE_ALLOWED)
    return () if len(chosen) == len(labels) else chosen


def _typed_options(labels: list[str], typed: str, errors: dict[str, str], name: str) -> tuple[str, ...]:
    wanted = [line.strip() for line in typed.splitlines() if line.strip()]
    known = {" ".join(label.split()): label for label in labels}
    strange = [line for line in wanted if " ".join(line.split()) not in known]
    if strange:
        errors[name] = _("“%(option)s” isn't one of the app's options.") % {"option": strange[0][:100]}
    chosen = {known[" ".join(line.split())] for line in wanted if " ".join(line.split()) in known}
    return tuple(label for label in labels if label in chosen)


def _file(
    admin: Member,
    app: App,
    question: Question,
    posted: dict[str, str],
    files: "MultiValueDict[str, UploadedFile[bytes]]",
    errors: dict[str, str],
) -> StoredFile | None:
    """Return the file for a locked field: the one just uploaded, or the existing one."""
    sent = files.getlist(f"{question.field_name}_file")
    if sent:
        try:
            return uploads.receive_file(admin, sent[-1], list(question.accept)).file
        except UploadRejected as rejected:
            errors[question.field_name] = str(rejected)
    if posted["own"] or not posted["kept"]:
        return None
    own = Upload.objects.owned_by(admin).filter(file__public_id=posted["kept"]).values("file")
    locked = FieldRule.objects.filter(app=app, file__public_id=posted["kept"]).values("file")
    return StoredFile.objects.filter(pk__in=own).first() or StoredFile.objects.filter(pk__in=locked).first()


def _in_present_form(fields: Mapping[str, FieldEdit], old: AppSchema, new: AppSchema) -> dict[str, FieldEdit]:
    """Convert settings posted for an older form to the fields of the current form. Settings for fields that no longer
    exist are dropped."""
    before, after = questions_of(old.parameters), questions_of(new.parameters)
    rules = [Rule(key=q.key, id=q.id, name=q.name) for q in before]
    handles = {id(rule): q for rule, q in zip(rules, before, strict=True)}
    found = match_rules(after, rules).by_position
    fitted = {}
    for question in after:
        was = handles[id(found[question.position])] if question.position in found else None
        if was is not None and was.field_name in fields and was.kind == question.kind:
            fitted[question.field_name] = fields[was.field_name]
    return fitted
