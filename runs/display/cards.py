"""App and run cards as plain values, so that rendering makes no queries."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from runs.display.card_results import PICTURES_PER_CARD, CardPicture, CardResults, results_of
from runs.display.found_in import NOT_FOUND, NOTHING_SOUGHT, Sought, found_in
from runs.engine.durations import slow_level, usual_end
from runs.engine.input_summary import summary_text
from runs.models import App, Member, Run, StoredFile
from runs.schema_forms.results import makes_words
from runs.words.credits import about_credits
from runs.words.run_states import State, state_key, state_of
from runs.words.time_spans import age_words, brief_age_words, clock_words, usual_words
from runs.words.verdicts import approved_words, changes_words, rejected_words

LINES_PER_CARD = 2
VERDICT_WORDS = {"approved": approved_words, "changes": changes_words, "rejected": rejected_words}
# In characters. If the app name is longer than this, the title may have no room for the input that follows it.
NAME_BEFORE_INPUT = 22
SAVING_SECONDS = 20  # after that, usually only long videos are still being saved, so polling often would be pointless


@dataclass(frozen=True)
class AppCard:
    """One app in the catalogue."""

    app: App
    url: str
    name: str
    description: str
    makes_words: str
    kinds: list[str]
    credits_words: str
    picture: StoredFile | None
    usual_words: str = ""


@dataclass(frozen=True)
class RunCard:
    """The card of one run on Home and in History; its size is the same in every state."""

    run: Run
    url: str
    dom_id: str
    title: str
    app_name: str
    state: State
    lines: list[tuple[str, str]]  # inputs that the title doesn't contain
    changed: int  # how many of `lines` differ from the run that this one was made from; these come first
    pictures: list[CardPicture]
    input_picture: StoredFile | None
    kind: str
    text_excerpt: str
    created_at: datetime
    age_words: str
    age_brief: str  # the age without "ago", for phones
    elapsed_words: str = ""
    ask_often: str = ""  # see `ask_often_of`
    duration_words: str = ""
    owner: Member | None = None  # None if it is the viewer
    maker: Member | None = None  # None if it is the viewer
    can_change: bool = False
    has_guests: bool = False  # shown only to people who can change the run
    is_active: bool = False  # results are still arriving or being saved
    is_saving: bool = False
    found_in: SafeString = NOT_FOUND  # for a search: where it found the words that the card doesn't show

    @property
    def detail(self) -> str:
        """What the badge on the picture says: how many results are ready, or that they are being saved."""
        if self.is_saving and self.run.is_final:
            return _("Being saved")
        return self.state.detail

    @property
    def ids(self) -> list[str]:
        """What can be selected on this card: the run's id."""
        return [self.run.public_id]

    @property
    def version(self) -> str:
        return version_token(self.run)

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
    def is_mosaic(self) -> bool:
        """Whether the card shows, or will show, several pictures."""
        return len(self.pictures) > 1 or (self.run.is_active and self.run.outputs_total > 1)

    @property
    def cells(self) -> list[tuple[CardPicture, bool]]:
        """Each picture, and whether its small thumbnail is big enough for its spot on the card."""
        return [(picture, place > 0 or len(self.pictures) > 2) for place, picture in enumerate(self.pictures)]

    @property
    def empty_cells(self) -> int:
        """Number of empty spots in the mosaic for pictures that may still arrive."""
        count = min(self.run.outputs_total, PICTURES_PER_CARD) if self.run.is_active else 0
        return max(0, count - len(self.pictures))

    @property
    def source_url(self) -> str:
        """URL of the input's thumbnail, shown next to the result; empty if either is missing."""
        has_result = bool(self.pictures or self.text_excerpt) and self.state.key not in ("failed", "cancelled")
        return self.input_picture.small_url if self.input_picture and has_result else ""

    @property
    def audience_icon(self) -> str:
        """Icon for who can see the run; empty for a teammate's run that's only shared with the team."""
        if self.owner:
            return "link" if self.has_guests else "lock" if self.run.shared_at is None else ""
        return "team" if self.run.shared_at else "link" if self.has_guests else "lock"

    @property
    def audience_words(self) -> str:
        """What `audience_icon` means, in words."""
        if self.owner:
            return (
                _("(guests with a link can see it)") if self.has_guests else _("(only its owner and admins can see it)")
            )
        if self.run.shared_at:
            return _("Team and guest link") if self.has_guests else _("Shared with the team")
        return _("Guest link") if self.has_guests else _("Only you")

    @property
    def form_url(self) -> str:
        return f"{self.run.app.get_absolute_url()}?from={self.run.public_id}"


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


def app_card(app: App) -> AppCard:
    return AppCard(
        app=app,
        url=app.get_absolute_url(),
        name=app.name,
        description=app.description,
        makes_words=makes_words(app.makes),
        kinds=list(app.makes),
        credits_words=about_credits(app.cost),
        picture=app.thumbnail,
        usual_words=usual_words(app.usual_seconds, app.slow_seconds),
    )


def run_cards(
    runs: Iterable[Run], viewer: Member, sought: Sought = NOTHING_SOUGHT, *, approved_first: bool = False
) -> list[RunCard]:
    """Return cards for runs fetched with `for_cards()`, as `viewer` sees them, with one query for all their results.
    Cards say where a search (`sought`) found words that they don't show. With `approved_first`, they show approved
    results before a run's other results."""
    runs, now = list(runs), timezone.now()
    alike = _lines_alike(runs)
    lines = {run.pk: _lines(run, alike.get(run.display_title, frozenset())) for run in runs}
    unseen = {run.pk: sought.unseen(run.display_title, map(summary_text, lines[run.pk])) for run in runs}
    texts = [pk for pk, marker in unseen.items() if marker.terms]
    found = results_of(runs, with_texts=texts, approved_first=approved_first)
    cards = []
    for run in runs:
        results = found.get(run.pk, CardResults())
        card = _run_card(run, lines[run.pk], results, viewer, now)
        where = found_in(run, results.texts, results.kinds, unseen[run.pk], sought)
        cards.append(replace(card, found_in=where) if where else card)
    return cards


def _lines_alike(runs: list[Run]) -> dict[str, frozenset[tuple[str, str]]]:
    """For each title that several runs share, return the inputs (name and text) that those runs have in common.

    Their cards show other inputs first, because those tell the runs apart.
    """
    inputs: dict[str, list[set[tuple[str, str]]]] = {}
    for run in runs:
        inputs.setdefault(run.display_title, []).append({(line["name"], line["text"]) for line in run.summary})
    return {title: frozenset(set.intersection(*given)) for title, given in inputs.items() if len(given) > 1}


def _label(line: dict[str, Any]) -> str:
    """Return an input's name with a colon: without it, a name such as "Upload" would read like an instruction."""
    name: str = line["name"]
    return f"{name}:" if name[-1:].isalnum() else name


def _lines(run: Run, alike: frozenset[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the inputs to show on the card of `run`. Inputs that differ from the run it was made from come first;
    inputs in `alike` come last, because other cards have the same ones."""
    told = None if len(run.app_name) > NAME_BEFORE_INPUT else run.told_input
    others = [line for line in run.summary if line is not told]
    in_order = sorted(others, key=lambda line: (not line.get("is_changed"), (line["name"], line["text"]) in alike))
    return in_order[:LINES_PER_CARD]


def _run_card(run: Run, lines: list[dict[str, Any]], results: CardResults, viewer: Member, now: datetime) -> RunCard:
    seconds = results.duration_seconds
    can_change = run.is_changeable_by(viewer)
    maker = run.made_by or run.member  # `made_by` is None if the run was transferred before makers were recorded
    return RunCard(
        run=run,
        url=run.get_absolute_url(),
        dom_id=f"card-{run.public_id}",
        title=run.display_title,
        app_name=run.app_name,
        state=state_of(run),
        lines=[(_label(line), summary_text(line)) for line in lines],
        changed=sum("is_changed" in line for line in lines),
        pictures=results.pictures,
        input_picture=run.input_picture,
        kind=results.kind,
        text_excerpt=results.text,
        created_at=run.created_at,
        age_words=age_words(run.created_at, now),
        age_brief=brief_age_words(run.created_at, now),
        duration_words=clock_words(timedelta(seconds=seconds)) if seconds else "",
        elapsed_words=clock_words(now - run.created_at) if run.is_active else "",
        ask_often=ask_often_of(run, now, is_saving=results.is_saving),
        owner=None if run.belongs_to(viewer) else run.member,
        maker=None if maker == viewer else maker,
        can_change=can_change,
        has_guests=can_change and results.has_guests,
        is_active=run.is_active or results.is_saving,
        is_saving=results.is_saving,
    )
