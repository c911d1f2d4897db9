"""Django fields for each kind of question. Cleaning returns an Answer; posted text isn't stripped, only made ready to
store and send (`clean_text`). The templates in schema_forms/ render these fields."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from runs.schema_forms.answers import Answer, Files, Value
from runs.schema_forms.field_rules import fixed_answer
from runs.schema_forms.file_words import add_words, unfit_words
from runs.schema_forms.questions import Question, clean_text
from runs.schema_forms.types import UploadInfo

Lookup = Callable[[list[str]], list[UploadInfo]]


def all_of(data: Mapping[str, Any], name: str) -> list[str]:
    """Return every value posted as `name`, in order."""
    if isinstance(data, MultiValueDict):
        return list(data.getlist(name))
    value = data.get(name, [])
    return list(value) if isinstance(value, list | tuple) else [value]


class OneValue(forms.Widget):
    """A widget for a single value, exactly as it was posted."""


class ManyValues(forms.Widget):
    """A widget for all values posted under the same name, in page order."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[str]:
        return all_of(data, name)


class UploadValues(forms.Widget):
    """A widget for a `url` field. It reads <name>_kept for each upload, in page order, and <name>_link."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Files:
        ids = dict.fromkeys(upload for upload in all_of(data, f"{name}_kept") if upload)
        return Files(tuple(ids), str(data.get(f"{name}_link") or "").strip())


class AnswerField(forms.Field):
    """A question as a form field. Subclasses interpret the posted value."""

    fixed: Answer | None = None  # what a locked or hidden field always sends, no matter what is posted

    def __init__(self, question: Question, widget: forms.Widget) -> None:
        super().__init__(required=question.is_needed, label=question.label, help_text=question.help, widget=widget)
        self.question = question

    def typed(self, raw: Any) -> Answer:
        """Return the answer in the field, valid or not."""
        return self.fixed or self._typed(raw)

    def check(self, raw: Any) -> None:
        """Raise ValidationError with a message if `raw` can't be sent. Values that the admin fixed aren't checked,
        because people couldn't correct them."""
        if self.fixed is None:
            self._check(raw)

    def clean(self, value: Any) -> Answer:
        self.check(value)
        return self.fixed or self._cleaned(value)

    def _typed(self, raw: Any) -> Answer:
        raise NotImplementedError

    def _check(self, raw: Any) -> None:
        raise NotImplementedError

    def _cleaned(self, raw: Any) -> Answer:
        return self._typed(raw)

    def answer(self, value: Value, *, is_default: bool) -> Answer:
        q = self.question
        return Answer(q.name, q.key, q.id, q.type, value, is_default)


class TextAnswerField(AnswerField):
    """A text field, also used for unknown types. If it is left empty, the app's default applies."""

    def __init__(self, question: Question) -> None:
        super().__init__(question, OneValue())
        self.initial = question.prefill

    def _typed(self, raw: Any) -> Answer:
        text = clean_text(raw) if isinstance(raw, str) else ""
        if not self.question.is_needed and text in ("", self.question.prefill):
            return self.answer(self.question.default_words, is_default=True)
        return self.answer(text, is_default=False)

    def _check(self, raw: Any) -> None:
        if self.question.is_needed and not raw:
            raise forms.ValidationError(_("Write something here."), code="needed")


class OptionsAnswerField(AnswerField):
    """A field for picking one of the listed labels. The label's position is posted, because browsers would change line
    endings in the label itself."""

    def __init__(self, question: Question) -> None:
        super().__init__(question, OneValue())
        self.initial = "" if question.default_option is None else str(question.default_option)

    def position(self, raw: Any) -> int | None:
        """Return the option position in `raw`; None if there is no such option, or if the rules don't allow it."""
        if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 6:
            position, allowed = int(raw), self.question.allowed
            is_there = position < len(self.question.options)
            return position if is_there and (allowed is None or self.question.options[position] in allowed) else None
        return None

    def _typed(self, raw: Any) -> Answer:
        position = self.position(raw)
        label = "" if position is None else self.question.options[position]
        default = self.question.default_option
        is_default = not self.question.is_needed and (
            position is None or (default is not None and label == self.question.options[default])
        )
        return self.answer(self.question.default_words if is_default else label, is_default=is_default)

    def _check(self, raw: Any) -> None:
        if raw and self.position(raw) is None:
            raise forms.ValidationError(_("Choose one of the listed options."), code="not_listed")
        if self.question.is_needed and not raw:
            raise forms.ValidationError(_("Choose one."), code="needed")


class UrlAnswerField(AnswerField):
    """A field for files and links, which are already uploads by the time the form gets them; the form sets `lookup`."""

    lookup: Lookup = staticmethod(lambda ids: [])

    def __init__(self, question: Question) -> None:
        super().__init__(question, UploadValues())
        self.initial = Files()

    def kept(self, raw: Files) -> tuple[str, ...]:
        """Return the upload ids to use: all of them, or only the newest if the field accepts a single file."""
        return raw.uploads if self.question.is_multiple else raw.uploads[-1:]

    def _typed(self, raw: Files) -> Answer:
        value = Files(self.kept(raw), raw.link)
        return self.answer(value, is_default=value == Files() and not self.question.is_needed)

    def _cleaned(self, raw: Files) -> Answer:
        files = Files(self.kept(raw))
        return self.answer(files, is_default=files == Files())

    def _check(self, raw: Files) -> None:
        ids = self.kept(raw)
        infos = {upload.id: upload for upload in self.lookup(list(ids))}
        for upload_id in ids:
            self._check_upload(infos.get(upload_id))
        if self.question.is_needed and not ids:
            raise forms.ValidationError(add_words(self.question.accept), code="needed")

    def _check_upload(self, upload: UploadInfo | None) -> None:
        """Check one upload. The file may still be loading from its link: the run will wait for it, and will fail at no
        cost if the file can't be used."""
        if upload is None:
            raise forms.ValidationError(_("One file is no longer available. Add it again."), code="gone")
        if upload.status == "failed":
            words = _("“%(name)s” can't be used. Remove or replace it.") % {"name": upload.name}
            raise forms.ValidationError(words, code="failed")
        if upload.status == "removed":
            words = _("“%(name)s” was removed by the retention rules. Add it again.") % {"name": upload.name}
            raise forms.ValidationError(words, code="removed")
        if upload.status == "ready" and self.question.accept and upload.kind not in self.question.accept:
            raise forms.ValidationError(unfit_words(upload.name, self.question.accept), code="wrong_kind")


def field_for(question: Question) -> AnswerField:
    """Return the form field for `question`."""
    field_class = {"options": OptionsAnswerField, "url": UrlAnswerField, "text": TextAnswerField}[question.kind]
    field: AnswerField = field_class(question)
    field.fixed = fixed_answer(question)
    return field
