"""Plain values for showing a comment form, either empty or with what was typed and any errors."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from runs.display.result_boxes import with_query
from runs.display.result_page import ResultPage
from runs.models import Comment, Member, Output, Run, StoredFile
from runs.review import spots
from runs.review.spots import SpotButton
from runs.words.fold import fold


@dataclass(frozen=True)
class PersonChoice:
    """A member who can be picked; `sees` says whether they can see the run."""

    member: Member
    sees: bool
    is_picked: bool = False


@dataclass(frozen=True)
class CommentDraft:
    """A form for a comment. `key` makes its ids unique on the page: it is "new", or the id of the comment being edited
    or replied to."""

    key: str
    kind: str  # new, reply or edit
    action: str  # URL it is posted to
    people_url: str  # URL that finds people to mention after "@"
    back: str  # URL of the page to return to
    at_query: str = "?at="  # start of a query string that plays the file from a given time; the time is appended
    text: str = ""
    guests_see: bool = False
    offers_guests: bool = True
    warns_of_replies: bool = False  # warn that guests who see this comment also see the team's replies
    file: StoredFile | None = None  # the file that the page shows
    number: int = 1  # the file's number
    x: str = ""
    y: str = ""
    at: str = ""
    spot: tuple[int, int] | None = None  # a valid spot: x and y in ten-thousandths of the picture
    errors: dict[str, str] = field(default_factory=dict)  # error messages by field
    problem: str = ""  # why nothing was saved, if the error isn't about a field
    unseen: Sequence[Member] = ()  # people who were mentioned but can't see the run
    may_share: bool = False  # whether the author may share the run with the team
    hint: str = ""  # placeholder in the empty text box
    people: Sequence[PersonChoice] = ()  # people to choose from, if the author asked for them
    picked: Sequence[Member] = ()

    @property
    def all_url(self) -> str:
        """URL of the page with all comments."""
        return f"{with_all_comments(self.back)}#comments"

    @property
    def can_mark(self) -> bool:
        return spots.can_mark(self.file)

    @property
    def can_time(self) -> bool:
        return self.file is not None and self.file.kind in (StoredFile.Kind.VIDEO, StoredFile.Kind.AUDIO)

    @property
    def spot_buttons(self) -> list[SpotButton]:
        return spots.buttons_of(self.file)

    @property
    def has_spot(self) -> bool:
        return bool(self.x or self.y or self.spot)

    @property
    def dot(self) -> dict[str, str]:
        """Where the new dot goes, in percent."""
        x, y = self.spot or (0, 0)
        return {"x": f"{spots.percent(x)}%", "y": f"{spots.percent(y)}%"}


def with_all_comments(url: str) -> str:
    """Return the URL of the page at `url` with all its comments, not just the latest."""
    return f"{url}{'&' if '?' in url else '?'}comments=all"


def result_draft(page: ResultPage, *, shows_all: bool = False) -> CommentDraft:
    """Return an empty form for a comment on the result that `page` shows. `shows_all` says whether the page shows all
    comments."""
    slide = page.slide
    back = with_all_comments(slide.url) if shows_all else slide.url
    return draft_on(slide.output, page.run, back, slide.file, slide.number)


def draft_on(output: Output, run: Run, back: str, file: StoredFile | None, number: int) -> CommentDraft:
    """Return an empty form for a comment on `output`, whose page shows `file`."""
    action = reverse("runs:result-comment", args=[output.public_id])
    hint = _("What should change?")
    return CommentDraft("new", "new", action, people_url(run), back, hint=hint, file=file, number=number)


def run_draft(run: Run, walk: str = "", *, shows_all: bool = False) -> CommentDraft:
    """Return an empty form for a comment on the whole run. `walk` is the query string of the History list that the page
    was opened from."""
    url = with_query(run.get_absolute_url(), walk)
    back = with_all_comments(url) if shows_all else url
    action = reverse("runs:run-comment", args=[run.public_id])
    return CommentDraft("new", "new", action, people_url(run), back, hint=_("Any comments on the run as a whole?"))


def reply_draft(parent: Comment, back: str) -> CommentDraft:
    """Return an empty form for a reply to `parent`."""
    action = reverse("runs:comment-reply", args=[parent.public_id])
    people = people_url(parent.run)
    return CommentDraft(parent.public_id, "reply", action, people, back, offers_guests=parent.guests_see)


def edit_draft(comment: Comment, text: str, back: str) -> CommentDraft:
    """Return the form for editing `comment`, with `text` as people would have typed it."""
    return CommentDraft(
        comment.public_id,
        "edit",
        reverse("runs:comment-edit", args=[comment.public_id]),
        people_url(comment.run),
        back,
        text=text,
        guests_see=comment.guests_see,
        offers_guests=comment.parent is None or comment.parent.guests_see,
        warns_of_replies=comment.parent is None and comment.guests_see,
        picked=[row.member for row in comment.mention_rows.all() if not row.words],
    )


def people_url(run: Run) -> str:
    """Return the URL that finds people to mention on `run`."""
    return reverse("runs:run-people", args=[run.public_id])


def people_of(run: Run, asker: Member, picked: Sequence[Member] = ()) -> list[PersonChoice]:
    """Return everyone `asker` could mention, starting with those who can see the run."""
    picked_pks = {member.pk for member in picked}
    others = Member.objects.filter(is_active=True).exclude(pk=asker.pk)
    people = [PersonChoice(member, run.is_visible_to(member), member.pk in picked_pks) for member in others]
    return sorted(people, key=lambda person: (not person.sees, fold(person.member.display_name)))
