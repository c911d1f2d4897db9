"""Parameters as Lamina describes them. Parsing is lenient, because any value may have the wrong type."""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from django.utils.translation import gettext as _

from runs.schema_forms.types import Parameters, Rule

MEDIA_KINDS = ("image", "video", "audio")
LABEL_LENGTH = 300  # the most characters of a name or label to show
LINE_END = re.compile(r"\r\n?")
UNSENDABLE = re.compile("[\x00\ud800-\udfff]")


def clean_text(text: str) -> str:
    """Return `text` ready to store and send: with LF line endings (browsers post CRLF), and with U+FFFD in place of NUL
    and lone surrogates.

    Nothing is stripped: a trailing space may be part of the answer.
    """
    return sendable(LINE_END.sub("\n", text))


def sendable(text: str) -> str:
    """Replace only characters that can't be stored or sent; the rest must reach Lamina unchanged."""
    return UNSENDABLE.sub("\ufffd", text)


def as_words(value: Any) -> str:
    """Return `value`, whatever its type, as readable text; a string stays the way it is."""
    if isinstance(value, str):
        return sendable(value)
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(as_words(item) for item in value)
    return sendable(json.dumps(value, ensure_ascii=False, default=str))


def shortened(text: str, length: int = LABEL_LENGTH) -> str:
    """Shorten `text` to at most `length` characters, ending in "…" if it was cut. Use this only to show text, never to
    send it."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def is_seen(text: str) -> bool:
    """Return whether there's anything to see in `text`; spaces and invisible characters don't count."""
    return any(unicodedata.category(character)[0] in "LNPS" for character in text)


@dataclass(frozen=True, eq=False)
class Question:
    """One parameter. Its form field is named after its `position`, because names could be anything.

    `rule` is the admin's rule for the field. Options keep their positions; a rule only says which of them may be
    chosen.
    """

    position: int
    raw: dict[str, Any]
    rule: Rule | None = None

    @property
    def field_name(self) -> str:
        return f"p{self.position}"

    @cached_property
    def name(self) -> str:
        return self._text("name")

    @cached_property
    def key(self) -> str:
        return self._text("key")

    @cached_property
    def id(self) -> str:
        return self._text("id")

    @cached_property
    def type(self) -> str:
        return self._text("type")

    @cached_property
    def label(self) -> str:
        """The admin's label, the name or the key, whichever is visible first; a placeholder if none of them is."""
        own = self.rule.label if self.rule else ""
        visible = next((text for text in (own, self.name, self.key) if is_seen(text)), "")
        return shortened(visible or _("Field %(number)s") % {"number": self.position + 1})

    @cached_property
    def help(self) -> str:
        own = self.rule.help if self.rule else ""
        return own or self._text("description").strip()

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The labels exactly as listed, including duplicates, because options are posted by position."""
        options = self.raw.get("options")
        return tuple(as_words(option) for option in options) if isinstance(options, list) else ()

    @property
    def options_left_out(self) -> int:
        """How many more options Lamina has than we store."""
        total = self.raw.get("options_total")
        return max(0, total - len(self.options)) if isinstance(total, int) else 0

    @cached_property
    def kind(self) -> Literal["text", "options", "url"]:
        """The kind of field to show. Unknown types, and lists without options, get a text field."""
        if self.type == "options" and self.options:
            return "options"
        return "url" if self.type == "url" else "text"

    @property
    def is_unknown(self) -> bool:
        return self.type not in {"text", "url"} and self.kind == "text"

    @property
    def default(self) -> Any:
        return self.raw.get("default")

    @property
    def is_fixed(self) -> bool:
        """Whether the admin's rule fixes the value to send, so that there is nothing to answer."""
        return self.rule is not None and self.rule.is_fixed

    @property
    def is_hidden(self) -> bool:
        return self.rule is not None and self.rule.mode == "hidden"

    @cached_property
    def allowed(self) -> tuple[str, ...] | None:
        """The options that may be chosen, if the admin's rule allows only some of them."""
        if self.rule is None or not self.rule.options or self.is_fixed or self.kind != "options":
            return None
        return tuple(option for option in self.options if option in self.rule.options)

    @property
    def has_default(self) -> bool:
        """Whether the app has a default that the admin's rule allows. Lamina's `required` can't be trusted."""
        return self.default is not None and (self.allowed is None or self.default_words in self.allowed)

    @property
    def is_needed(self) -> bool:
        """Whether people must answer the question because it has no default."""
        return not self.is_fixed and not self.has_default

    @cached_property
    def default_words(self) -> str:
        """The default as readable text; empty if it's missing or blank."""
        return "" if self.default is None or self.default == [] else as_words(self.default)

    @cached_property
    def default_option(self) -> int | None:
        """The default's position among the options; None if it isn't one of them, or if the admin's rule doesn't allow
        it."""
        if self.has_default and isinstance(self.default, str | int | float) and self.default_words in self.options:
            return self.options.index(self.default_words)
        return None

    @cached_property
    def prefill(self) -> str:
        """The default as initial text; empty for a list or an object, which can't be edited as text."""
        return clean_text(self.default_words) if isinstance(self.default, str | int | float) else ""

    @cached_property
    def samples(self) -> list[str]:
        """URLs of the author's sample files, which the app uses (and charges for) if a `url` field is left empty."""
        values = self.default if isinstance(self.default, list) else [self.default]
        return [v for v in values if isinstance(v, str) and v.startswith(("http://", "https://"))]

    @cached_property
    def accept(self) -> tuple[str, ...]:
        """Kinds of media that the field accepts; empty for any."""
        accept = self.raw.get("accept")
        kinds = accept if isinstance(accept, list) else [accept]
        return tuple(kind for kind in MEDIA_KINDS if kind in kinds)

    @property
    def is_multiple(self) -> bool:
        return self.raw.get("multiple") is True

    def _text(self, handle: str) -> str:
        value = self.raw.get(handle)
        return "" if value is None else as_words(value)


def questions_of(parameters: Parameters) -> tuple[Question, ...]:
    """Parse `parameters`: return one question each, in the author's order. `AppSchema.questions` keeps the result."""
    return tuple(Question(n, raw if isinstance(raw, dict) else {}) for n, raw in enumerate(parameters))


def file_questions(questions: Iterable[Question]) -> list[Question]:
    """Return those of `questions` that accept files."""
    return [question for question in questions if question.kind == "url"]


def files_question(questions: Iterable[Question], field_name: str) -> Question | None:
    """Return the question for the form field `field_name` ("p0") if it accepts files, otherwise None."""
    return next((q for q in file_questions(questions) if q.field_name == field_name), None)


def sample_urls(questions: Iterable[Question]) -> list[str]:
    """Return the URLs of the author's sample files, which the app uses if a `url` field is left empty."""
    return [url for question in file_questions(questions) for url in question.samples]
