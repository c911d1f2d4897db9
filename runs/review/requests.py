"""Requests for decisions: who is asked about which results, and when a request is answered.

A request can be addressed to anyone who may decide, to specific members, or to the guests of a link. If anyone may
answer, one verdict settles a result. If specific members are asked, each of them must give a verdict. If guests are
asked, one verdict from any of them is enough, even one that is the client's word only. We recheck whether a result is
settled whenever someone decides or its content changes, so withdrawing or undoing a decision puts it back in the queue.
Once closed, a request no longer changes. `review_queries` has the lists that pages show.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from runs import events
from runs.audit.record import record
from runs.models import (
    Decision,
    GuestLink,
    Member,
    Output,
    ReviewItem,
    ReviewRequest,
    ReviewRules,
    Run,
    Verb,
)
from runs.review import overall_verdict
from runs.sharing import visibility
from runs.words.errors import UserFacingError
from runs.words.fold import fold

Audience = ReviewRequest.Audience
REMIND_AGAIN_AFTER = timedelta(hours=1)
MOST = 2_000  # maximum number of results in one request


class AskError(UserFacingError):
    """The request for decisions is invalid, so nobody was asked."""


# --- Asking -----------------------------------------------------------------------------------------------------------
@transaction.atomic
def ask(
    asker: Member,
    outputs: Sequence[Output],
    *,
    message: str = "",
    due_on: date | None = None,
    members: Sequence[Member] = (),
    link: GuestLink | None = None,
) -> ReviewRequest:
    """Ask `members`, the guests of `link`, or anyone for decisions on `outputs`, which `asker` may see.

    If a result's run is private, it's shared with the team, unless guests are asked. Raises `PermissionDenied` for
    viewers, and `AskError` if there is nothing to ask about or one of `members` may not decide.
    """
    if not asker.can_run:
        raise PermissionDenied
    _demand_deciders(members)
    request = ReviewRequest.objects.create(
        asker=asker,
        audience=Audience.GUESTS if link else Audience.NAMED if members else Audience.ANYONE,
        link=link,
        message=message,
        due_on=due_on,
    )
    request.members.set(members)
    _add(request, outputs)
    record(Verb.REVIEW_ASKED, request, changes={"results": (0, request.items.count())})
    if link is None:
        private = Run.objects.changeable_by(asker).filter(pk__in={output.run_id for output in outputs})
        visibility.share_all_with_team(private)
    events.review_asked.send(request)
    return request


def askable(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Return those of `outputs` that are ready or may still become ready, leaving out those in the bin."""
    hopeless = (Output.Status.ERROR, Output.Status.CANCELLED)
    return outputs.filter(run__deleted_at=None).exclude(status__in=hopeless)


def deciders() -> list[Member]:
    """Return the members who may decide, sorted by name."""
    members = ReviewRules.who_may_decide().order_by("email")
    return sorted(members, key=lambda member: fold(member.display_name))


def _demand_deciders(members: Sequence[Member]) -> None:
    rules = ReviewRules.current()
    for member in members:
        if not rules.may_decide(member):
            raise AskError(_("%(name)s isn't allowed to decide. Ask someone else.") % {"name": member.display_name})


def _add(request: ReviewRequest, outputs: Iterable[Output]) -> None:
    """Add `outputs` to the end of `request`. Even results that are settled in other requests start out waiting in this
    one."""
    last = request.items.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    unique = {output.pk: output for output in outputs if output.status not in ("error", "cancelled")}
    if not unique:
        raise AskError(_("Choose at least one result that is finished or in progress."))
    if len(unique) > MOST:
        raise AskError(_("One request can cover at most %(most)s results. Choose fewer.") % {"most": f"{MOST:,}"})
    due_on = request.due_on or date.max
    ReviewItem.objects.bulk_create(
        ReviewItem(request=request, output_id=pk, position=position, due_on=due_on, waiting_since=request.created_at)
        for position, pk in enumerate(unique, first)
    )


@transaction.atomic
def close(request: ReviewRequest, by: Member) -> None:
    """Close `request`, so that nobody is asked any more. Only the person who asked and admins may do this; raises
    `PermissionDenied` for anyone else."""
    if not request.is_manageable_by(by):
        raise PermissionDenied
    now = timezone.now()
    if ReviewRequest.objects.open().filter(pk=request.pk).update(closed_at=now, closed_by=by):
        request.closed_at, request.closed_by = now, by
        record(Verb.REVIEW_CLOSED, request)
        events.request_closed.send(request)


@transaction.atomic
def remind(request: ReviewRequest, by: Member) -> bool:
    """Remind people who still owe a decision; return False if nobody owes one, or if they were reminded within the last
    hour.

    Only the person who asked and admins may do this; raises `PermissionDenied` for others.
    """
    if not request.is_manageable_by(by):
        raise PermissionDenied
    now = timezone.now()
    due = ReviewRequest.objects.open().filter(Q(reminded_at=None) | Q(reminded_at__lte=now - REMIND_AGAIN_AFTER))
    open_items = request.items.filter(settled_at=None)
    if not open_items.exists() or not due.filter(pk=request.pk).update(reminded_at=now):
        return False
    request.reminded_at = now
    record(Verb.REVIEW_REMINDED, request)
    events.review_asked.send(request)
    return True


# --- Settling: listeners ----------------------------------------------------------------------------------------------
def on_decision_made(decision: Decision) -> None:
    """After a decision, settle or reopen the result's items in open requests."""
    settle(decision.output_id)


def on_content_changed(output: Output) -> None:
    """Reopen the items of a result whose content has changed, since verdicts on the old content no longer count."""
    settle(output.pk)


def settle(output_id: int) -> None:
    """Recheck whether the result's items in open requests are settled. The caller must have locked the result."""
    items = ReviewItem.objects.filter(output_id=output_id, request__closed_at=None).order_by("pk")
    items = items.select_for_update(of=("self",)).select_related("request").prefetch_related("request__members")
    if not (open_items := list(items)):
        return
    standing = Decision.objects.standing().on_current_content().filter(output_id=output_id).select_related("link")
    verdicts, rules, now = list(standing), ReviewRules.current(), timezone.now()
    for item in open_items:
        is_settled = _is_settled(item.request, verdicts, rules)
        if is_settled != (item.settled_at is not None):
            ReviewItem.objects.filter(pk=item.pk).update(settled_at=now if is_settled else None)


def _is_settled(request: ReviewRequest, verdicts: Sequence[Decision], rules: ReviewRules) -> bool:
    """Return whether `verdicts`, all the verdicts in force on a result, settle the result in `request`."""
    if request.audience == Audience.GUESTS:
        return any(verdict.link_id == request.link_id for verdict in verdicts)
    if request.audience == Audience.ANYONE:
        return any(overall_verdict.counts(verdict) for verdict in verdicts)
    members = {member.pk: rules.may_decide(member) for member in request.members.all()}
    have_decided = {verdict.member_id for verdict in verdicts if verdict.member_id in members}
    return bool(have_decided) and all(pk in have_decided for pk, may_decide in members.items() if may_decide)


# --- Versions, and automatic requests: listeners ----------------------------------------------------------------------
def on_version_made(new: Output, replaced: Output) -> None:
    """When a new version is ready, let it replace earlier ones in open requests.

    The new version takes their place in the request, but moves to the front of the queue. A version that failed doesn't
    replace anything. The new version's run is shared with the team, so that the people who are asked can see it, unless
    only guests are asked.
    """
    if new.status != Output.Status.COMPLETED:
        return
    line = Q(output__line=new.line_id) | Q(output=new.line_id) if new.line_id else Q(output=replaced)
    older = ReviewItem.objects.filter(line | Q(output=replaced), request__closed_at=None, output__number__lt=new.number)
    items = list(older.select_for_update(of=("self",)).select_related("request").order_by("request", "position"))
    has_new = set(ReviewItem.objects.filter(output=new).values_list("request_id", flat=True))
    for item in items:
        if item.request_id in has_new:
            item.delete()
        else:
            has_new.add(item.request_id)
            ReviewItem.objects.filter(pk=item.pk).update(output=new, settled_at=None, due_on=date.min)
    if any(item.request.audience != Audience.GUESTS for item in items):
        visibility.share_all_with_team(Run.objects.filter(pk=new.run_id))


def on_list_arrived(output: Output, others: list[Output]) -> None:
    """If people have been asked to decide on a result that turns out to be one of several files, ask about the `others`
    as well."""
    for item in ReviewItem.objects.filter(output=output, request__closed_at=None).select_related("request"):
        _add(item.request, others)


def on_run_shared(run: Run) -> None:
    """Ask for decisions on the results of a run that has just been shared, if its app always asks for them."""
    if not run.app.asks_review:
        return
    if not (fresh := _never_asked(run)):
        return
    request = ReviewRequest.objects.create(asker=run.member, is_automatic=True)
    _add(request, fresh)
    events.review_asked.send(request)


def on_run_ended(run: Run) -> None:
    """If the run has more results than expected, add them to the request that was made automatically for it, if any."""
    own = ReviewRequest.objects.open().filter(is_automatic=True, items__output__run=run).distinct()
    if not run.app.asks_review or (request := own.first()) is None:
        return
    if fresh := _never_asked(run):
        _add(request, fresh)


def ask_team_after_client(link: GuestLink, output: Output) -> None:
    """Ask anyone who may decide about a result, because a client's answer through `link` doesn't count. Does nothing if
    there is a verdict on it, or the team has already been asked.

    The result's run is shared with the team, as in `ask`: otherwise, nobody could decide on it.
    """
    items = ReviewItem.objects.undecided().filter(output=output).exclude(request__audience=Audience.GUESTS)
    if output.verdict or items.exists():
        return
    of_run = ReviewRequest.objects.open().filter(is_automatic=True, asker=link.member)
    awaited = of_run.filter(items__output__run=output.run_id, items__settled_at=None).first()
    request = awaited or ReviewRequest.objects.create(asker=link.member, is_automatic=True)
    _add(request, [output])
    visibility.share_all_with_team(Run.objects.filter(pk=output.run_id))
    if awaited is None:  # otherwise, the team already knows that results of this run are waiting
        events.review_asked.send(request)


def _never_asked(run: Run) -> list[Output]:
    output_ids = ReviewItem.objects.filter(output__run=run).values("output")
    return list(askable(run.outputs.filter(verdict="")).exclude(pk__in=output_ids))
