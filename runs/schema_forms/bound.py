"""A field together with its value, as the templates in schema_forms/ want to read it."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from django.forms.boundfield import BoundField

from runs.schema_forms.questions import MEDIA_KINDS, Question, clean_text, is_seen, shortened
from runs.schema_forms.types import UploadInfo

if TYPE_CHECKING:
    from runs.schema_forms.build import SchemaForm
    from runs.schema_forms.fields import AnswerField

CARDS_UP_TO = 6
SEARCH_BEYOND = 20
SUMMARY_CHARACTERS = 60


RATIO = re.compile(r"\s*([1-9]\d?)\s*:\s*([1-9]\d?)\b")
RATIO_BOX = 18  # pixels of the longer side of a drawn ratio, in a square of 22


@dataclass(frozen=True)
class Ratio:
    """A rectangle of an option like "16:9", drawn beside it."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Choice:
    """One option as shown: VALUE is its position, or empty for leaving it to the app."""

    value: str
    label: str
    id: str
    is_chosen: bool

    @property
    def ratio(self) -> Ratio | None:
        """The shape the label names, None when it names none."""
        if (found := RATIO.match(self.label)) is None:
            return None
        across, down = int(found[1]), int(found[2])
        width = max(3.0, round(RATIO_BOX * across / max(across, down), 1))
        height = max(3.0, round(RATIO_BOX * down / max(across, down), 1))
        return Ratio(round(11 - width / 2, 1), round(11 - height / 2, 1), width, height)


class BoundAnswer(BoundField):
    """A question on the page."""

    field: "AnswerField"
    form: "SchemaForm"

    @property
    def question(self) -> Question:
        return self.field.question

    @property
    def template_name(self) -> str:
        """The template of its control."""
        return f"schema_forms/_{self.control}.html"

    @property
    def control(self) -> str:
        if self.question.kind == "options":
            return "cards" if len(self.choices) <= CARDS_UP_TO else "select"
        return self.question.kind

    # --- errors and ids ---

    @property
    def error(self) -> str:
        return self.form.error_of(self.name)

    @property
    def focus_id(self) -> str:
        """Where a link in the list of errors leads: something that takes the focus."""
        if self.control == "cards":
            return self.choices[0].id
        return f"{self.name}_file" if self.control == "url" else self.name

    @property
    def describedby(self) -> str:
        """Ids of the texts that belong to the control."""
        parts = [(self.error, "error"), (self.question.help, "help"), (self.note, "note")]
        return " ".join(f"{self.name}-{suffix}" for text, suffix in parts if text)

    @property
    def note(self) -> str:
        """What the portal itself has to say about the field."""
        q = self.question
        if q.is_unknown:
            return "This kind of field is new to the portal. What you write is sent as it is."
        if q.options_left_out:
            total = len(q.options) + q.options_left_out
            return f"Showing {len(q.options)} of {total:,} choices."
        if q.kind == "text" and q.default_words and not q.prefill:
            return f"Left empty, the app uses its own: {q.default_words[:300]}"
        if q.kind == "url" and q.default_words and not q.samples:
            return f"Left empty, the app uses its own: {q.default_words[:300]}"
        return ""

    # --- text ---

    @property
    def text(self) -> str:
        """What stands in the box."""
        value = self.value()
        return clean_text(value) if isinstance(value, str) else ""

    @property
    def rows(self) -> int:
        """Lines at first: one where a number is expected, two for words."""
        default = self.question.default
        return 1 if default is not None and isinstance(default, int | float) else 2

    @property
    def placeholder(self) -> str:
        """What an emptied box means: the default, since blanks are left out of the call."""
        words = " ".join(self.question.prefill.split())
        return f"Empty uses: {words[:SUMMARY_CHARACTERS]}" if words else ""

    # --- options ---

    @cached_property
    def choices(self) -> list[Choice]:
        """Options as shown. Equal labels are one choice: Lamina could not tell them apart."""
        q, chosen = self.question, self.value()
        first = {label: n for n, label in reversed(list(enumerate(q.options)))}
        if isinstance(chosen, str) and chosen.isascii() and chosen.isdigit() and int(chosen[:6]) < len(q.options):
            chosen = str(first[q.options[int(chosen[:6])]])
        listed = [
            Choice(str(n), shown, f"{self.name}-{n}", chosen == str(n))
            for (label, n), shown in zip(sorted(first.items(), key=lambda i: i[1]), _shown(q, first), strict=True)
        ]
        if not q.is_needed and q.default_option is None:
            own = shortened(q.default_words.strip()) or "Leave it to the app"
            listed.insert(0, Choice("", own, f"{self.name}-own", not chosen))
        return listed

    @property
    def is_searchable(self) -> bool:
        return len(self.choices) > SEARCH_BEYOND

    # --- files ---

    @cached_property
    def uploads(self) -> list[UploadInfo]:
        """Files in the field. One that is no longer known stays in the form, so that its loss is said."""
        value = self.value()
        kept = value["uploads"] if self.question.is_multiple else value["uploads"][-1:]
        found = {upload.id: upload for upload in self.form.look_up(kept)}
        gone = "This file is no longer here. Remove it or add it again."
        return [found.get(i) or UploadInfo(id=i, name="Missing file", status="failed", error=gone) for i in kept]

    @property
    def link(self) -> str:
        """A link typed but not yet taken."""
        link = str(self.value().get("link", ""))
        return "" if link in {upload.source_url for upload in self.uploads} else link

    @property
    def accept_attribute(self) -> str:
        """For the file dialog; empty takes anything. What was chosen is checked by content."""
        return ",".join(f"{kind}/*" for kind in self.question.accept)

    @property
    def noun(self) -> str:
        """ "picture", "video", "sound" or "file", for buttons."""
        words = dict(zip(MEDIA_KINDS, ("picture", "video", "sound"), strict=True))
        return words[self.question.accept[0]] if len(self.question.accept) == 1 else "file"

    @property
    def nouns(self) -> str:
        return f"{self.noun}s"

    @property
    def takes_pictures(self) -> bool:
        return not self.question.accept or "image" in self.question.accept

    @property
    def sample_pictures(self) -> list[dict[str, str]]:
        """Addresses of our copies of the author's samples, as far as we have them."""
        return [dict(self.form.samples[url]) for url in self.question.samples if url in self.form.samples]

    # --- more options ---

    @property
    def is_changed(self) -> bool:
        """Whether the answer differs from the app's default."""
        return not self.field.typed(self.value())["is_default"]

    @property
    def summary(self) -> str:
        """The present answer in a few words, readable while the field is folded."""
        answer = self.field.typed(self.value())
        if self.question.kind == "url":
            count = len(answer["value"].get("uploads", []))
            return f"{count} {self.noun if count == 1 else self.nouns}" if count else "none"
        words = " ".join(str(answer["value"]).split())
        if len(words) > SUMMARY_CHARACTERS:
            words = f"{words[:SUMMARY_CHARACTERS].rstrip()}…"
        return words or ("left to the app" if self.question.kind == "options" else "empty")


def _shown(question: Question, labels: dict[str, int]) -> list[str]:
    """Labels as shown; those that differ in nothing but spaces get their spaces marked, unseen ones a name."""
    ordered = sorted(labels, key=lambda label: labels[label])
    looks = [" ".join(label.split()) for label in ordered]
    count = Counter(looks)
    return [
        f"Blank {n}" if not is_seen(label) else shortened(label.replace(" ", "␣") if count[look] > 1 else label)
        for n, (label, look) in enumerate(zip(ordered, looks, strict=True), 1)
    ]
