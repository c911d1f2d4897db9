"""Making the next version of a result: the form is filled with its run's inputs, and only the results that still need
changes are ticked.

Which results are replaced depends on their position in the app's form, never on their labels, which may repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from runs.models import App, AppSchema, Comment, Decision, Member, Output, ReviewItem, ReviewRequest, Run

COMMENTS_SHOWN = 20


@dataclass(frozen=True)
class NextVersion:
    """What the form will remake: the results to replace, by index in the form, and what reviewers asked for.

    Results that are files of the same list have the same index, because the app makes the whole list again.
    """

    result: Output
    replaced: dict[int, list[Output]]
    extra: int  # how many other files are in these lists; they'll be made again, too
    decisions: list[Decision]
    comments: list[Comment]

    @property
    def wanted_outputs(self) -> list[int]:
        return sorted(self.replaced)

    @cached_property
    def number(self) -> int:
        """The number that the next version will get, unless someone else makes one first."""
        return self.result.newest_number + 1

    @property
    def newer(self) -> int:
        """The number of the newest version, finished or not, if it is newer than this result; otherwise 0."""
        newest = self.number - 1
        return newest if newest > self.result.number else 0

    @property
    def others(self) -> int:
        """How many of the run's other results will be remade as well, because they need changes."""
        return len(set(self._results) - {self.result})

    @property
    def _results(self) -> list[Output]:
        return [result for results in self.replaced.values() for result in results]

    @property
    def is_awaited(self) -> bool:
        """Whether members have been asked to decide, which means that the new run will be shared with the team when it
        is ready (`review.requests.on_version_made`)."""
        results = self._results
        lines = [line for result in results for line in (result.line_id, result.pk) if line]
        items = ReviewItem.objects.filter(Q(output__in=results) | Q(output__line__in=lines), request__closed_at=None)
        return items.exclude(request__audience=ReviewRequest.Audience.GUESTS).exists()


def source_result(member: Member, app: App, public_id: str) -> Output | None:
    """Return the result that `app`'s form will make the next version of, if `member` may see it."""
    if not public_id:
        return None
    return Output.objects.visible_to(member).filter(run__app=app, public_id=public_id).select_related("run").first()


def replaced_result(member: Member, run: Run) -> Output | None:
    """Return the result that `run` made a new version of, if `member` may see it.

    If there are several, prefer one that doesn't need changes, because `next_version` then finds the others.
    """
    if run.parent_id is None:
        return None
    lines = run.outputs.filter(line__isnull=False).order_by().values("line")
    replaced = Output.objects.visible_to(member).filter(Q(pk__in=lines) | Q(line__in=lines), run=run.parent_id)
    candidates = replaced.select_related("run").order_by("position")
    return min(candidates, key=lambda output: output.verdict == Decision.Verdict.CHANGES, default=None)


def is_of_others(run: Run, result: Output) -> bool:
    """Return whether `run` made next versions, but none of `result`."""
    lines = set(run.outputs.filter(line__isnull=False).values_list("line", flat=True))
    return bool(lines) and (result.line_id or result.pk) not in lines


def next_version(result: Output, schema: AppSchema) -> NextVersion:
    """Plan the next version of `result`, and of any other results of its run that still need changes."""
    outputs = list(result.run.outputs.all())
    waiting = set(result.run.outputs.needing_changes().values_list("pk", flat=True))
    to_change = [output for output in outputs if output.pk == result.pk or output.pk in waiting]
    replaced = _by_place(to_change, result.run, schema)
    # Decisions and comments are shown even if the form has changed and nothing can be replaced
    decisions = Decision.objects.standing().on_current_content().filter(output__in=to_change, verdict="changes")
    comments = Comment.objects.filter(output__in=to_change, parent=None, resolved_at=None, removed_at=None)
    return NextVersion(
        result,
        replaced,
        sum(len(files) - len(replaced.get(at, files)) for at, files in _by_place(outputs, result.run, schema).items()),
        list(decisions.select_related("member", "link__member", "link__made_by", "output")),
        list(comments.select_related("member", "output")[:COMMENTS_SHOWN]),
    )


def places_of(run: Run, outputs: Sequence[Output]) -> dict[int, int]:
    """Return the indexes of the run's `outputs` in the app's form, keyed by primary key. Results that the app doesn't
    list are left out."""
    indexes = [output["index"] for output in run.schema.outputs_at(run.wanted_outputs)]
    by_position = dict(enumerate(indexes))
    places = {o.pk: by_position.get(o.position) if o.schema_index is None else o.schema_index for o in outputs}
    return {pk: place for pk, place in places.items() if place is not None}


def _by_place(outputs: Sequence[Output], run: Run, schema: AppSchema) -> dict[int, list[Output]]:
    """Return those of the run's `outputs` that `schema` can make again, by index in the form. Each has another number
    in the list that the app made there."""
    by_place: dict[int, dict[int, Output]] = {}
    places = places_of(run, outputs)
    for output in outputs:
        if output.pk in places and _still_makes(schema, run, places[output.pk]):
            by_place.setdefault(places[output.pk], {})[output.list_number] = output
    return {place: list(files.values()) for place, files in by_place.items()}


def _still_makes(schema: AppSchema, run: Run, place: int) -> bool:
    """Return whether `schema` makes the same result at this index as the form that `run` was started from."""
    then, now = ({o["index"]: o["label"] for o in form.outputs} for form in (run.schema, schema))
    return place in now and now[place] == then.get(place)


def replaced_by(result: Output | None, schema: AppSchema, indexes: Sequence[int]) -> dict[int, list[Output]]:
    """Return the earlier results that the new results in `indexes` will replace, by index in the form.

    That includes results whose newest version is settled if someone has ticked them: the form doesn't.
    """
    if result is None:
        return {}
    waiting = next_version(result, schema).replaced
    if not indexes:
        return waiting
    settled = [o for o in result.run.outputs.all() if o.verdict == Decision.Verdict.CHANGES]
    replaced = _by_place(settled, result.run, schema) | waiting
    return {index: outputs for index, outputs in replaced.items() if index in indexes}
