"""build_form: an app's parameter list and results as one form class. What leads in and out stands here too."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms

from runs.schema_forms.bound import BoundAnswer
from runs.schema_forms.fields import AnswerField, Lookup, UrlAnswerField, field_for
from runs.schema_forms.inputs import answers_for, map_field_errors, to_inputs
from runs.schema_forms.questions import questions_of
from runs.schema_forms.results import Result, ResultsField, results_of
from runs.schema_forms.types import Answer, Fitted, Outputs, Parameters, UploadInfo

__all__ = ["SchemaForm", "answers_for", "build_form", "map_field_errors", "to_inputs"]

Samples = Mapping[str, Mapping[str, str]]


class SchemaForm(forms.Form):
    """The form of one app; made by build_form.

    ANSWERS and WANTED (labels or indexes of results) fill a fresh form. UPLOADS looks up the files named in it, SAMPLES
    gives {"small_url", "card_url"} of the author's sample media by address. FIELD_ERRORS are sentences by field name
    ("p0", "outputs", "" for the form), from failed uploads or from Lamina; they show on fresh forms too.
    """

    parameters: ClassVar[Parameters] = []
    results: ClassVar[list[Result]] = []
    fields: dict[str, forms.Field]

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        answers: list[Answer] | None = None,
        wanted: Iterable[str | int] | None = None,
        uploads: Lookup = lambda ids: [],
        samples: Samples | None = None,
        field_errors: Mapping[str, str] | None = None,
    ) -> None:
        fitted = answers_for(self.parameters, answers) if answers else Fitted({})
        super().__init__(data, initial=fitted.initial, auto_id="%s")
        self.dropped = fitted.dropped
        self.samples = samples or {}
        self.field_errors = dict(field_errors or {})
        self._lookup = uploads
        self._known: dict[str, UploadInfo] = {}
        for field in self.fields.values():
            if isinstance(field, UrlAnswerField):
                field.lookup = self.look_up
            elif isinstance(field, ResultsField):
                self.initial["outputs"] = field.values_for(wanted)

    # --- what is in it ---

    @property
    def questions(self) -> list[BoundAnswer]:
        """Every field in the author's order."""
        return [bound for bound in self if isinstance(bound, BoundAnswer)]

    @property
    def needed(self) -> list[BoundAnswer]:
        """Fields that must be filled: those without a default."""
        return [bound for bound in self.questions if bound.question.is_needed]

    @property
    def optional(self) -> list[BoundAnswer]:
        """Fields that may be left alone: those with a default."""
        return [bound for bound in self.questions if not bound.question.is_needed]

    @property
    def sampled(self) -> list[BoundAnswer]:
        """Optional fields that fall back on the author's sample media: never folded, for a run on it costs the same."""
        return [bound for bound in self.optional if bound.question.samples]

    @property
    def folded(self) -> list[BoundAnswer]:
        """Optional fields that wait under "More options"."""
        return [bound for bound in self.optional if not bound.question.samples]

    @property
    def is_folded_open(self) -> bool:
        """Whether something folded needs to be seen: an error, or an answer that is not the default."""
        return any(bound.error or bound.is_changed for bound in self.folded)

    @property
    def ticked(self) -> list[Result]:
        field = self.fields.get("outputs")
        return field.ticked(self["outputs"].value() or []) if isinstance(field, ResultsField) else []

    @property
    def ticked_values(self) -> list[str]:
        return [result.value for result in self.ticked]

    def look_up(self, ids: list[str]) -> list[UploadInfo]:
        """Uploads by id, all those of the form in one go."""
        if missing := [upload for upload in ids if upload not in self._known]:
            asked = dict.fromkeys([*missing, *self._all_ids()])
            self._known |= {upload.id: upload for upload in self._lookup(list(asked))}
        return [self._known[upload] for upload in ids if upload in self._known]

    def _all_ids(self) -> list[str]:
        urls = [bound for bound in self.questions if isinstance(bound.field, UrlAnswerField)]
        return [upload for bound in urls for upload in bound.value()["uploads"]]

    # --- what comes out of it ---

    def answers(self) -> list[Answer]:
        """The answers of a valid form, in the author's order."""
        return [self.cleaned_data[name] for name, field in self.fields.items() if isinstance(field, AnswerField)]

    def draft_answers(self) -> list[Answer]:
        """Whatever is in the form, valid or not."""
        return [bound.field.typed(bound.value()) for bound in self.questions]

    def wanted_outputs(self) -> list[int]:
        """Indexes of the results to make; of a valid form at least one, unless the app tells of none."""
        return sorted(index for result in self.ticked for index in result.indexes)

    # --- errors ---

    def clean(self) -> dict[str, Any]:
        for name, sentence in self.field_errors.items():
            field = name if name in self.fields else None
            if field:
                self.errors.pop(field, None)  # a file that was refused explains an empty field better
            self.add_error(field, sentence)
        return self.cleaned_data

    def error_of(self, name: str) -> str:
        """The sentence beside field NAME ("" = the whole form), empty when all is well."""
        if self.is_bound:
            return " ".join(str(sentence) for sentence in self.errors.get(name or "__all__", []))
        return self.field_errors.get(name, "")

    @property
    def form_error(self) -> str:
        """What belongs to no field."""
        strangers = [] if self.is_bound else [n for n in self.field_errors if n not in self.fields]
        return self.error_of("") or " ".join(self.field_errors[name] for name in strangers)

    @property
    def results_error(self) -> str:
        return self.error_of("outputs")

    @property
    def error_list(self) -> list[tuple[str, str, str]]:
        """(id to jump to, label, sentence) of every field with an error, in the order of the page."""
        shown = [*self.needed, *self.sampled, *self.folded]
        listed = [(bound.focus_id, bound.question.label, bound.error) for bound in shown if bound.error]
        if self.results and self.results_error:
            target = f"outputs-{self.results[0].value}" if len(self.results) > 1 else "outputs"
            listed.append((target, "Results", self.results_error))
        return listed


def build_form(parameters: Parameters, outputs: Outputs) -> type[SchemaForm]:
    """The form class for an app's PARAMETERS and OUTPUTS, as kept in AppSchema. Fields are named by position."""
    fields: dict[str, Any] = {q.field_name: field_for(q) for q in questions_of(parameters)}
    results = results_of(outputs)
    if results:
        fields["outputs"] = ResultsField(results)
    return type("AppForm", (SchemaForm,), {**fields, "parameters": parameters, "results": results})
