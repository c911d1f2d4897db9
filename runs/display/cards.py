"""What app and run cards show, made ready for templates: plain values, no queries while rendering."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from runs.display.card_results import CardPicture, CardResults, results_of
from runs.engine.durations import slow_level
from runs.models import App, Member, Run, StoredFile
from runs.words.sentences import State, about_credits, age_words, clock_words, makes_words, state_of, usual_words

LINES_PER_CARD = 2
NAME_BEFORE_INPUT = 22  # a longer name of an app may leave no room in the title for the input that follows it


@dataclass(frozen=True)
class Shape:
    """One shape of a made-up pattern, in a 16 by 10 grid; TONE is 1 to 4."""

    x: int
    y: int
    r: int
    tone: int


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
    pattern: list[Shape]
    usual_words: str = ""


@dataclass(frozen=True)
class RunCard:
    """One run on Home and in History; the same size in every state."""

    run: Run
    url: str
    dom_id: str
    title: str
    app_name: str
    state: State
    lines: list[tuple[str, str]]  # inputs that the title does not tell
    pictures: list[CardPicture]
    input_picture: StoredFile | None
    kind: str
    text_excerpt: str
    created_at: datetime
    age_words: str
    elapsed_words: str = ""
    duration_words: str = ""
    maker: Member | None = None  # when it is not the viewer
    can_change: bool = False
    has_guests: bool = False  # told only to those who can change it
    is_active: bool = False  # it may still change by itself: results are awaited or being saved

    @property
    def version(self) -> str:
        return version_token(self.run)

    @property
    def pattern(self) -> list[Shape]:
        return pattern_of(self.app_name)

    @property
    def age_brief(self) -> str:
        """The age without the word "ago", for which a phone has no room."""
        return self.age_words.removesuffix(" ago")

    @property
    def form_url(self) -> str:
        return f"{self.run.app.get_absolute_url()}?from={self.run.public_id}"


def version_token(run: Run) -> str:
    """What a page knows of a run (fetched with its app): its version, how slow it was, what was announced last."""
    level = slow_level(run, timezone.now())
    return f"{run.version}.{level}-{state_of(run).key}-{run.outputs_ready}-{run.outputs_total}"


def pattern_of(name: str) -> list[Shape]:
    """A quiet pattern that is always the same for one name: never a grey box."""
    digest = hashlib.sha256(name.encode("utf-8", "replace")).digest()
    fours = [digest[4 * i : 4 * i + 4] for i in range(6)]
    shapes = [Shape(x=x % 17, y=y % 11, r=2 + r % 4, tone=1 + tone % 4) for x, y, r, tone in fours]
    shapes[0] = replace(shapes[0], tone=2 + digest[31] % 2)  # at least one strong tone, or it looks pale
    return shapes


def app_card(app: App) -> AppCard:
    return AppCard(
        app=app,
        url=app.get_absolute_url(),
        name=app.name,
        description=app.description,
        makes_words=makes_words(app.makes),
        kinds=list(app.makes),
        credits_words=about_credits(app.credits_expected),
        picture=app.thumbnail,
        pattern=pattern_of(app.name),
        usual_words=usual_words(app.usual_seconds, app.slow_seconds),
    )


def run_cards(runs: Iterable[Run], viewer: Member) -> list[RunCard]:
    """The cards of runs fetched with `for_cards()`, as VIEWER sees them: one query more, for all their results."""
    runs, now = list(runs), timezone.now()
    found = results_of(runs)
    return [_run_card(run, found.get(run.pk, CardResults()), viewer, now) for run in runs]


def _run_card(run: Run, results: CardResults, viewer: Member, now: datetime) -> RunCard:
    told = None if len(run.app_name) > NAME_BEFORE_INPUT else run.told_input
    seconds = results.duration_seconds
    can_change = run.is_changeable_by(viewer)
    return RunCard(
        run=run,
        url=run.get_absolute_url(),
        dom_id=f"card-{run.public_id}",
        title=run.display_title,
        app_name=run.app_name,
        state=state_of(run),
        lines=[(line["name"], line["text"]) for line in run.summary if line is not told][:LINES_PER_CARD],
        pictures=results.pictures,
        input_picture=run.input_picture,
        kind=results.kind,
        text_excerpt=results.text,
        created_at=run.created_at,
        age_words=age_words(run.created_at, now),
        duration_words=clock_words(timedelta(seconds=seconds)) if seconds else "",
        elapsed_words=clock_words(now - run.created_at) if run.is_active else "",
        maker=None if run.belongs_to(viewer) else run.member,
        can_change=can_change,
        has_guests=can_change and results.has_guests,
        is_active=run.is_active or results.is_saving,
    )
