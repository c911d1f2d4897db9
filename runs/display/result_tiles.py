"""Single results that can be selected in History."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from runs.display.card_results import fetch_results, picture_files, text_start
from runs.display.match_lines import NO_SEARCH, NOT_FOUND, RunSearch, match_line, texts_of
from runs.display.result_boxes import result_labels
from runs.display.verdicts import VERDICT_ICONS
from runs.history.filters import Filter
from runs.models import Decision, Output, OutputFile, Run, StoredFile

TILES_PER_RUN = 12


@dataclass(frozen=True)
class ResultTile:
    """One ready result, with the label that tells it apart from the run's other results."""

    output: Output
    label: str

    @property
    def picture(self) -> StoredFile | None:
        return next(iter(picture_files(self.output)), None)

    @property
    def text(self) -> str:
        """The beginning of the result's text."""
        return text_start(self.output)

    @property
    def verdict_icon(self) -> str:
        return VERDICT_ICONS.get(self.output.verdict, "")

    @property
    def verdict_words(self) -> str:
        return str(Decision.Verdict(self.output.verdict).label)


@dataclass(frozen=True)
class RunTiles:
    """The results of one run that match a filter; `more` is how many of them aren't shown. `walk` is the query string
    of the list that Previous and Next follow."""

    run: Run
    tiles: list[ResultTile]
    more: int
    walk: str
    match_line: SafeString = NOT_FOUND  # for a search: where it found the words that aren't in the title

    @property
    def ids(self) -> list[str]:
        """The ids of the results that can be selected."""
        return [tile.output.public_id for tile in self.tiles]


def result_tiles(
    runs: Iterable[Run],
    filters: Filter,
    *,
    walk: str,
    only: Collection[str] | None = None,
    search: RunSearch = NO_SEARCH,
) -> list[RunTiles]:
    """Return the results of `runs` (fetched with `for_cards()`) that have the kind and verdict that `filters` asks for.

    With `only` (public ids), return exactly those results; otherwise, at most `TILES_PER_RUN` per run, or one more if
    that shows them all. Runs that have none are left out. Like cards, the tiles say where a `search` found
    words that aren't in the title.
    """
    runs = list(runs)
    fetch_results(runs)
    unseen = {run.pk: search.unseen(run.display_title, ()) for run in runs}
    texts = texts_of([pk for pk, marker in unseen.items() if marker.terms])
    groups = []
    for run in runs:
        tiles = [tile for tile in _ready(run) if _matches(tile.output, filters)]
        if only is not None:
            tiles = [tile for tile in tiles if tile.output.public_id in only]
        most = len(tiles) if only is not None or len(tiles) == TILES_PER_RUN + 1 else TILES_PER_RUN
        if tiles:
            kinds = {tile.output.kind for tile in tiles}
            where = match_line(run, texts.get(run.pk, ()), kinds, unseen[run.pk], search)
            groups.append(RunTiles(run, tiles[:most], len(tiles[most:]), walk, where))
    return groups


def _matches(output: Output, filters: Filter) -> bool:
    verdict = "" if filters.decision == "none" else filters.decision
    return filters.kind in ("", output.kind) and (not filters.decision or output.verdict == verdict)


def _ready(run: Any) -> list[ResultTile]:
    """Return the results of `run` that haven't been removed and have something to show."""
    outputs = list(run.card_outputs)
    labels = zip(outputs, result_labels(outputs), strict=True)
    return [ResultTile(one, label) for one, label in labels if one.removed_at is None and _has_content(one)]


def _has_content(output: Any) -> bool:
    """Return whether `OutputQuerySet.with_content` would include this result."""
    has_file = any(row.status == OutputFile.Status.SAVED for row in output.card_files)
    return output.status == Output.Status.COMPLETED and (has_file or bool(text_start(output)))
