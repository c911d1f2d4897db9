"""Records guests' answers, and finds the answers on a link's results: for a guest, their own; for the link's maker, all
of them.

An answer is recorded only while its link is open, which is checked under a lock. Once a link is revoked, it accepts no
more answers, not even from a page that was already open.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from runs.audit.actors import acting_as
from runs.models import Decision, Guest, GuestLink, Output, SharingRules
from runs.models.decisions import DecisionQuerySet
from runs.review import overall_verdict, requests, verdicts
from runs.review.deciders import Reviewer
from runs.review.errors import StaleDecisionError
from runs.sharing import guest_identity, guests
from runs.sharing.guest_identity import Sender

SEEN_LENGTH = 16  # in characters; enough to tell a result's old content from its new content


class LinkClosedError(Exception):
    """The link was revoked or expired after the guest opened it. Nothing was recorded."""

    def __init__(self, state: guests.LinkState) -> None:
        super().__init__(state)
        self.state = state


def open_link(link: GuestLink) -> GuestLink:
    """Lock the link and return it; raise `LinkClosedError` if it is no longer open. Needs a transaction."""
    fresh = GuestLink.objects.select_for_update(of=("self",)).select_related("member").get(pk=link.pk)
    if (state := guests.state_of(fresh, SharingRules.current())) is not guests.LinkState.OPEN:
        raise LinkClosedError(state)
    return fresh


def answer(
    link: GuestLink, output: Output, verdict: str, note: str, sender: Sender, content: str
) -> tuple[Guest, bool]:
    """Record a guest's verdict, and return the guest. Only a guest's last answer on the current content counts. If the
    same answer is sent again, do nothing and return False.

    `content` is the `content_key` on the guest's page. It doesn't matter if others have decided in the meantime,
    because guests don't see that. If the answer doesn't count, the team is asked to decide. Raises `LinkClosedError` or
    a `DecisionError`.
    """
    with transaction.atomic():
        fresh = open_link(link)
        guest, is_new = guest_identity.admit(fresh, sender)
        if not is_new:
            return guest, False
        overall_verdict.lock_runs([output])
        output.refresh_from_db(fields=["content_hash"])
        if content_key(output) != content:
            raise StaleDecisionError(output)
        actor, earlier = Reviewer(guest=guest), given_by(guest, [output]).get(output.pk)
        decision = verdicts.decide(output, verdict, note, actor, None)
        if decision != earlier and not decision.is_counted and (by := actor.on_record):
            with acting_as(by):  # even if a member is signed in to the guest's browser
                requests.ask_team_after_client(fresh, output)
        return guest, True


def content_key(output: Output) -> str:
    """Return a key for the result's content, so that a page can say which content it showed."""
    return output.content_hash[:SEEN_LENGTH]


def given_by(guest: Guest | None, outputs: Collection[Output] | None = None) -> dict[int, Decision]:
    """Return the answers that `guest` gave on their link's results (or just on `outputs`), keyed by the result's
    primary key."""
    if guest is None:
        return {}
    mine = _answers().filter(guest=guest, output__guest_links=guest.link)
    decisions = mine if outputs is None else mine.filter(output__in=outputs)
    return {decision.output_id: decision for decision in decisions}


def earlier_by(guest: Guest | None, outputs: Collection[Output]) -> dict[int, Decision]:
    """Return the last answer that `guest` gave on an earlier version of each of `outputs`, keyed by the primary key of
    the result in `outputs`."""
    newer = [output for output in outputs if output.number > 1]
    if guest is None or not newer:
        return {}
    firsts = [output.first_id for output in newer]
    mine = Decision.objects.standing().filter(Q(output__in=firsts) | Q(output__line__in=firsts), guest=guest)
    answers = list(mine.select_related("output").order_by("output__number", "created_at"))
    return {
        output.pk: decision
        for output in newer
        for decision in answers
        if decision.output.first_id == output.first_id and decision.output.number < output.number
    }


def answers_of(link: GuestLink) -> list[Decision]:
    """Return all guests' answers on what `link` shows now, sorted by the guests' names."""
    mine = _answers().filter(link=link, output__guest_links=link, output__run__deleted_at=None)
    mine = mine.select_related("link__member")
    return list(mine.order_by("guest_key", "guest", "created_at"))


@transaction.atomic
def on_deciders_changed(link: GuestLink) -> None:
    """Update verdicts when the answers of a link's guests start or stop counting."""
    output_ids = Decision.objects.standing().filter(link=link).values("output")
    outputs = list(Output.objects.filter(pk__in=output_ids))
    overall_verdict.lock_runs(outputs)
    overall_verdict.settle(outputs)


def with_answered(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """Add `answered` to `links`: how many of the link's results at least one guest has answered."""
    mine = _answers().filter(link=OuterRef("pk"), output__guest_links=OuterRef("pk"), output__run__deleted_at=None)
    counted = mine.order_by().values("link").annotate(results=Count("output", distinct=True)).values("results")
    counts = {"answered": Coalesce(Subquery(counted, output_field=IntegerField()), 0)}
    return links.annotate(**counts)


def _answers() -> DecisionQuerySet:
    """Return guests' verdicts that are in force and refer to the current content of the result."""
    return Decision.objects.standing().on_current_content().filter(link__isnull=False)
