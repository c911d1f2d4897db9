"""Where a result came from: app, inputs, people, dates, cost and checksum, for the result page and `provenance.csv`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext

from runs.engine.input_summary import InputLine, input_lines
from runs.models import Decision, Output, Run, StoredFile
from runs.words.credits import about_credits
from runs.words.numbers import number_words
from runs.words.sizes import size_words
from runs.words.time_spans import clock_words

NOUNS = {
    "image": gettext_noop("picture"),
    "video": gettext_noop("video"),
    "audio": gettext_noop("audio"),
    "text": gettext_noop("text"),
    "other": gettext_noop("file"),
}


@dataclass(frozen=True)
class Provenance:
    """Where one result came from. `references` holds the Lamina ids of the run, the app and the result."""

    output: Output
    file: StoredFile | None

    app_name: str
    inputs: list[InputLine]
    maker: str  # stays the same when the run is transferred
    owner: str  # the current owner; "" if that's still the maker
    pressed_at: datetime
    finished_at: datetime | None
    credits_words: str
    references: dict[str, str]  # keys: "run", "app" and "result"; unknown ids are left out
    sha256: str
    verdict: str = ""  # the overall verdict, in words
    decisions: tuple[Decision, ...] = ()  # decisions that apply to the result's current content

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Labelled facts, such as kind and size, about the file, or about the text if there is no file."""
        return file_facts(self.file) if self.file else text_facts(self.output)

    @property
    def labelled_references(self) -> list[tuple[str, str]]:
        labels = {"run": _("Run on Lamina"), "app": _("App on Lamina"), "result": _("Result on Lamina")}
        return [(labels[kind], reference) for kind, reference in self.references.items()]


def provenance_of(run: Run, output: Output, file: StoredFile | None, decisions: Iterable[Decision] = ()) -> Provenance:
    """Return the provenance of `file` in `output`; `run` must be fetched with `for_page()`.

    `decisions` are the decisions in force on the result (`decisions_on`).
    """
    return Provenance(
        output=output,
        file=file,
        app_name=run.app_name,
        inputs=input_lines(run),
        maker=maker_words(run),
        owner=run.member.display_name if run.is_transferred else "",
        pressed_at=run.created_at,
        finished_at=run.finished_at,
        credits_words=about_credits(run.credits_estimated),
        references=references_of(run, output),
        sha256=file.sha256 if file else "",
        verdict=verdict_words(output.verdict, len(output.files.all())),
        decisions=tuple(decisions),
    )


def maker_words(run: Run) -> str:
    """Return the name of the run's maker, which is unknown if the run was transferred before the portal recorded
    makers."""
    return run.made_by.display_name if run.made_by else _("Unknown")


def decisions_on(outputs: Iterable[Output]) -> dict[int, list[Decision]]:
    """Return the decisions in force on the results' current content, keyed by the result's primary key. Makes at most
    one query."""
    decided_pks = [output.pk for output in outputs if output.decided_in]
    by_output: dict[int, list[Decision]] = {}
    if decided_pks:
        standing = Decision.objects.standing().on_current_content().filter(output__in=decided_pks)
        for row in standing.select_related("member", "link__member", "link__made_by", "chosen"):
            by_output.setdefault(row.output_id, []).append(row)
    return by_output


def verdict_words(verdict: str, files: int = 1) -> str:
    """Return a verdict in words, such as "Approved" or, for a result with several files, "Approved for all 3 files";
    "Not reviewed" if it is empty."""
    if not verdict:
        return pgettext("verdict", "Not reviewed")
    word = str(Decision.Verdict(verdict).label)
    if files < 2:
        return word
    return _("%(verdict)s for all %(count)s files") % {"verdict": word, "count": number_words(files)}


def references_of(run: Run, output: Output) -> dict[str, str]:
    """Return the Lamina ids of the run, app and result, leaving out unknown ones."""
    ids = {"run": run.remote_id, "app": run.app.remote_id, "result": output.remote_id}
    return {kind: reference for kind, reference in ids.items() if reference}


def file_facts(file: StoredFile) -> list[tuple[str, str]]:
    """Return the kind, dimensions, duration and size of `file`."""
    facts = [(_("Kind"), kind_words(file.kind, PurePosixPath(file.file.name or "").suffix))]
    if file.width and file.height:
        dimensions = {"width": file.width, "height": file.height}
        facts.append((_("Dimensions"), _("%(width)s × %(height)s pixels") % dimensions))  # noqa: RUF001 - the sign itself
    if file.duration_seconds:
        facts.append((_("Duration"), clock_words(timedelta(seconds=round(file.duration_seconds)))))
    return [*facts, (_("Size"), size_words(file.size_bytes))]


def kind_words(kind: str, ending: str) -> str:
    """Return a file's format and kind in words, such as "PNG picture" for "image" and ".png"."""
    format_name = ending[1:].upper()
    if not format_name:
        return _(NOUNS.get(kind, NOUNS["other"]))
    kinds = {"image": _("%(format)s picture"), "video": _("%(format)s video"), "audio": _("%(format)s audio")}
    return kinds.get(kind, _("%(format)s file")) % {"format": format_name}


def text_facts(output: Output) -> list[tuple[str, str]]:
    """Return the kind and length of a text result; an empty list if there is no text."""
    if not output.text:
        return []
    if output.is_object:
        return [(_("Kind"), _("Data"))]
    words, characters = len(output.text.split()), len(output.text)
    counts = {
        "words": ngettext("%(count)s word", "%(count)s words", words) % {"count": number_words(words)},
        "characters": ngettext("%(count)s character", "%(count)s characters", characters)
        % {"count": number_words(characters)},
    }
    return [(_("Kind"), _("Text")), (_("Length"), _("%(words)s, %(characters)s") % counts)]
