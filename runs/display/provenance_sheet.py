"""`provenance.csv`: one row for each file in a download, with all the details from the file's page."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.connection import status
from runs.display.provenance import Provenance, decisions_on, provenance_of
from runs.models import Decision, Output, Run, StoredFile
from runs.review import overall_verdict
from runs.words.csv_cells import csv_bytes

NAME = "provenance.csv"


@dataclass(frozen=True)
class Origin:
    """One file in a download: its name in the zip ("" if the zip doesn't contain it), and where it came from."""

    name: str
    run: Run  # fetched with `for_page()`
    output: Output
    label: str
    file: StoredFile | None
    sha256: str
    note: str = ""


def sheet(origins: Sequence[Origin]) -> bytes:
    """Return the sheet for these files, as the bytes of a CSV file."""
    decisions = decisions_on({origin.output.pk: origin.output for origin in origins}.values())
    provenances = [
        provenance_of(origin.run, origin.output, origin.file, decisions.get(origin.output.pk, ())) for origin in origins
    ]
    inputs_by_file = [list(named_apart(_inputs_of(provenance))) for provenance in provenances]
    names = list(dict.fromkeys(name for inputs in inputs_by_file for name, _text in inputs))
    rows = [_headings(names)]
    for origin, provenance, inputs in zip(origins, provenances, inputs_by_file, strict=True):
        given_here = dict(inputs)
        before = [origin.name, provenance.app_name, origin.label, origin.output.description]
        values = (given_here.get(name, "") for name in names)
        rows.append([*before, *values, *_after(origin, provenance)])
    return csv_bytes(rows)


def _inputs_of(provenance: Provenance) -> Iterator[tuple[str, str]]:
    """Yield the name and text of every input."""
    for line in provenance.inputs:
        yield line.label, line.text or ", ".join(file.name for file in line.files)


def named_apart(inputs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield `inputs`, numbering repeated names so that each input gets its own column."""
    counts: Counter[str] = Counter()
    for name, text in inputs:
        counts[name] += 1
        yield name if counts[name] == 1 else f"{name} ({counts[name]})", text


def _headings(inputs: Iterable[str]) -> list[str]:
    return [
        _("File"),
        _("App"),
        _("Result"),
        _("Description"),
        *(_("Input: %(name)s") % {"name": name} for name in inputs),
        _("Source files"),
        _("Made by"),
        _("Owned by"),
        _("Started"),
        _("Finished"),
        _("Credits for the whole run (estimate)"),
        _("Decision"),
        _("Decided by"),
        _("Decided"),
        _("Notes"),
        _("Run on Lamina"),
        _("App on Lamina"),
        _("Result on Lamina"),
        "SHA-256",
        _("Page"),
        _("Note"),
    ]


def _after(origin: Origin, provenance: Provenance) -> Iterable[str]:
    sources = dict.fromkeys(file.name for line in provenance.inputs for file in line.files)
    return [
        ", ".join(sources),
        provenance.maker,
        origin.run.member.display_name,
        moment_words(provenance.pressed_at),
        moment_words(provenance.finished_at),
        cost_words(origin.run),
        provenance.verdict,
        *_decision_cells(provenance.decisions),
        *(provenance.references.get(kind, "") for kind in ("run", "app", "result")),
        origin.sha256,
        f"{settings.PORTAL_URL.rstrip('/')}{origin.output.get_absolute_url()}",
        " ".join(
            filter(None, [_("Made by the sandbox: not a real result.") if status.is_sandbox() else "", origin.note])
        ),
    ]


def cost_words(run: Run) -> str:
    """Return the credits of the whole run as they appear in sheets; "" if they aren't known."""
    return "" if run.credits_estimated is None else f"{run.credits_estimated.normalize():f}"


def _decision_cells(decisions: Sequence[Decision]) -> Iterable[str]:
    """Return a row's three cells about decisions: who decided what, when the latest decision was made, and the notes.
    If there are several decisions, each note begins with the name of the person who decided."""
    notes = [(row.who, words) for row in decisions if (words := "\n".join(_sentences(row)))]
    says = [note if len(decisions) == 1 else f"{who}: {note}" for who, note in notes]
    last = max((row.created_at for row in decisions), default=None)
    return [", ".join(_decider(row) for row in decisions), moment_words(last), "\n".join(says)]


def _sentences(decision: Decision) -> Iterator[str]:
    """Yield a sentence about the result that was chosen instead (if any), then the note (if any)."""
    if decision.chosen is not None:
        url = f"{settings.PORTAL_URL.rstrip('/')}{decision.chosen.get_absolute_url()}"
        yield _("Another result was chosen: %(url)s") % {"url": url}
    if decision.note:
        yield decision.note


def _decider(decision: Decision) -> str:
    """Return who decided what: "Kim (guest, link by Sam): Needs changes"."""
    name = decision.who
    if decision.link is not None:
        name = _("%(name)s (guest, link by %(maker)s)") % {"name": name, "maker": decision.link.maker.display_name}
    return f"{name}: {overall_verdict.words_of(decision)}"


def moment_words(at: datetime | None) -> str:
    """Return a time as it appears in sheets, with its UTC offset; "" for None."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S%z}" if at else ""
