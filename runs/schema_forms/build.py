"""The form with an app's questions and results, and what the templates need of each question."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.formats import number_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from runs.schema_forms.answers import Answer
from runs.schema_forms.choices import Choice, choices_of
from runs.schema_forms.field_rules import closed_answers
from runs.schema_forms.fields import AnswerField, Lookup, UrlAnswerField, field_for
from runs.schema_forms.file_words import FileWords, file_words
from runs.schema_forms.inputs import fit_answers
from runs.schema_forms.questions import Question, clean_text
from runs.schema_forms.results import Result, ResultsField
from runs.schema_forms.types import UploadInfo

CARDS_UP_TO = 6
SEARCH_BEYOND = 20
SUMMARY_CHARACTERS = 60

Samples = Mapping[str, Mapping[str, str]]


class BoundAnswer(BoundField):
    """A question with its value, for the templates in schema_forms/."""

    field: AnswerField
    form: "SchemaForm"

    @property
    def question(self) -> Question:
        return self.field.question

    @property
    def answer(self) -> Answer:
        """The current answer, valid or not."""
        return self.field.typed(self.value())

    @property
    def template_name(self) -> str:
        """The template for the control."""
        return f"schema_forms/_{self.control}.html"

    @cached_property
    def control(self) -> str:
        if self.question.is_fixed:
            return "locked"
        if self.question.kind == "options":
            return "cards" if len(self.choices) <= CARDS_UP_TO else "select"
        return self.question.kind

    # --- errors and ids ---

    @property
    def error(self) -> str:
        return self.form.error_of(self.name)

    @property
    def focus_id(self) -> str:
        """The id of the element to focus when someone follows a link in the error list."""
        if self.control == "cards":
            return self.choices[0].id
        if self.control == "locked":
            return f"{self.name}-field"
        return f"{self.name}_file" if self.control == "url" else self.name

    @property
    def describedby(self) -> str:
        """The ids of the elements that describe the control."""
        parts = [(self.error, "error"), (self.question.help, "help"), (self.note, "note")]
        return " ".join(f"{self.name}-{suffix}" for text, suffix in parts if text)

    @property
    def note(self) -> str:
        """The portal's own note about the field, if there is one."""
        q = self.question
        if q.is_fixed:
            return ""
        if q.is_unknown:
            return _("The portal doesn't recognize this kind of field. Your text will be sent unchanged.")
        if q.options_left_out:
            total = len(q.options) + q.options_left_out
            words = ngettext("Showing %(shown)s of %(total)s option.", "Showing %(shown)s of %(total)s options.", total)
            return words % {"shown": _number(len(q.options)), "total": _number(total)}
        is_shown_elsewhere = q.kind == "options" or (q.prefill if q.kind == "text" else q.samples)
        if q.default_words and not is_shown_elsewhere:
            return _("If you leave this empty, the app uses: %(default)s") % {"default": q.default_words[:300]}
        return ""

    # --- text ---

    @property
    def text(self) -> str:
        """The current text in the field."""
        value = self.value()
        return clean_text(value) if isinstance(value, str) else ""

    @property
    def rows(self) -> int:
        """The initial height in lines: one for numbers, two for text."""
        default = self.question.default
        return 1 if default is not None and isinstance(default, int | float) else 2

    @property
    def placeholder(self) -> str:
        """The default as a placeholder: if the field is left empty, nothing is sent, so the app uses its default."""
        words = " ".join(self.question.prefill.split())
        return _("Default: %(default)s") % {"default": words[:SUMMARY_CHARACTERS]} if words else ""

    # --- options ---

    @cached_property
    def choices(self) -> list[Choice]:
        return choices_of(self.question, self.name, self.value())

    @property
    def is_searchable(self) -> bool:
        return len(self.choices) > SEARCH_BEYOND

    @property
    def search_label(self) -> str:
        """The label of the search box for the options."""
        count = len(self.choices)
        words = ngettext("%(question)s: search %(count)s option", "%(question)s: search %(count)s options", count)
        return words % {"count": _number(count), "question": self.question.label}

    @property
    def search_hint(self) -> str:
        """The placeholder of the search box."""
        count = len(self.choices)
        return ngettext("Search %(count)s option", "Search %(count)s options", count) % {"count": _number(count)}

    # --- files ---

    @cached_property
    def uploads(self) -> list[UploadInfo]:
        """The uploads in the field. A file that no longer exists stays in the form and is marked as missing."""
        if self.question.rule and self.question.rule.file:
            return [self.question.rule.file]
        ids = self.answer.upload_ids
        infos = {upload.id: upload for upload in self.form.look_up(list(ids))}
        problem = _("This file is no longer available. Remove it or add it again.")
        return [infos.get(i) or UploadInfo(id=i, name=_("Missing file"), status="failed", error=problem) for i in ids]

    @property
    def link(self) -> str:
        """A link that was entered but hasn't been fetched yet."""
        link = self.answer.link
        return "" if link in {upload.source_url for upload in self.uploads} else link

    @property
    def accept_attribute(self) -> str:
        """The file types that the file dialog offers; empty for all. People can still pick other files, but the content
        is always checked."""
        return ",".join(f"{kind}/*" for kind in self.question.accept)

    @cached_property
    def file_words(self) -> FileWords:
        return file_words(self.question)

    @property
    def takes_pictures(self) -> bool:
        return not self.question.accept or "image" in self.question.accept

    @property
    def sample_pictures(self) -> list[dict[str, str]]:
        """URLs of our copies of the app author's sample files."""
        return [dict(self.form.samples[url]) for url in self.question.samples if url in self.form.samples]

    # --- more options ---

    @property
    def is_changed(self) -> bool:
        """Whether someone has changed the answer from the app's default."""
        return not self.answer.is_default and not self.question.is_fixed

    @property
    def summary(self) -> str:
        """The current answer in a few words, shown while the field is collapsed."""
        if self.question.kind == "url":
            count = len(self.answer.upload_ids)
            chosen = ngettext("%(count)s chosen", "%(count)s chosen", count) % {"count": _number(count)}
            return chosen if count else pgettext("files", "none")
        words = " ".join(self.answer.text.split())
        if len(words) > SUMMARY_CHARACTERS:
            words = f"{words[:SUMMARY_CHARACTERS].rstrip()}…"
        if words:
            return words
        return pgettext("answer", "up to the app") if self.question.kind == "options" else pgettext("answer", "empty")


class SchemaForm(forms.Form):
    """One app's form, with a field for each of its `questions` (named by position), and one for its `results`.

    `answers` and `wanted_outputs` (labels or indexes of results) prefill an unbound form. `uploads` looks up the files
    in the form; `samples` returns a mapping from the URL of each of the author's sample files to {"small_url",
    "card_url"}. `field_errors` maps field names ("p0", "outputs", "" for the form) to error messages from failed
    uploads or from Lamina; even unbound forms show these.
    """

    bound_field_class = BoundAnswer
    fields: dict[str, forms.Field]

    def __init__(
        self,
        questions: Sequence[Question],
        results: list[Result],
        data: Mapping[str, Any] | None = None,
        *,
        answers: list[Answer] | None = None,
        wanted_outputs: Iterable[str | int] | None = None,
        uploads: Lookup = lambda ids: [],
        samples: Callable[[], Samples] = dict,
        field_errors: Mapping[str, str] | None = None,
    ) -> None:
        fitted = fit_answers(questions, answers or [])
        super().__init__(data, initial=fitted.initial, auto_id="%s")
        self.fields = {question.field_name: field_for(question) for question in questions}
        if results:
            self.fields["outputs"] = ResultsField(results)
        self.results = results
        self.dropped = fitted.dropped
        self.field_errors = dict(field_errors or {})
        self._lookup, self._find_samples = uploads, samples
        self._known: dict[str, UploadInfo] = {}
        for field in self.fields.values():
            if isinstance(field, UrlAnswerField):
                field.lookup = self.look_up
            elif isinstance(field, ResultsField):
                self.initial["outputs"] = field.values_for(wanted_outputs)

    # --- fields and results ---

    @cached_property
    def samples(self) -> Samples:
        """Our copies of the app author's sample files, looked up when the page first needs one."""
        return self._find_samples()

    @cached_property
    def questions(self) -> list[BoundAnswer]:
        """All questions in the author's order, including those that the admin hides."""
        return [bound for bound in self if isinstance(bound, BoundAnswer)]

    @cached_property
    def shown(self) -> list[BoundAnswer]:
        """The questions on the page, including locked ones."""
        return [bound for bound in self.questions if not bound.question.is_hidden]

    @cached_property
    def needed(self) -> list[BoundAnswer]:
        """Fields that must be filled in because they have no default. Locked fields without a default are listed here
        too."""
        return [b for b in self.shown if b.question.is_needed or (b.question.is_fixed and b.question.default is None)]

    @cached_property
    def optional(self) -> list[BoundAnswer]:
        """Optional fields, which have a default."""
        names = {bound.name for bound in self.needed}
        return [bound for bound in self.shown if bound.name not in names]

    @cached_property
    def unfolded(self) -> list[BoundAnswer]:
        """Optional fields shown outside "More options": all of them if no field is required, otherwise just the most
        important ones.

        The most important ones are the first text field that the author left empty, and fields with sample files,
        because a run that uses only the samples costs as much as any other.
        """
        lead = self._first_empty_text
        return [b for b in self.optional if not self.needed or b.question.samples or b.question is lead]

    @cached_property
    def folded(self) -> list[BoundAnswer]:
        """Optional fields under "More options"."""
        unfolded = {bound.name for bound in self.unfolded}
        return [bound for bound in self.optional if bound.name not in unfolded]

    @property
    def runs_as_it_is(self) -> bool:
        """Whether it makes sense to run the app without filling in the form: no field is required, and every text field
        has a default."""
        return not any(bound.question.is_needed for bound in self.needed) and self._first_empty_text is None

    @cached_property
    def _first_empty_text(self) -> Question | None:
        """The first text question that the author didn't give a default, required or not."""
        questions = (bound.question for bound in self.shown if not bound.question.is_fixed)
        return next((q for q in questions if q.kind == "text" and not q.is_unknown and not q.default_words), None)

    @property
    def is_folded_open(self) -> bool:
        """Whether "More options" must be open because one of its fields has an error or an answer other than the
        default."""
        return any(bound.error or bound.is_changed for bound in self.folded)

    @property
    def has_fields(self) -> bool:
        """Whether there is anything to fill in."""
        return any(not bound.question.is_fixed for bound in self.questions)

    @property
    def has_choice(self) -> bool:
        """Whether there are several results to choose from."""
        return len(self.results) > 1

    @cached_property
    def ticked(self) -> list[Result]:
        field = self.fields.get("outputs")
        return field.ticked(self["outputs"].value() or []) if isinstance(field, ResultsField) else []

    @property
    def ticked_values(self) -> list[str]:
        return [result.value for result in self.ticked]

    def look_up(self, ids: list[str]) -> list[UploadInfo]:
        """Return uploads by id. The first call fetches all uploads in the form at once."""
        if missing := [upload for upload in ids if upload not in self._known]:
            all_ids = dict.fromkeys([*missing, *self._all_ids()])
            self._known |= {upload.id: upload for upload in self._lookup(list(all_ids))}
        return [self._known[upload] for upload in ids if upload in self._known]

    def _all_ids(self) -> list[str]:
        urls = [bound for bound in self.questions if isinstance(bound.field, UrlAnswerField)]
        return [upload for bound in urls for upload in bound.value().uploads]

    # --- answers ---

    def answers(self) -> list[Answer]:
        """Return all answers of a valid form, in the author's order."""
        return [self.cleaned_data[name] for name, field in self.fields.items() if isinstance(field, AnswerField)]

    def draft_answers(self, before: Sequence[Answer] = ()) -> list[Answer]:
        """Return all answers that people gave in the form, valid or not, but not the values that the admin fixed.

        Earlier answers (`before`) to fields that are now fixed are kept, in case the admin opens those fields again.
        """
        answers = [bound.answer for bound in self.questions if not bound.question.is_fixed]
        return [*answers, *closed_answers([bound.question for bound in self.questions], before)]

    def all_answers(self) -> list[Answer]:
        """Return all answers in the form, valid or not, including those that the admin fixed."""
        return [bound.answer for bound in self.questions]

    def wanted_outputs(self) -> list[int]:
        """Return the indexes of the results to make. A valid form has at least one, unless the app lists no results."""
        return sorted(index for result in self.ticked for index in result.indexes)

    def draft_outputs(self) -> list[int] | None:
        """Return the indexes of the ticked results, for a draft; None if the app lists no results."""
        return self.wanted_outputs() if self.results else None

    # --- errors ---

    @property
    def dropped_words(self) -> list[str]:
        """A list with one sentence naming the answers that no longer fit, or an empty list if they all still fit."""
        if not self.dropped:
            return []
        quoted = [_("“%(name)s”") % {"name": name} for name in self.dropped]
        words = ngettext(
            "Your answer for %(names)s is no longer valid. Choose again.",
            "Your answers for %(names)s are no longer valid. Choose again.",
            len(quoted),
        )
        return [words % {"names": get_text_list(quoted, pgettext("between the last two of a list", "and"))}]

    def clean(self) -> dict[str, Any]:
        for name, sentence in self.field_errors.items():
            field = name if name in self.fields else None
            if field:
                # The message about the refused file is more helpful than the one about the empty field
                self.errors.pop(field, None)
            self.add_error(field, sentence)
        return self.cleaned_data

    def error_of(self, name: str) -> str:
        """Return the error message for the field `name` ("" for the whole form); empty if there is no error."""
        if self.is_bound:
            return " ".join(str(sentence) for sentence in self.errors.get(name or "__all__", []))
        return self.field_errors.get(name, "")

    @property
    def form_error(self) -> str:
        """Errors that don't belong to a field on the page."""
        strangers = [] if self.is_bound else [n for n in self.field_errors if n not in self.fields]
        hidden = [b for b in self.questions if b.question.is_hidden and b.error]
        errors = [f"{b.question.label}: {b.error}" for b in hidden]
        return self.error_of("") or " ".join([*errors, *(self.field_errors[name] for name in strangers)])

    @property
    def results_error(self) -> str:
        return self.error_of("outputs")

    @property
    def error_list(self) -> list[tuple[str, str, str]]:
        """A tuple (id to jump to, label, message) for each field with an error, in page order."""
        visible = [*self.needed, *self.unfolded, *self.folded]
        errors = [(bound.focus_id, bound.question.label, bound.error) for bound in visible if bound.error]
        if self.results and self.results_error:
            target = f"outputs-{self.results[0].value}" if len(self.results) > 1 else "outputs"
            errors.append((target, _("Results"), self.results_error))
        return errors


def _number(count: int) -> str:
    return number_format(count, use_l10n=True, force_grouping=True)
