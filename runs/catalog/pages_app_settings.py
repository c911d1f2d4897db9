"""Show the page where admins set up an app."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.catalog.app_settings import FieldLine, FieldSettings
from runs.catalog.forms_app_settings import TICKED_UP_TO
from runs.models import FieldRule
from runs.schema_forms.questions import Question
from runs.words.numbers import number_words

Mode = FieldRule.Mode


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
    edit: FieldSettings
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
        return self.edit != FieldSettings()

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
        modes = {
            Mode.OPEN: ("edit", _("Open"), _("People fill it in.")),
            Mode.LOCKED: ("lock", _("Locked"), _("People see the value but can't change it.")),
            Mode.HIDDEN: ("away", _("Hidden"), _("People don't see it, but its value is sent.")),
        }
        return [(str(mode), *words, mode == self.edit.mode) for mode, words in modes.items()]

    @property
    def is_typed(self) -> bool:
        """Whether the field has too many options for checkboxes, so that admins type the allowed ones instead."""
        return len(self.question.options) > TICKED_UP_TO

    @property
    def options(self) -> list[Option]:
        allowed = self.edit.options
        first_positions: dict[str, int] = {}
        for position, label in enumerate(self.question.options):
            first_positions.setdefault(label, position)
        return [
            Option(position, label, not allowed or label in allowed, label == self.edit.value)
            for label, position in first_positions.items()
        ]

    @property
    def lines(self) -> str:
        """The allowed options, one per line; empty if all are allowed."""
        return "\n".join(self.edit.options)

    @property
    def accept(self) -> str:
        return ",".join(f"{kind}/*" for kind in self.question.accept)


def edit_words(edit: FieldSettings, question: Question) -> list[str]:
    """Return what `edit` changes about a field, in a few words for each change; empty if it changes nothing."""
    words = []
    if edit.label:
        words.append(_("label “%(label)s”") % {"label": edit.label})
    if edit.help:
        words.append(_("custom help text"))
    if edit.mode != Mode.OPEN:
        value = edit.file.name if edit.file else " ".join((edit.value or question.default_words).split())
        value = f"{value[:59]}…" if len(value) > 60 else value
        sentences = {Mode.LOCKED: _("locked to “%(value)s”"), Mode.HIDDEN: _("hidden, sends “%(value)s”")}
        none = {Mode.LOCKED: _("locked"), Mode.HIDDEN: _("hidden")}
        words.append(sentences[Mode(edit.mode)] % {"value": value} if value else none[Mode(edit.mode)])
    elif edit.options:
        count = len(edit.options)
        allowed = ngettext("%(count)s of %(total)s options", "%(count)s of %(total)s options", count)
        words.append(allowed % {"count": number_words(count), "total": number_words(len(set(question.options)))})
    return words


def parts_of(
    lines: Sequence[FieldLine],
    settings: Mapping[str, FieldSettings],
    errors: dict[str, str],
    stored: Mapping[str, FieldSettings] | None,
) -> list[FieldPart]:
    """Return the fields for the page; if `stored` is given, each field says what another admin has saved for it in the
    meantime."""
    parts = []
    for line in lines:
        name = line.plain.field_name
        # A field that wasn't on the posted page keeps its stored settings
        edited = settings.get(name, line.stored)
        now = stored.get(name, FieldSettings()) if stored else edited
        meanwhile = "" if now == edited else " · ".join(edit_words(now, line.plain)) or _("same as on Lamina")
        parts.append(FieldPart(line, edited, errors.get(name, ""), meanwhile))
    return parts
