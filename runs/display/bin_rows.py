"""Runs in the bin and protected runs, as shown in rows and on pages."""

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404

from runs.display.card_results import fetch_results, results_of
from runs.engine.input_summary import summary_text
from runs.models import Member, Run, StoredFile

SHOWN_WITH = ("app__thumbnail", "input_picture", "member", "deleted_by")  # related objects whose data a row needs


def with_results(runs: Iterable[Run]) -> list[Run]:
    """Return runs fetched with `SHOWN_WITH`, along with what their rows show of their results. Takes two queries."""
    runs = list(runs)
    fetch_results(runs)
    return runs


def first_input(run: Run) -> str:
    """Return the first input of `run` in words; "" if the title already shows it."""
    first = next(iter(run.summary), None)
    return summary_text(first) if first and first != run.told_input else ""


def row_picture(run: Run) -> StoredFile | None:
    """Return the first picture available: a result's, an input's or the app's."""
    candidates = (*results_of(run).pictures[:1], run.input_picture, run.app.thumbnail)
    return next((picture for picture in candidates if picture and picture.small_url), None)


def binned_page(member: Member, **lookup: str) -> dict[str, Any]:
    """Return the context for the 404 page of a run that is in the member's bin and matches `lookup`.

    Raises Http404 if the run doesn't exist or is in somebody else's bin.
    """
    run = get_object_or_404(Run.objects.in_bin_of(member).select_related(*SHOWN_WITH), **lookup)
    return {"section": "bin", "run": with_results([run])[0]}
