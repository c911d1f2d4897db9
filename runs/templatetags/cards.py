"""The cards of runs: `{% run_card card %}`.

A page has 24 cards, so their template is rendered only once for each kind of card in each language, and then filled in
(`web/stencils.py`).
"""

from dataclasses import dataclass
from typing import Literal

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from runs.display.cards import RunCard
from runs.display.verdicts import VERDICT_ICONS
from runs.models import App, Member, Run
from runs.models.addresses import path_to
from runs.schema_forms.questions import shortened
from runs.templatetags.pictures import kind_mark, pattern, thumbnail
from runs.web.stencils import Blanks, filled
from runs.words.highlight import NONE, Marker
from runs.words.moments import zoned_words

register = template.Library()
EXAMPLE_TITLE, EXAMPLE_TEXT = 60, 80  # maximum length, in characters
EXAMPLE_SIZE = 200  # in pixels, for a picture of unknown size
LINES = (Blanks("line1_"), Blanks("line2_"))
FIRST_ROW = 5  # number of cards in the first row on a wide screen
OUR_ICONS = ("image", "video", "audio", "text")  # Lamina may send other kinds, under any name
WAITING = mark_safe('<span class="mosaic-cell is-waiting"></span>')


@dataclass(frozen=True)
class RunMenu:
    """Which entries of `display/_run_menu.html` to show, depending on the run and who is looking at it."""

    can_begin: bool  # the app can be run, and this person may run apps
    can_repeat: bool
    has_results: bool
    can_share: bool  # this person can share the run: with the team even while active, with guests once it has results
    can_share_with_team: bool  # this person can share the run with the team, which can't see it yet
    can_cancel: bool
    can_delete: bool

    @property
    def quick_id(self) -> str:
        """A blank for the run's id, used by the button that makes a guest link; "" if there are no results to show to
        guests."""
        return Blanks().id if self.has_results else ""

    @classmethod
    def of(cls, card: RunCard, member: Member) -> "RunMenu | None":
        """Return the menu; None if it would be empty, for example for a viewer when the run has no results."""
        run, can_begin = card.run, card.run.app.is_runnable_by(member)
        has_results = bool(run.outputs_ready)
        can_share = card.can_change and (has_results or run.is_active)
        if not (can_begin or has_results or card.can_change):
            return None
        return cls(
            can_begin=can_begin,
            can_repeat=can_begin and not run.is_active,
            has_results=has_results,
            can_share=can_share,
            can_share_with_team=can_share and run.shared_at is None,
            can_cancel=card.can_change and run.is_active,
            can_delete=run.is_binnable_by(member),
        )


@dataclass(frozen=True)
class StarKind:
    """What `history/_star.html` needs to know about a run and who is looking at it."""

    can_run: bool
    starred_at: bool
    has_star: bool
    starred_by: Blanks | None
    public_id = Blanks().id
    star_url = Blanks().star_url

    @classmethod
    def of(cls, run: Run | App, member: Member) -> "StarKind":
        return cls(
            can_run=member.can_run,
            starred_at=run.starred_at is not None,
            has_star=run.has_star,
            starred_by=STARRER if run.starred_by_id else None,
        )


@dataclass(frozen=True)
class AppStarKind:
    """What `history/_star.html` needs to know about an app. In a preview of the app's page, the star can't be
    pressed."""

    star: StarKind
    is_preview: bool


@dataclass(frozen=True)
class MarkKind:
    """The mark for one verdict; the number in it is a blank, filled in later."""

    verdict: str
    icon: str
    count: SafeString


STARRER = Blanks("starrer_")
MARKS = {verdict: MarkKind(verdict, icon, getattr(Blanks(), verdict)) for verdict, icon in VERDICT_ICONS.items()}


@dataclass(frozen=True)
class CardKind:
    """Everything that decides which branches `display/_run_card.html` takes: flags and names from our code, never the
    run's own text."""

    state: str
    look: Literal["pictures", "text", "input", "sound", "pattern"]
    progress: Literal["", "open", "counted"]
    audience: str  # name of the icon
    menu: RunMenu | None
    star: StarKind | None
    lines: tuple[Blanks, ...]
    changed: int  # how many of `lines` are marked as changed; they come first
    verdicts: tuple[MarkKind, ...]
    is_swapped: bool  # replaces the card with the same id
    is_active: bool
    is_mosaic: bool
    is_timed: bool  # shows how long the run has been active instead of its age
    is_ticked: bool
    asks_often: bool
    has_detail: bool
    has_mark: bool
    has_selection: bool
    has_source: bool
    has_maker: bool
    has_found: bool
    is_example: bool

    @classmethod
    def of(cls, card: RunCard, context: Context, *, is_swapped: bool) -> "CardKind":
        run, member, has_tools = card.run, context["user"], bool(context.get("has_tools"))
        return cls(
            state=card.state.key,
            look=_look(card),
            progress=_progress(card),
            audience=card.audience_icon,
            menu=RunMenu.of(card, member) if has_tools else None,
            star=StarKind.of(run, member) if has_tools else None,
            lines=LINES[: len(card.lines)],
            changed=card.changed,
            verdicts=tuple(MARKS[verdict] for verdict in card.verdicts),
            is_swapped=is_swapped,
            is_active=card.is_active,
            is_mosaic=card.is_mosaic,
            is_timed=bool(run.is_active and card.elapsed_words),
            is_ticked=run.public_id in (context.get("ticked") or ()),
            asks_often=bool(card.ask_often),
            has_detail=bool(card.detail),
            has_mark=card.kind == "audio" or not card.pictures,
            has_selection=bool(context.get("has_selection")),
            has_source=bool(card.source_url),
            has_maker=card.maker is not None,
            has_found=bool(card.found_in),
            is_example=run.is_example,
        )


def _look(card: RunCard) -> Literal["pictures", "text", "input", "sound", "pattern"]:
    if card.pictures:
        return "pictures"
    if card.text_excerpt:
        return "text"
    if card.input_picture and card.input_picture.card_url:
        return "input"
    return "sound" if card.kind == "audio" and card.state.key == "ready" else "pattern"


def _progress(card: RunCard) -> Literal["", "open", "counted"]:
    if not card.run.is_active:
        return ""
    return "counted" if card.run.outputs_total and card.state.key == "progress" else "open"


@register.simple_tag(takes_context=True)
def run_card(context: Context, card: RunCard, *, place: int = 0, is_swapped: bool = False) -> SafeString:
    """Render the card of a run.

    `place` counts the cards from the top of the page: pictures in the first row load at once, before the browser knows
    the layout. With `is_swapped`, the card replaces the one on the page with the same id. The context has `user`. It
    may have `has_tools` (show the star and menu), `has_selection` (show a checkbox, which is ticked if the run's id is
    in `ticked`) and `marker` (highlights search words).
    """
    kind = CardKind.of(card, context, is_swapped=is_swapped)
    values = _texts(card, context.get("marker") or NONE)
    if kind.look in ("pictures", "input"):
        values["pictures"] = _pictures(card, is_eager=is_swapped or 0 < place <= FIRST_ROW)
    elif kind.look == "pattern":
        values["pattern"] = pattern(card.app_name)
    if kind.has_mark:
        values["mark"] = kind_mark(card.kind, card.duration_words)
    if kind.verdicts:
        values |= {verdict: str(count) for verdict, count in card.verdicts.items()}
        values["verdict_words"] = card.verdict_words
    if kind.menu:
        values |= _links(card)
    if kind.star:
        values |= _star(context, card.run)
    return filled("display/_run_card.html", kind, values)


def _texts(card: RunCard, marker: Marker) -> dict[str, str]:
    texts = {
        "id": card.run.public_id,
        "version": card.version,
        "ask_often": card.ask_often,
        "url": card.url,
        "title": card.title,
        "marked_title": marker.marked(card.title),
        "excerpt": card.text_excerpt,
        "found_in": card.found_in,
        "total": str(card.run.outputs_total),
        "ready": str(card.run.outputs_ready),
        "state": card.state.word,
        "detail": card.detail,
        "source_url": card.source_url,
        "zoned_time": zoned_words(card.created_at),
        "time": timezone.localtime(card.created_at).isoformat(),
        "elapsed": card.elapsed_words,
        "age": card.age_words,
        "brief_age": card.age_brief,
        "audience": card.audience_words,
    }
    for number, (label, text) in enumerate(card.lines, 1):
        texts |= {f"line{number}_label": label, f"line{number}_text": marker.marked(text)}
    if card.maker:
        texts |= {"maker_initials": card.maker.initials, "maker_name": card.maker.display_name}
    return texts


def _pictures(card: RunCard, *, is_eager: bool) -> SafeString:
    """Render the pictures, with placeholders for those that may still arrive. If there are none, render the input's
    picture."""
    if not card.pictures and card.input_picture:
        return thumbnail(card.input_picture, is_small=False, is_eager=is_eager)
    cells = [thumbnail(picture, is_small=is_small, is_eager=is_eager) for picture, is_small in card.cells]
    return mark_safe("".join(cells) + WAITING * card.empty_cells)  # noqa: S308 - all of it is rendered


def _links(card: RunCard) -> dict[str, str]:
    """Return the links in the menu."""
    public_id = card.run.public_id
    return {
        "form_url": card.form_url,
        "again_url": path_to("run-rerun", public_id),
        "share_url": path_to("run-share", public_id),
        "cancel_url": path_to("run-cancel", public_id),
        "delete_url": path_to("run-delete", public_id),
        "compare_url": f"{path_to('compare')}?r={public_id}",
        "download_url": f"{path_to('results-download')}?r={public_id}",
    }


@register.simple_tag(takes_context=True)
def app_star(context: Context, app: App) -> SafeString:
    """Render the star on an app's page."""
    values = _star(context, app) | {"id": app.public_id, "label": app.name}
    kind = AppStarKind(StarKind.of(app, context["user"]), is_preview=bool(context.get("preview")))
    return filled("launching/_app_star.html", kind, values)


@dataclass(frozen=True)
class ExampleKind:
    """What an example shows: a picture or text, or an icon if it has neither, for example because the text was
    removed; and whether a result was approved."""

    look: Literal["picture", "text", "icon"]
    icon: str
    is_approved: bool


@register.simple_tag
def example(card: RunCard) -> SafeString:
    """Render the button in an app's form that fills it in with a run's inputs."""
    picture = card.pictures[0] if card.pictures else None
    values = {"id": card.run.public_id, "title": shortened(card.title, EXAMPLE_TITLE)}
    if picture:
        values |= {
            "picture_url": picture.card_url or picture.small_url,
            "picture_width": str(picture.width or EXAMPLE_SIZE),
            "picture_height": str(picture.height or EXAMPLE_SIZE),
        }
    elif card.text_excerpt:
        values["excerpt"] = shortened(card.text_excerpt, EXAMPLE_TEXT)
    look: Literal["picture", "text", "icon"] = "picture" if picture else "text" if card.text_excerpt else "icon"
    icon = card.kind if card.kind in OUR_ICONS else "other"
    kind = ExampleKind(look, icon, is_approved=bool(card.run.outputs_approved))
    return filled("launching/_example.html", kind, values)


def _star(context: Context, run: Run | App) -> dict[str, str]:
    starrer = run.starred_by.display_name if run.starred_by else ""
    return {
        "star_url": run.star_url,
        "starrer_display_name": starrer,
        "csrf_token": str(context.get("csrf_token") or ""),
    }
