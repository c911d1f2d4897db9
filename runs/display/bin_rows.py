"""Runs in the bin and protected runs, as shown in rows and on pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404

from runs.display.card_results import fetch_results, results_of
from runs.engine.input_summary import summary_text
from runs.history.bin import gone_at
from runs.models import Member, Run, StoredFile

SHOWN_WITH = ("app__thumbnail", "input_picture", "member", "deleted_by")  # related objects whose data a row needs


@dataclass(frozen=True)
class BinRow:
    """One run, shown as a row. `picture` is the first one available: a result's, an input's or the app's. `input_words`
    is the first input; "" if the title already shows it."""

    run: Run
    gone_at: datetime | None
    picture: StoredFile | None
    input_words: str


def rows_of(runs: Iterable[Run]) -> list[BinRow]:
    """Return rows for runs fetched with `SHOWN_WITH`. Their results take two queries."""
    runs = list(runs)
    fetch_results(runs)
    return [BinRow(run, gone_at(run), _picture(run), _input_words(run)) for run in runs]


def _input_words(run: Run) -> str:
    first = next(iter(run.summary), None)
    return summary_text(first) if first and first != run.told_input else ""


def _picture(run: Run) -> StoredFile | None:
    candidates = (*results_of(run).pictures[:1], run.input_picture, run.app.thumbnail)
    return next((picture for picture in candidates if picture and picture.small_url), None)


def binned_page(member: Member, **lookup: str) -> dict[str, Any]:
    """Return the context for the 404 page of a run that is in the member's bin and matches `lookup`.

    Raises Http404 if the run doesn't exist or is in somebody else's bin.
    """
    run = get_object_or_404(Run.objects.in_bin_of(member).select_related(*SHOWN_WITH), **lookup)
    return {"section": "bin", "row": rows_of([run])[0]}
