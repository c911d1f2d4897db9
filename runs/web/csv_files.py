"""CSV files as downloads, streamed while their rows are read, so that a million rows take no more memory than a few."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

from runs.storage.serve import content_disposition
from runs.words.csv_cells import csv_pieces


def csv_file(name: str, rows: Iterable[Iterable[str]]) -> StreamingHttpResponse:
    """Return `rows` as a download called `name`; the first row has the column headings."""
    headers = {
        "Content-Disposition": content_disposition(name, is_inline=False),
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingHttpResponse(csv_pieces(rows), content_type="text/csv; charset=utf-8", headers=headers)
