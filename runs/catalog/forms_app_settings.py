"""What admins send from the page where they set up an app: the settings of the app and of each of its fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from runs.catalog.app_settings import PLAIN_FIELDS, AppSettings, FieldSettings, lost_rules
from runs.catalog.save_app_settings import NONE_ALLOWED
from runs.models import App, AppRule, AppSchema, FieldRule, Member, StoredFile, Upload
from runs.schema_forms.field_rules import match_rules
from runs.schema_forms.questions import Question, clean_text
from runs.schema_forms.types import Rule
from runs.uploads import uploads
from runs.uploads.uploads import UploadRejected
from runs.web.posted import CreditsField, CutField, NameField, PostedForm, RepeatedField, SwitchField, number_seen
from runs.words.numbers import number_in

TICKED_UP_TO = 24  # fields with up to this many options show checkboxes; for others, admins type one option per line
AUDIENCES = ("all", "some", "hidden")
Mode = FieldRule.Mode


class LinesField(CutField):
    """Text of any number of lines, without white space at its ends."""

    def to_python(self, value: Any) -> str:
        return clean_text(super().to_python(value)).strip()


class AppSettingsForm(PostedForm):
    """An app's settings page, as posted: the plain settings (`AppRule.PLAIN`) and those below.

    `seen` is the version of the rules that the page showed, and `schema` the version of the app's form. `forget` lists
    the rules to delete because their fields no longer exist.
    """

    seen = CutField(12)
    schema = CutField(16)
    audience = CutField(10)
    role = RepeatedField()
    asks = SwitchField()
    price = CutField()
    forget = RepeatedField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields |= {field.name: _plain_field(field) for field in PLAIN_FIELDS}

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])

    def clean_audience(self) -> str:
        audience: str = self.cleaned_data["audience"]
        return audience if audience in AUDIENCES else "all"

    def clean_role(self) -> list[str]:
        return [role for role in self.cleaned_data["role"] if role in Member.Role.values]


class FieldSettingsForm(PostedForm):
    """An admin's settings for one field; the prefix is the field's name in the app's form.

    The value of a locked field is in `text`, `option` (the option's position) or `kept` (the id of an existing file).
    If `own` is set, the app's own default is used instead of that file. Allowed options are either ticked (`allowed`)
    or typed, one per line (`lines`).
    """

    label = NameField()
    help = LinesField()
    mode = CutField(10)
    text = CutField()
    option = CutField(6)
    kept = CutField(16)
    own = SwitchField()
    allowed = RepeatedField()
    lines = CutField()

    def clean_mode(self) -> str:
        mode: str = self.cleaned_data["mode"]
        return mode if mode in Mode.values else Mode.OPEN


class ResetForm(PostedForm):
    """Confirms a reset. `seen` is the version of the rules that the page showed when it asked for confirmation."""

    seen = CutField(12)

    def clean_seen(self) -> int:
        return number_seen(self.cleaned_data["seen"])


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


def read_settings(
    admin: Member, app: App, data: QueryDict, files: "MultiValueDict[str, UploadedFile[bytes]]"
) -> PostedSettings:
    """Read the posted page. Files are first saved as the admin's uploads, so that none are lost if there are errors."""
    posted = AppSettingsForm.read(data)
    schema = AppSchema.objects.filter(app=app, version=posted["schema"]).first() or app.schema
    errors: dict[str, str] = {}
    fields = {
        question.field_name: _field(admin, app, question, data, files, errors)
        for question in (schema.questions if schema else ())
        if f"{question.field_name}-mode" in data
    }
    is_older = schema is not None and app.schema is not None and schema.pk != app.schema.pk
    if is_older and schema and app.schema:
        fields, errors = _in_present_form(fields, schema, app.schema), {}
    audience = posted["audience"]
    if audience == "some" and not posted["role"]:
        errors["audience"] = _("Tick at least one role, or choose another option.")
    forget = posted["forget"]
    settings = AppSettings(
        {name: posted[name] for name in AppRule.PLAIN},
        is_hidden=audience == "hidden",
        roles=() if audience == "all" else posted["role"],
        asks_review=posted["asks"],
        price=_price(posted["price"], errors),
        fields=fields,
        forget=[row for row in lost_rules(app) if str(row.pk) in forget] if forget else [],
    )
    return PostedSettings(settings, audience, posted["seen"], errors, is_older, posted["price"].strip())


def fitted(posted: PostedSettings, old: AppSchema | None, new: AppSchema | None) -> PostedSettings:
    """Convert `posted`, which was read for the form `old`, to fit the form `new` that has since replaced it."""
    if old == new:
        return posted
    fields = _in_present_form(posted.settings.fields, old, new) if old and new else {}
    return replace(posted, settings=replace(posted.settings, fields=fields), is_older=True)


def _plain_field(field: "models.Field[Any, Any]") -> forms.Field:
    if isinstance(field, models.BooleanField):
        return SwitchField()
    return LinesField() if isinstance(field, models.TextField) else NameField()


def _price(text: str, errors: dict[str, str]) -> Decimal | None:
    try:
        price: Decimal | None = CreditsField().clean(text)
    except ValidationError as error:
        errors["price"] = error.messages[0]
        return None
    return price


def _field(
    admin: Member,
    app: App,
    question: Question,
    data: QueryDict,
    files: "MultiValueDict[str, UploadedFile[bytes]]",
    errors: dict[str, str],
) -> FieldSettings:
    """Return what was posted for `question`; add any problems to `errors`."""
    form = FieldSettingsForm(data, prefix=question.field_name)
    form.full_clean()
    posted = form.cleaned_data
    mode = posted["mode"]
    allowed = _allowed(question, posted, errors) if question.kind == "options" and mode == Mode.OPEN else ()
    return FieldSettings(
        label=posted["label"],
        help=posted["help"],
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
    positions = {number_in(at, 0, len(question.options) - 1, None) for at in posted["allowed"]}
    options = tuple(label for label in labels if question.options.index(label) in positions)
    if not options:
        errors[question.field_name] = str(NONE_ALLOWED)
    return () if len(options) == len(labels) else options


def _typed_options(labels: list[str], text: str, errors: dict[str, str], name: str) -> tuple[str, ...]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    by_text = {" ".join(label.split()): label for label in labels}
    strange = [line for line in lines if " ".join(line.split()) not in by_text]
    if strange:
        errors[name] = _("“%(option)s” isn't one of the app's options.") % {"option": strange[0][:100]}
    options = {by_text[" ".join(line.split())] for line in lines if " ".join(line.split()) in by_text}
    return tuple(label for label in labels if label in options)


def _file(
    admin: Member,
    app: App,
    question: Question,
    posted: dict[str, str],
    files: "MultiValueDict[str, UploadedFile[bytes]]",
    errors: dict[str, str],
) -> StoredFile | None:
    """Return the file for a locked field: the one just uploaded, or the existing one."""
    pictures = files.getlist(f"{question.field_name}_file")
    if pictures:
        try:
            return uploads.receive_file(admin, pictures[-1], list(question.accept)).file
        except UploadRejected as rejected:
            errors[question.field_name] = str(rejected)
    if posted["own"] or not posted["kept"]:
        return None
    own = Upload.objects.owned_by(admin).filter(file__public_id=posted["kept"]).values("file")
    locked = FieldRule.objects.filter(app=app, file__public_id=posted["kept"]).values("file")
    return StoredFile.objects.filter(pk__in=own).first() or StoredFile.objects.filter(pk__in=locked).first()


def _in_present_form(fields: Mapping[str, FieldSettings], old: AppSchema, new: AppSchema) -> dict[str, FieldSettings]:
    """Convert settings posted for an older form to the fields of the current form. Settings for fields that no longer
    exist are dropped."""
    rules = [Rule(key=q.key, id=q.id, name=q.name) for q in old.questions]
    handles = {id(rule): q for rule, q in zip(rules, old.questions, strict=True)}
    matches = match_rules(new.questions, rules).by_position
    fitted = {}
    for question in new.questions:
        was = handles[id(matches[question.position])] if question.position in matches else None
        if was is not None and was.field_name in fields and was.kind == question.kind:
            fitted[question.field_name] = fields[was.field_name]
    return fitted
