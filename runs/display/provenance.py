"""Where a result came from: app, inputs, sources, person, dates, cost and proof, for the page and the sheet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from runs.engine.input_summary import InputLine, input_lines
from runs.models import Output, Run, StoredFile
from runs.words.numbers import number_words
from runs.words.sentences import about_credits, clock_words
from runs.words.sizes import size_words

NOUNS = {
    "image": gettext_noop("picture"),
    "video": gettext_noop("video"),
    "audio": gettext_noop("audio"),
    "text": gettext_noop("text"),
    "other": gettext_noop("file"),
}


@dataclass(frozen=True)
class Provenance:
    """Where one result came from. `facts` are about the file shown; `references` are Lamina's ids."""

    app_name: str
    inputs: list[InputLine]
    maker: str
    pressed_at: datetime
    finished_at: datetime | None
    credits_words: str
    facts: list[tuple[str, str]]
    references: dict[str, str]  # keys: "run", "app" and "result", if known
    sha256: str

    @property
    def labelled_references(self) -> list[tuple[str, str]]:
        labels = {"run": _("Run on Lamina"), "app": _("App on Lamina"), "result": _("Result on Lamina")}
        return [(labels[kind], reference) for kind, reference in self.references.items()]


def provenance_of(run: Run, output: Output, file: StoredFile | None) -> Provenance:
    """Return the provenance of `file` in `output`; `run` must be fetched with `for_page()`."""
    return Provenance(
        app_name=run.app_name,
        inputs=input_lines(run),
        maker=run.made_by.display_name if run.made_by else _("Unknown"),  # transferred before makers were recorded
        pressed_at=run.created_at,
        finished_at=run.finished_at,
        credits_words=about_credits(run.credits_estimated),
        facts=file_facts(file) if file else text_facts(output),
        references=references_of(run, output),
        sha256=file.sha256 if file else "",
    )


def references_of(run: Run, output: Output) -> dict[str, str]:
    """Return Lamina's ids of the run, app and result, if known."""
    named = {"run": run.remote_id, "app": run.app.remote_id, "result": output.remote_id}
    return {kind: reference for kind, reference in named.items() if reference}


def file_facts(file: StoredFile) -> list[tuple[str, str]]:
    """Return the file's kind, dimensions, duration and size."""
    facts = [(_("Kind"), _kind_words(file))]
    if file.width and file.height:
        dimensions = {"width": file.width, "height": file.height}
        facts.append((_("Dimensions"), _("%(width)s × %(height)s pixels") % dimensions))  # noqa: RUF001 - the sign itself
    if file.duration_seconds:
        facts.append((_("Duration"), clock_words(timedelta(seconds=round(file.duration_seconds)))))
    return [*facts, (_("Size"), size_words(file.size_bytes))]


def _kind_words(file: StoredFile) -> str:
    """Return the format and kind, such as "PNG picture"."""
    format_name = PurePosixPath(file.file.name or "").suffix[1:].upper()
    if not format_name:
        return _(NOUNS.get(file.kind, NOUNS["other"]))
    kinds = {"image": _("%(format)s picture"), "video": _("%(format)s video"), "audio": _("%(format)s audio")}
    return kinds.get(file.kind, _("%(format)s file")) % {"format": format_name}


def text_facts(output: Output) -> list[tuple[str, str]]:
    """Return the kind and length of a text."""
    if not output.text:
        return []
    words, characters = len(output.text.split()), len(output.text)
    counted = {
        "words": ngettext("%(count)s word", "%(count)s words", words) % {"count": number_words(words)},
        "characters": ngettext("%(count)s character", "%(count)s characters", characters)
        % {"count": number_words(characters)},
    }
    return [(_("Kind"), _("Text")), (_("Length"), _("%(words)s, %(characters)s") % counted)]
