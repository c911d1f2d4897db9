"""CSV for spreadsheets: UTF-8 with the byte order mark that they expect, and cells that can't run anything.

Spreadsheets treat a cell that starts with "=" or a similar character as a formula, so they might run something that was
typed into a form. We put an apostrophe in front, which turns the cell into text. Spreadsheets that separate cells with
semicolons or tabs, as in much of Europe, may start a new cell or row in the middle of ours, so we add an apostrophe at
such places too.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import batched

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")  # noqa: RUF001 - wide forms count too
MARKS = re.escape("".join(mark for mark in FORMULA if not mark.isspace()))
FOREIGN = re.compile(rf'([;\t\r\n][ "]*)(?=[{MARKS}])')
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ROWS_AT_ONCE = 500


def csv_bytes(rows: Iterable[Iterable[str]]) -> bytes:
    """Return `rows` as CSV, with all cells made safe."""
    return b"".join(csv_pieces(rows))


def csv_pieces(rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """Yield `rows` as CSV in pieces of a few hundred rows, with all cells made safe."""
    yield BYTE_ORDER_MARK
    for some in batched(rows, ROWS_AT_ONCE):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        for row in some:
            writer.writerow(map(safe, row))
        yield text.getvalue().encode("utf-8", "replace")


def safe(cell: str) -> str:
    """Return `cell` escaped, so that no spreadsheet treats it as a formula."""
    cell = FOREIGN.sub(r"\1'", cell)
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA) else cell
