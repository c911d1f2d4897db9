"""Single results that can be selected in History. One query reads the results of all runs on a page."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Left
from django.utils.safestring import SafeString

from runs.display.card_results import EXCERPT, FILE_COLUMNS, NO_TEXT, CardPicture, JsonType
from runs.display.found_in import NOT_FOUND, NOTHING_SOUGHT, FoundText, Sought, found_in, texts_of
from runs.display.json_results import excerpt
from runs.display.result_boxes import result_labels
from runs.display.verdicts import VERDICT_ICONS
from runs.history.filters import Filter
from runs.models import Decision, Member, Output, OutputFile, Run

TILES_PER_RUN = 12
COLUMNS = (
    *("run_id", "public_id", "position", "label", "kind", "status", "verdict", "removed_at", "excerpt", "type"),
    *("files__status", "files__position", *(f"files__file__{name}" for name in FILE_COLUMNS)),
)


@dataclass(frozen=True)
class ResultTile:
    """One ready result. `text` is the beginning of the result's text; `verdict` is empty if nobody has decided on
    it."""

    public_id: str
    url: str
    label: str
    kind: str
    verdict: str
    text: str
    picture: CardPicture | None

    @property
    def verdict_icon(self) -> str:
        return VERDICT_ICONS.get(self.verdict, "")

    @property
    def verdict_words(self) -> str:
        return str(Decision.Verdict(self.verdict).label) if self.verdict in VERDICT_ICONS else ""


@dataclass(frozen=True)
class RunTiles:
    """The results of one run that match a filter; `more` is how many of them aren't shown."""

    run: Run
    url: str
    maker: Member | None  # None if the viewer made the run
    tiles: list[ResultTile] = field(default_factory=list)
    more: int = 0
    found_in: SafeString = NOT_FOUND  # for a search: where it found the words that aren't in the title

    @property
    def ids(self) -> list[str]:
        """The ids of the results that can be selected."""
        return [tile.public_id for tile in self.tiles]

    @property
    def created_at(self) -> datetime:
        return self.run.created_at


def result_tiles(
    runs: Iterable[Run],
    viewer: Member,
    found: Filter,
    *,
    walk: str,
    only: Collection[str] | None = None,
    sought: Sought = NOTHING_SOUGHT,
) -> list[RunTiles]:
    """Return the results of `runs` (fetched with `for_cards()`) that have the kind and verdict that `found` asks for.

    With `only` (public ids), return exactly those results; otherwise, at most `TILES_PER_RUN` per run, or one more if
    that shows them all. Runs that have none are left out. `walk` is the query string of the list that Previous and Next
    follow. Like cards, the tiles say where a search (`sought`) found words that aren't in the title.
    """
    runs = list(runs)
    unseen = {run.pk: sought.unseen(run.display_title, ()) for run in runs}
    of_run, texts = _tiles_and_texts_of(runs, walk, [pk for pk, marker in unseen.items() if marker.terms])
    shown = []
    for run in runs:
        tiles = [tile for tile in of_run.get(run.pk, []) if _matches(tile, found)]
        if only is not None:
            tiles = [tile for tile in tiles if tile.public_id in only]
        most = len(tiles) if only is not None or len(tiles) == TILES_PER_RUN + 1 else TILES_PER_RUN
        maker: Member | None = run.made_by or run.member
        url = f"{run.get_absolute_url()}?{walk}"
        if tiles:
            told = found_in(run, texts.get(run.pk, ()), {tile.kind for tile in tiles}, unseen[run.pk], sought)
            maker = None if maker == viewer else maker
            shown.append(RunTiles(run, url, maker, tiles[:most], len(tiles[most:]), told))
    return shown


def _matches(tile: ResultTile, found: Filter) -> bool:
    verdict = "" if found.decision == "none" else found.decision
    return found.kind in ("", tile.kind) and (not found.decision or tile.verdict == verdict)


def _tiles_and_texts_of(
    runs: list[Run], walk: str, with_texts: list[int]
) -> tuple[dict[int, list[ResultTile]], dict[int, list[FoundText]]]:
    """Return each run's ready results and, for runs whose primary keys are in `with_texts`, the text that search looks
    through. Both dictionaries are keyed by the run's primary key. Takes one query."""
    outputs = Output.objects.filter(run__in=[run.pk for run in runs]).annotate(
        excerpt=Left("text", EXCERPT), type=JsonType("raw_value"), **dict.fromkeys(NO_TEXT, Value("", TextField()))
    )
    found: QuerySet[Any, Any] = outputs.order_by().values_list(*COLUMNS, *NO_TEXT)
    if with_texts:
        blanks = [Value(None, TextField())] * (len(COLUMNS) - 1)
        found = found.union(*texts_of(with_texts, *blanks), all=True)
    results: dict[int, list[dict[str, Any]]] = {}
    texts: dict[int, list[FoundText]] = {}
    for row in found:
        if (text := FoundText(*row[len(COLUMNS) :])).source:
            texts.setdefault(row[0], []).append(text)
        else:
            results.setdefault(row[0], []).append(dict(zip(COLUMNS, row, strict=False)))
    for rows in results.values():
        rows.sort(key=lambda row: (row["position"], row["files__position"] or 0))
    return {pk: _ready(rows, walk) for pk, rows in results.items()}, texts


def _ready(rows: list[dict[str, Any]], walk: str) -> list[ResultTile]:
    """Return the tiles of one run from its rows: one row for each file, and one for each result without files."""
    results = [list(group) for _position, group in groupby(rows, key=lambda row: row["position"])]
    labels = result_labels([Output(label=files[0]["label"], position=files[0]["position"]) for files in results])
    return [
        _tile(files, label, walk)
        for files, label in zip(results, labels, strict=True)
        if files[0]["removed_at"] is None and _has_content(files)
    ]


def _has_content(files: list[dict[str, Any]]) -> bool:
    """Return whether `OutputQuerySet.with_content` would include this result, given its rows."""
    has_file = any(row["files__status"] == OutputFile.Status.SAVED for row in files)
    return files[0]["status"] == Output.Status.COMPLETED and (bool(files[0]["excerpt"]) or has_file)


def _tile(files: list[dict[str, Any]], label: str, walk: str) -> ResultTile:
    first = files[0]
    saved = (row for row in files if row["files__status"] == OutputFile.Status.SAVED and row["files__file__thumb_200"])
    picture = next(saved, None)
    return ResultTile(
        public_id=first["public_id"],
        url=f"{Output(public_id=first['public_id']).get_absolute_url()}?{walk}",
        label=label,
        kind=first["kind"],
        verdict=first["verdict"],
        text=excerpt(first["excerpt"]) if first["type"] in ("object", "array") else first["excerpt"],
        picture=_picture(picture) if picture else None,
    )


def _picture(row: dict[str, Any]) -> CardPicture:
    of_file = {name: row[f"files__file__{name}"] for name in FILE_COLUMNS if not name.startswith("thumb")}
    return CardPicture(**of_file, has_large=bool(row["files__file__thumb_400"]))
