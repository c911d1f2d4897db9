"""`provenance.csv`: one row for each file in a download, with everything that its page says.

Spreadsheets treat a cell that starts with "=" or a similar sign as a formula, and would run what somebody typed into a
form. Such a cell gets a leading apostrophe, which makes it text. Spreadsheets that separate cells by semicolons or
tabs, as in much of Europe, may start a new cell or row in the middle of ours, so an apostrophe goes there, too.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from runs.connection import status
from runs.display.provenance import Provenance, provenance_of
from runs.models import Output, Run, StoredFile

NAME = "provenance.csv"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")  # noqa: RUF001 - wide forms count too
MARKS = re.escape("".join(mark for mark in FORMULA if not mark.isspace()))
FOREIGN = re.compile(rf'([;\t\r\n][ "]*)(?=[{MARKS}])')


@dataclass(frozen=True)
class Origin:
    """One file in a download: its name there ("" if it is missing), and where it came from."""

    name: str
    run: Run  # fetched with `for_page()`
    output: Output
    label: str
    file: StoredFile | None
    sha256: str
    note: str = ""


def sheet(origins: Sequence[Origin]) -> bytes:
    """Return the whole sheet as UTF-8, with the byte order mark that spreadsheets look for."""
    provenances = [provenance_of(origin.run, origin.output, origin.file) for origin in origins]
    given = [list(_inputs_of(provenance)) for provenance in provenances]
    asked = list(dict.fromkeys(name for inputs in given for name, _text in inputs))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(safe, _headings(asked)))
    for origin, provenance, inputs in zip(origins, provenances, given, strict=True):
        given_here = dict(inputs)
        before = [origin.name, provenance.app_name, origin.label]
        values = (given_here.get(name, "") for name in asked)
        writer.writerow(map(safe, [*before, *values, *_after(origin, provenance)]))
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def safe(cell: str) -> str:
    """Return `cell`, changed so that no spreadsheet runs it."""
    cell = FOREIGN.sub(r"\1'", cell)
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell


def _inputs_of(provenance: Provenance) -> Iterator[tuple[str, str]]:
    """Yield every input with its name; repeated names are numbered."""
    seen: Counter[str] = Counter()
    for line in provenance.inputs:
        seen[line.label] += 1
        name = line.label if seen[line.label] == 1 else f"{line.label} ({seen[line.label]})"
        yield name, line.text or ", ".join(file.name for file in line.files)


def _headings(inputs: Iterable[str]) -> list[str]:
    return [
        _("File"),
        _("App"),
        _("Result"),
        *(_("Input: %(name)s") % {"name": name} for name in inputs),
        _("Source files"),
        _("Made by"),
        _("Started"),
        _("Finished"),
        _("Credits for the whole run (estimate)"),
        _("Run on Lamina"),
        _("App on Lamina"),
        _("Result on Lamina"),
        "SHA-256",
        _("Page"),
        _("Note"),
    ]


def _after(origin: Origin, provenance: Provenance) -> Iterable[str]:
    credits = origin.run.credits_estimated
    sources = dict.fromkeys(file.name for line in provenance.inputs for file in line.files)
    return [
        ", ".join(sources),
        provenance.maker,
        _moment(provenance.pressed_at),
        _moment(provenance.finished_at),
        "" if credits is None else f"{credits.normalize():f}",
        *(provenance.references.get(kind, "") for kind in ("run", "app", "result")),
        origin.sha256,
        f"{settings.PORTAL_URL.rstrip('/')}{origin.output.get_absolute_url()}",
        " ".join(
            filter(None, [_("Made by the sandbox: none of it is real.") if status.is_sandbox() else "", origin.note])
        ),
    ]


def _moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S%z}" if at else ""
