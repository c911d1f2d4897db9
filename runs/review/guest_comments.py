"""Comments on guest pages: the ones a guest sees and the ones they post. Comments meant for the team are never
shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from runs.models import Comment, Guest, GuestLink, Output
from runs.review.comments import post
from runs.review.deciders import Reviewer
from runs.review.guest_answers import open_link
from runs.sharing import guest_identity
from runs.sharing.guest_identity import Sender


@dataclass(frozen=True)
class CommentPlace:
    """The place in a file that a comment is about: a spot (in ten-thousandths), a time (in milliseconds), or the whole
    file."""

    spot: tuple[int, int] | None = None
    at_ms: int | None = None
    file_position: int = 0


NO_PLACE = CommentPlace()


def comment_as_guest(
    link: GuestLink, output: Output, text: str, sender: Sender, place: CommentPlace = NO_PLACE
) -> tuple[Guest, bool]:
    """Post a guest's comment, and return the guest. If the same comment is sent again, do nothing and return False.

    Raises `LinkClosedError` or `CommentRefusedError`.
    """
    with transaction.atomic():
        guest, is_new = guest_identity.admit(open_link(link), sender)
        if is_new:
            by, position = Reviewer(guest=guest), place.file_position
            post(by, output.run, output, text, spot=place.spot, at_ms=place.at_ms, file_position=position)
        return guest, is_new


def seen_by_guest(link: GuestLink, guest: Guest | None, outputs: Iterable[Output]) -> dict[int, list[Comment]]:
    """Return the comments on `outputs` that `guest` of `link` may see, or that anyone else may see (None), oldest
    first, keyed by the result's primary key.

    These are their own comments and the team's replies to them. If the link shows other people's comments, they also
    see comments by its other guests, and the team's comments for guests. They never see comments by guests of other
    links.

    A comment that was carried over to another version is still shown where it was written. If the link shows both
    versions, guests see the comment on both.
    """
    by_pk = {output.pk: output for output in outputs}
    own = Q(guest=guest) if guest else Q(pk=None)
    replies = Q(member__isnull=False, parent__guest=guest) if guest else Q(pk=None)
    of_team = Q(member__isnull=False) & (Q(parent=None) | Q(parent__link=None) | Q(parent__link=link))
    others = Q(link=link) | of_team if link.shows_comments else Q(pk=None)
    visible = Comment.objects.for_guests().filter(own | replies | others, removed_at=None)
    places = Q(carried_from=None) | Q(carried_from__in=link.outputs.values("pk"))
    here = visible.filter(places, output__in=by_pk).select_related("member")
    by_output: dict[int, list[Comment]] = {}
    for comment in here:
        if comment.output_id is not None:
            by_output.setdefault(comment.output_id, []).append(comment)
    written_on = visible.annotate(written_on=Coalesce("parent__carried_from", "carried_from"))
    for comment in written_on.filter(written_on__in=by_pk).exclude(output=F("written_on")).select_related("member"):
        comment.content_hash = comment.written_hash
        by_output.setdefault(int(getattr(comment, "written_on")), []).append(comment)  # noqa: B009 - an annotation
    return {pk: sorted(comments, key=_age) for pk, comments in by_output.items()}


def _age(comment: Comment) -> tuple[datetime, int]:
    return comment.created_at, comment.pk
