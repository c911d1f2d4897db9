"""An example of a review in progress: someone has asked for decisions, a teammate and a client have made some, one
comment points to a spot in a picture, and the second version of one result is waiting for a decision.

All of this is done with the same actions that people use, and then backdated. Nobody gets notices about it.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from django.utils import timezone

from runs.models import Comment, Decision, GuestLink, Member, Notice, Output, ReviewItem, ReviewRequest, Run
from runs.models.decisions import APPROVING_ROLES
from runs.notices import read_state
from runs.review import comments, requests, verdicts
from runs.review.deciders import Reviewer
from runs.sharing import guest_identity

CLIENT = "Kim"
SPOT = (4_800, 5_600)  # in ten-thousandths of the picture's width and height


def begin(app: str, run: Run) -> None:
    """Begin the example review of `run`, if one is defined for its `app` (an id on Lamina)."""
    review = REVIEWS.get(app)
    if review is not None and not ReviewItem.objects.filter(output__run=run).exists():
        review(Run.objects.select_related("member").get(pk=run.pk))
        read_state.take_back(Notice.objects.filter(run=run))


def needs_next(run: Run, label: str) -> Output | None:
    """Return the result of `run` with this `label`, if it needs changes and has no next version yet."""
    output = run.outputs.filter(label=label, verdict=Decision.Verdict.CHANGES).first()
    return None if output is None or output.later_versions.exists() else output


def _packshots(run: Run) -> None:
    """Sam approves one picture and wants changes to another; the client approves one too. The third picture is still
    waiting."""
    front, angle, detail = run.outputs.all()
    day = timezone.localdate() + timedelta(days=2)
    _ask(run.member, [front, angle, detail], "For the spring page. Which ones can we use?", hours_ago=24, due_on=day)
    sam = Reviewer(member=_teammate_of(run))
    _decide(front, "approved", "", sam, hours_ago=22)
    _decide(detail, "changes", "The label is hard to read. A little closer, please.", sam, hours_ago=22)
    pin = comments.post(sam, run, detail, "This part is too dark to read.", spot=SPOT)
    _backdate(Comment, pin.pk, hours_ago=22)
    link = GuestLink.objects.filter(is_example=True, outputs=front).first()
    if link is not None:
        GuestLink.objects.filter(pk=link.pk).update(lets_decide=True, lets_comment=True, views=1, viewed_at=_at(21))
        link.refresh_from_db()
        _decide(front, "approved", "Lovely light!", Reviewer(guest=guest_identity.newcomer(link, CLIENT)), hours_ago=21)


def _poster(run: Run) -> None:
    """Sam asks the demo admin about the poster."""
    teammate = _teammate_of(run)
    _ask(run.member, list(run.outputs.all()), "Is the date large enough?", hours_ago=25, members=[teammate])


REVIEWS: dict[str, Callable[[Run], None]] = {"sandbox-packshot": _packshots, "sandbox-affiche": _poster}


def _teammate_of(run: Run) -> Member:
    approvers = Member.objects.filter(role__in=APPROVING_ROLES, is_active=True)
    return approvers.exclude(pk=run.member_id).earliest("pk")


def _ask(
    asker: Member,
    outputs: list[Output],
    message: str,
    *,
    hours_ago: float,
    due_on: date | None = None,
    members: Sequence[Member] = (),
) -> None:
    request = requests.ask(asker, outputs, message=message, due_on=due_on, members=members)
    at = _at(hours_ago)
    ReviewRequest.objects.filter(pk=request.pk).update(created_at=at, is_example=True)
    request.items.update(waiting_since=at)


def _decide(output: Output, verdict: str, note: str, by: Reviewer, *, hours_ago: float) -> None:
    decision = verdicts.decide(output, verdict, note, by, None)
    _backdate(Decision, decision.pk, hours_ago=hours_ago)


def _backdate(model: type[Comment] | type[Decision], pk: int, *, hours_ago: float) -> None:
    model._default_manager.filter(pk=pk).update(created_at=_at(hours_ago))


def _at(hours_ago: float) -> datetime:
    return timezone.now() - timedelta(hours=hours_ago)
