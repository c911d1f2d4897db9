"""Reads everything that a result's page needs, except decisions and comments.

That means the run with its results and inputs, all versions of the result, the rules for deciding, and the number next
to Review. Reading all this takes eight queries, no matter how many versions there are.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Prefetch, Q, Value
from django.db.models.functions import Coalesce

from runs.display.review_count import shows_review
from runs.display.verdicts import Around
from runs.history import selection
from runs.models import Member, Output, OutputFile, Run
from runs.models.joined import CountUpTo
from runs.models.output import for_page
from runs.review import review_queries
from runs.review.rules import rules_columns, rules_on
from runs.review.versions import newer_among


@dataclass(frozen=True)
class ResultRows:
    """A run with its results, their files and its inputs, and the versions of one of its results."""

    run: Run
    line: list[Output]  # all versions with their files and runs
    around: Around
    waiting: int  # number of results waiting for the member's decision
    is_selected: bool  # whether the member has selected this result


def result_rows(member: Member, public_id: str) -> ResultRows | None:
    """Return the rows for the page of the result `public_id`; None if `member` may not see the run."""
    waiting = CountUpTo(review_queries.counted_for(member)) if shows_review(member) else Value(0)
    visible = Run.objects.visible_to(member).filter(outputs__public_id=public_id)
    own = Exists(Output.objects.filter(public_id=public_id).own_work_of(member))
    visible = (
        for_page(visible)
        .select_related("app__rule")
        .annotate(
            first_id=Coalesce("outputs__line_id", "outputs__pk"),
            is_own=own,
            waiting=waiting,
            is_selected=selection.has_result(member, public_id),
            **rules_columns(),
        )
    )
    run: Any = visible.first()
    return _rows_of(run, public_id) if run is not None else None


def _rows_of(run: Any, public_id: str) -> ResultRows:
    """Read the versions, using the annotations that `result_rows` fetched with `run`."""
    first: int = run.first_id
    versions = Output.objects.filter(Q(pk=first) | Q(line=first)).select_related("run", "starred_by")
    files = Prefetch("files", OutputFile.objects.select_related("file"))
    line = list(versions.prefetch_related(files).order_by("number"))
    same = [output for output in line if output.public_id == public_id]
    around = Around(rules_on(run), newer_among(same, line), {output.pk for output in same if run.is_own})
    return ResultRows(run, line, around, run.waiting, run.is_selected)
