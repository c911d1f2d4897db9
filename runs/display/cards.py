"""The cards of runs in lists. Rendering them makes no queries."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from runs.display.card_results import PICTURES_PER_CARD, CardResults, fetch_results, results_of
from runs.display.match_lines import NO_SEARCH, NOT_FOUND, RunSearch, match_line, texts_of
from runs.engine.durations import slow_level, usual_end
from runs.engine.input_summary import summary_text
from runs.models import Member, Output, Run, StoredFile
from runs.words.run_states import RunState, state_key, state_of
from runs.words.time_spans import age_words, brief_age_words, clock_words
from runs.words.verdicts import approved_words, changes_words, rejected_words

LINES_PER_CARD = 2
VERDICT_WORDS = {"approved": approved_words, "changes": changes_words, "rejected": rejected_words}
# In characters. If the app name is longer than this, the title may have no room for the input that follows it.
NAME_BEFORE_INPUT = 22
SAVING_SECONDS = 20  # after that, usually only long videos are still being saved, so polling often would be pointless


class CardLine(NamedTuple):
    """An input that a card shows: its name with a colon, and its text."""

    label: str
    text: str
    is_changed: bool  # it differs from the run that this one was made from

    @classmethod
    def of(cls, line: dict[str, Any]) -> Self:
        name: str = line["name"]
        # Without the colon, a name such as "Upload" would read like an instruction
        return cls(f"{name}:" if name[-1:].isalnum() else name, summary_text(line), "is_changed" in line)


class CardMenu(NamedTuple):
    """What the menu of a card (`display/_run_menu.html`) offers."""

    is_active: bool
    has_results: bool
    can_begin: bool  # the viewer may use the run's app
    can_change: bool
    can_delete: bool
    can_share: bool  # with the team even while the run is active, with guests once it has results
    is_team_offered: bool  # the team can't see the run yet


@dataclass(frozen=True)
class RunCard:
    """A run in a list, as `viewer` sees it. Templates ask the run itself for everything that depends on nothing
    else. A card makes no queries: what it shows of the run must be among `RUN_CARD_COLUMNS`."""

    run: Run
    viewer: Member
    results: CardResults
    lines: list[CardLine]  # inputs that the title doesn't contain
    new_version: Output | None  # the first result that is a new version of an earlier one
    walk: str = ""  # the query string of the list that Previous and Next on the run's page follow
    match_line: SafeString = NOT_FOUND  # for a search: where it found the words that the card doesn't show

    @property
    def url(self) -> str:
        return f"{self.run.get_absolute_url()}?{self.walk}" if self.walk else self.run.get_absolute_url()

    @property
    def ids(self) -> list[str]:
        """What can be selected on this card: the run's id."""
        return [self.run.public_id]

    @property
    def version(self) -> str:
        return version_token(self.run)

    @cached_property
    def state(self) -> RunState:
        return state_of(self.run)

    @property
    def detail(self) -> str:
        """What the badge on the picture says: how many results are ready, or that they are being saved."""
        if self.results.is_saving and self.run.is_final:
            return _("Being saved")
        return self.state.detail

    @property
    def is_active(self) -> bool:
        """Whether results are still arriving or being saved."""
        return self.run.is_active or self.results.is_saving

    @property
    def ask_often(self) -> str:
        return ask_often_of(self.run, timezone.now(), is_saving=self.results.is_saving)

    @cached_property
    def can_change(self) -> bool:
        return self.run.is_changeable_by(self.viewer)

    @property
    def menu(self) -> CardMenu:
        run, has_results = self.run, self.run.outputs_ready > 0
        can_share = self.can_change and (has_results or run.is_active)
        return CardMenu(
            is_active=run.is_active,
            has_results=has_results,
            can_begin=run.app.is_runnable_by(self.viewer),
            can_change=self.can_change,
            can_delete=run.is_binnable_by(self.viewer),
            can_share=can_share,
            is_team_offered=can_share and run.shared_at is None,
        )

    @property
    def has_guests(self) -> bool:
        """Whether guests can see results. Only people who can change the run are told."""
        return self.can_change and self.results.has_guests

    @property
    def audience_icon(self) -> str:
        """Icon for who can see the run; empty for a teammate's run that's only shared with the team."""
        is_shared = self.run.shared_at is not None
        if is_shared and self.run.belongs_to(self.viewer):
            return "team"
        return "link" if self.has_guests else "" if is_shared else "lock"

    @property
    def audience_words(self) -> str:
        """What `audience_icon` means, in words."""
        if not self.run.belongs_to(self.viewer):
            return (
                _("(guests with a link can see it)") if self.has_guests else _("(only its owner and admins can see it)")
            )
        if self.run.shared_at:
            return _("Team and guest link") if self.has_guests else _("Shared with the team")
        return _("Guest link") if self.has_guests else _("Only you")

    @property
    def is_mosaic(self) -> bool:
        """Whether the card shows, or will show, several pictures."""
        return len(self.results.pictures) > 1 or (self.run.is_active and self.run.outputs_total > 1)

    @property
    def is_detailed(self) -> bool:
        """Whether so few pictures are shown that the first one needs a large thumbnail."""
        return len(self.results.pictures) < 3

    @property
    def empty_cells(self) -> range:
        """The empty spots in the mosaic for pictures that may still arrive."""
        count = min(self.run.outputs_total, PICTURES_PER_CARD) if self.run.is_active else 0
        return range(len(self.results.pictures), count)

    @property
    def source(self) -> StoredFile | None:
        """The input's picture, if it is shown next to a result."""
        has_result = self.results.pictures or self.results.text
        return self.run.input_picture if has_result and self.state.key not in ("failed", "cancelled") else None

    @property
    def verdicts(self) -> dict[str, int]:
        """How many results have each verdict. Needs no queries, because the run stores these numbers."""
        run = self.run
        counts = (run.outputs_approved, run.outputs_changes, run.outputs_rejected)
        return {verdict: count for verdict, count in zip(VERDICT_WORDS, counts, strict=True) if count}

    @property
    def verdict_words(self) -> str:
        return ", ".join(VERDICT_WORDS[verdict](count) for verdict, count in self.verdicts.items())

    @property
    def age_words(self) -> str:
        return age_words(self.run.created_at)

    @property
    def age_brief(self) -> str:
        """The age without "ago", for phones."""
        return brief_age_words(self.run.created_at)

    @property
    def elapsed_words(self) -> str:
        return clock_words(timezone.now() - self.run.created_at)


def version_token(run: Run) -> str:
    """Return a token that changes whenever pages need to update the run (fetched with its app).

    The token combines the run's version, slowness and result counts with the state that pages show. It contains no
    words, so it is the same in every language.
    """
    level = slow_level(run, timezone.now())
    return f"{run.version}.{level}-{state_key(run)}-{run.outputs_ready}-{run.outputs_total}"


def ask_often_of(run: Run, now: datetime, *, is_saving: bool) -> str:
    """Return when to poll often because the run is likely to change, as "from to" in seconds from now; "" if unknown.

    That's around the time that runs like this usually end, and for `SAVING_SECONDS` while results are being saved.
    """
    if is_saving:
        return f"0 {SAVING_SECONDS}"
    end = usual_end(run, now)
    return f"{end[0]:.1f} {end[1]:.1f}" if end else ""


def run_cards(
    runs: Iterable[Run],
    viewer: Member,
    search: RunSearch = NO_SEARCH,
    *,
    walk: str = "",
    approved_first: bool = False,
) -> list[RunCard]:
    """Return cards for runs fetched with `for_cards()`, as `viewer` sees them. Takes two queries, and a third one if a
    `search` found words that cards don't show, to tell where. With `approved_first`, cards show approved
    results before a run's other results."""
    runs = list(runs)
    fetch_results(runs)
    alike = _lines_alike(runs)
    cards = []
    for run in runs:
        version = _new_version(run)
        lines = _lines(run, alike.get(run.display_title, frozenset()))[: LINES_PER_CARD - bool(version)]
        cards.append(RunCard(run, viewer, results_of(run, approved_first=approved_first), lines, version, walk))
    return _with_matches(cards, search) if search.marker.terms else cards


def _new_version(run: Any) -> Output | None:
    """Return the first result of `run`, fetched with `fetch_results`, that is a new version of an earlier one."""
    return next((output for output in run.card_outputs if output.number > 1), None)


def _with_matches(cards: list[RunCard], search: RunSearch) -> list[RunCard]:
    """Return the cards, which say where the search found words that they don't show."""
    unseen = [search.unseen(card.run.display_title, [line.text for line in card.lines]) for card in cards]
    texts = texts_of([card.run.pk for card, marker in zip(cards, unseen, strict=True) if marker.terms])
    return [
        replace(card, match_line=match_line(card.run, texts.get(card.run.pk, ()), card.results.kinds, marker, search))
        for card, marker in zip(cards, unseen, strict=True)
    ]


def _lines_alike(runs: list[Run]) -> dict[str, frozenset[tuple[str, str]]]:
    """For each title that several runs share, return the inputs (name and text) that those runs have in common.

    Their cards show other inputs first, because those tell the runs apart.
    """
    inputs: dict[str, list[set[tuple[str, str]]]] = {}
    for run in runs:
        inputs.setdefault(run.display_title, []).append({(line["name"], line["text"]) for line in run.summary})
    return {title: frozenset(set.intersection(*each)) for title, each in inputs.items() if len(each) > 1}


def _lines(run: Run, alike: frozenset[tuple[str, str]]) -> list[CardLine]:
    """Return the inputs that the card of `run` may show. Inputs that differ from the run it was made from come first;
    inputs in `alike` come last, because other cards have the same ones."""
    summary = None if len(run.app_name) > NAME_BEFORE_INPUT else run.told_input
    others = [line for line in run.summary if line is not summary]
    in_order = sorted(others, key=lambda line: (not line.get("is_changed"), (line["name"], line["text"]) in alike))
    return [CardLine.of(line) for line in in_order]
