"""Comments on results and on whole runs: post, edit, remove, resolve, reopen.

Everyone who can see a run may comment on it, including viewers. Guests may comment on their link's results if the link
allows it. Only the author can edit or remove a comment; everyone who can see the run can resolve and reopen it,
together with its replies. `CommentChange` has a row for each change.

Members are notified once when a comment mentions them (`events.mentioned`), even if the mention is added later. Being
mentioned never lets anyone see more than before: if a mentioned member can't see the run, nothing is stored
(`UnseenMentionError`), unless `skips_unseen` is set, which leaves such mentions out.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import events
from runs.audit.record import record
from runs.models import Comment, CommentChange, GuestLink, GuestLinkOutput, Member, Mention, Output, Run, Verb
from runs.review.comment_text import CommentRefusedError, UnseenMentionError, cleaned, members_named
from runs.review.deciders import Reviewer
from runs.review.spots import END

DOUBLE_CLICK = timedelta(seconds=3)
SAME_IF_TWICE = ("run", "output", "parent", "text", "spot_x", "spot_y", "at_ms", "file_position")
MINUTE = timedelta(minutes=1)
VERBS = {
    CommentChange.Act.EDITED: Verb.COMMENT_EDITED,
    CommentChange.Act.REMOVED: Verb.COMMENT_REMOVED,
    CommentChange.Act.RESOLVED: Verb.COMMENT_RESOLVED,
    CommentChange.Act.REOPENED: Verb.COMMENT_REOPENED,
}
PER_MINUTE = 30  # maximum number of comments per minute from one member
PER_MINUTE_AS_GUEST = 10  # maximum number of comments per minute from one guest
PER_MINUTE_OF_LINK = 30  # maximum for all guests of a link combined, since anyone can come as somebody new


@transaction.atomic
def post(
    by: Reviewer,
    run: Run,
    output: Output | None,
    text: str,
    *,
    parent: Comment | None = None,
    guests_see: bool = False,
    spot: tuple[int, int] | None = None,
    at_ms: int | None = None,
    file_position: int = 0,
    mentions: Sequence[Member] = (),
    skips_unseen: bool = False,
) -> Comment:
    """Post a comment on `output` or on the whole `run`, or a reply to `parent`. Guests' comments are always visible to
    guests.

    `spot` is a position in ten-thousandths of the picture's width and height, `at_ms` a time in milliseconds. Both
    refer to the file at `file_position`. Raises `CommentRefusedError` without storing anything.
    """
    text = cleaned(text)
    parent = _top(parent)
    _check_place(by, run, output, parent)
    _check_spot(spot)
    members = {} if by.member is None else _people(text, by.member, run, mentions, skips_unseen=skips_unseen)
    comment = Comment(
        **by.fields,
        run=run,
        output=output,
        content_hash=output.content_hash if output is not None else "",
        parent=parent,
        text=text,
        guests_see=by.member is None or (guests_see and (parent is None or parent.guests_see)),
        spot_x=spot[0] if spot else None,
        spot_y=spot[1] if spot else None,
        at_ms=at_ms,
        file_position=file_position,
        created_at=timezone.now(),
    )
    return _save(comment, by, members)


def _save(comment: Comment, by: Reviewer, members: dict[Member, str]) -> Comment:
    """Store the new comment and notify the `members` that it names. If the same comment was posted a moment ago, return
    that one instead. A lock makes sure that one person's comments are posted one at a time."""
    _lock(by, comment.run)
    _check_is_there(comment)
    if (twin := _twin(comment, by)) is not None:
        return twin
    _check_pace(by, comment.created_at)
    comment.save()
    _save_mentions(comment, members)
    _count(comment, 1)
    record(Verb.COMMENT_POSTED, comment, actor=by.on_record)
    _tell(comment, members)
    events.comment_posted.send(comment)
    return comment


@transaction.atomic
def edit(
    comment: Comment,
    by: Reviewer,
    text: str,
    *,
    guests_see: bool | None = None,
    mentions: Sequence[Member] = (),
    skips_unseen: bool = False,
) -> bool:
    """Let the author change a comment's text, who can see it, and who it mentions. Return False if nothing changed.

    If the comment is hidden from guests, so are the team's replies to it. Guests still see their own replies. Raises
    `CommentRefusedError`.
    """
    text = cleaned(text)
    if not by.owns(comment):
        raise CommentRefusedError("not-allowed", _("Only a comment's author can change it."))
    parent = comment.parent
    is_for_guests = comment.guests_see if guests_see is None or by.member is None else guests_see
    is_for_guests = is_for_guests and (parent is None or parent.guests_see)
    members = {} if by.member is None else _people(text, by.member, comment.run, mentions, skips_unseen=skips_unseen)
    if text == comment.text and is_for_guests == comment.guests_see and _is_same(comment, members):
        return False
    now = timezone.now()
    there = Comment.objects.filter(pk=comment.pk, removed_at=None)
    if not there.update(text=text, guests_see=is_for_guests, edited_at=now):
        raise CommentRefusedError("removed", _("This comment was removed."))
    if not is_for_guests:
        comment.replies.filter(member__isnull=False).update(guests_see=False)
    before = set(comment.mention_rows.values_list("member", flat=True))
    comment.mention_rows.all().delete()
    _save_mentions(comment, members)
    _record(comment, CommentChange.Act.EDITED, by, now)
    events.comment_changed.send(comment, comment.text)
    comment.refresh_from_db(fields=["text", "guests_see", "edited_at"])
    _tell(comment, [member for member in members if member.pk not in before])
    return True


@transaction.atomic
def remove(comment: Comment, by: Reviewer) -> bool:
    """Let the author permanently remove a comment's text; its replies stay. Return False if it was already removed."""
    if not by.owns(comment):
        raise CommentRefusedError("not-allowed", _("Only a comment's author can remove it."))
    now = timezone.now()
    _lock(by, comment.run)
    comment.refresh_from_db(fields=["run", "output"])  # it may have been carried over in the meantime
    there = Comment.objects.filter(pk=comment.pk, removed_at=None)
    if not there.update(text="", removed_at=now):
        return False
    comment.mention_rows.all().delete()
    _count(comment, -1)
    _record(comment, CommentChange.Act.REMOVED, by, now)
    events.comment_changed.send(comment, comment.text)
    return True


def resolve(comment: Comment, by: Reviewer) -> bool:
    """Mark the comment and its replies as resolved; return False if they already were."""
    return _settle(comment, by, is_resolved=True)


def reopen(comment: Comment, by: Reviewer) -> bool:
    """Undo `resolve`; return False if the comment was open."""
    return _settle(comment, by, is_resolved=False)


def _top(comment: Comment | None) -> Comment | None:
    """Return the first comment of the thread; a reply to a reply becomes a reply to that comment."""
    return comment.parent if comment is not None and comment.parent is not None else comment


def _check_place(by: Reviewer, run: Run, output: Output | None, parent: Comment | None) -> None:
    """Raise `CommentRefusedError` if the person may not comment here or reply to `parent`."""
    words = _guest_refusal(by, output, parent) if by.member is None else ""
    if by.member is not None and not run.is_visible_to(by.member):
        words = _("You can't see this run any more.")
    if words:
        raise CommentRefusedError("not-allowed", words)
    if parent is not None and (parent.run_id, parent.output_id) != (run.pk, output.pk if output else None):
        raise CommentRefusedError("not-allowed", _("This comment belongs to another result."))


def _check_spot(spot: tuple[int, int] | None) -> None:
    if spot is not None and not all(0 <= part <= END for part in spot):
        raise CommentRefusedError("spot", _("This spot is outside the picture."))


def _check_is_there(reply: Comment) -> None:
    """Raise `CommentRefusedError` if the parent has been carried over in the meantime, because a reply must be where
    its parent is."""
    parent = reply.parent
    if parent is not None and not Comment.objects.filter(pk=parent.pk, run=reply.run, output=reply.output).exists():
        raise CommentRefusedError("moved", _("This comment was carried over to another version. Reply to it there."))


def _guest_refusal(by: Reviewer, output: Output | None, parent: Comment | None) -> str:
    link = by.link
    if link is None:
        return _("Type your name first.")
    if not link.is_alive() or not link.lets_comment or (parent is not None and not parent.guests_see):
        return _("This link doesn't let you comment.")
    if output is None or not GuestLinkOutput.objects.filter(link=link, output=output).exists():
        return _("This link doesn't show the result any more.")
    return ""


def _lock(by: Reviewer, run: Run) -> None:
    """Lock the run, and the member or the guest link, so that comments are posted one at a time. As everywhere else,
    links are locked before runs, and people after runs."""
    if by.link is not None:
        GuestLink.objects.select_for_update(no_key=True).get(pk=by.link.pk)
    Run.objects.select_for_update(no_key=True).only("pk").get(pk=run.pk)
    if by.member is not None:
        Member.objects.select_for_update(no_key=True).only("pk").get(pk=by.member.pk)


def _twin(comment: Comment, by: Reviewer) -> Comment | None:
    """Return the identical comment that the same person posted a moment ago, if any; they may have pressed the button
    twice."""
    lately = Comment.objects.filter(**by.owned, created_at__gt=comment.created_at - DOUBLE_CLICK, removed_at=None)
    same = {name: getattr(comment, name) for name in SAME_IF_TWICE}
    return lately.filter(**same).first()


def _check_pace(by: Reviewer, now: datetime) -> None:
    """Raise `CommentRefusedError` if the person has posted too many comments in the last minute."""
    lately = Comment.objects.filter(created_at__gt=now - MINUTE)
    if by.member is not None:
        is_too_fast = lately.filter(member=by.member).count() >= PER_MINUTE
    else:
        of_link = lately.filter(link=by.link)
        is_too_fast = (
            of_link.filter(guest=by.guest).count() >= PER_MINUTE_AS_GUEST or of_link.count() >= PER_MINUTE_OF_LINK
        )
    if is_too_fast:
        raise CommentRefusedError("too-many", _("That's a lot of comments at once. Wait a minute, then try again."))


def _people(text: str, author: Member, run: Run, picked: Sequence[Member], *, skips_unseen: bool) -> dict[Member, str]:
    """Return the members that a comment mentions, each with the words that mention them. Raises
    `UnseenMentionError`."""
    members = members_named(text, picked)
    members.pop(author, None)
    unseen = [member for member in members if not run.is_visible_to(member)]
    if unseen and not skips_unseen:
        raise UnseenMentionError(unseen)
    return {member: words for member, words in members.items() if member not in unseen}


def _save_mentions(comment: Comment, members: dict[Member, str]) -> None:
    Mention.objects.bulk_create(Mention(comment=comment, member=one, words=words) for one, words in members.items())


def _tell(comment: Comment, members: Iterable[Member]) -> None:
    """Notify members that the comment mentions them."""
    for member in members:
        events.mentioned.send(comment, member)


def _is_same(comment: Comment, members: dict[Member, str]) -> bool:
    rows = comment.mention_rows.values_list("member", "words")
    return dict(rows) == {member.pk: words for member, words in members.items()}


def _settle(comment: Comment, by: Reviewer, *, is_resolved: bool) -> bool:
    """Resolve or reopen the comment. If several people do this at the same time, only the first one changes
    anything."""
    if by.member is None or not comment.run.is_visible_to(by.member):
        raise CommentRefusedError("not-allowed", _("You can't see this run any more."))
    now = timezone.now()
    with transaction.atomic():
        other = Comment.objects.filter(pk=comment.pk, parent=None, resolved_at__isnull=is_resolved)
        count = other.update(resolved_at=now if is_resolved else None, resolved_by=by.member if is_resolved else None)
        if count:
            act = CommentChange.Act.RESOLVED if is_resolved else CommentChange.Act.REOPENED
            _record(comment, act, by, now)
    return bool(count)


def _record(comment: Comment, act: CommentChange.Act, by: Reviewer, now: datetime) -> None:
    CommentChange.objects.create(comment=comment, act=act, member=by.member, created_at=now)
    record(VERBS[act], comment, actor=by.on_record)


def _count(comment: Comment, step: int) -> None:
    """Update the counts on cards and pages. The run is changed first, as everywhere else, to avoid deadlocks."""
    Run.objects.filter(pk=comment.run_id).update(comments_total=F("comments_total") + step, version=F("version") + 1)
    if comment.output_id is not None:
        Output.objects.filter(pk=comment.output_id).update(comments_total=F("comments_total") + step)
