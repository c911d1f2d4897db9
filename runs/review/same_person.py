"""Guests who lost their way back answer again as somebody new. If the link's maker says that it's the same person, two
guests of a link become one, so that an old verdict doesn't stand beside the new one for ever."""

from django.db import transaction
from django.db.models import Q

from runs.audit.record import record
from runs.models import Comment, Decision, Guest, GuestContact, GuestLink, Verb
from runs.review import guest_answers, overall_verdict


@transaction.atomic
def make_one(link: GuestLink, guest_id: str, other_id: str) -> Guest | None:
    """Record that these two guests of `link` (public ids) are the same person, and return them as one: the first. All
    that the other said is theirs now, and their later verdict on each result counts.

    Return None, and change nothing, unless these are two different guests.
    """
    GuestLink.objects.select_for_update(no_key=True).get(pk=link.pk)
    guests = {guest.public_id: guest for guest in link.guests.filter(same_as=None, public_id__in=[guest_id, other_id])}
    guest, other = guests.get(guest_id), guests.get(other_id)
    if guest is None or other is None or guest == other:
        return None
    decisions = Decision.objects.filter(guest__in=[guest, other]).select_related("output")
    overall_verdict.lock_runs(decision.output for decision in decisions)
    _end_earlier_verdicts(guest, other)
    now = {"guest": guest, "guest_name": guest.shown_name, "guest_key": guest.key}
    Decision.objects.filter(guest=other).update(**now)
    Comment.objects.filter(guest=other).update(**now)
    _keep_newest_address(guest, other)
    Guest.objects.filter(Q(pk=other.pk) | Q(same_as=other)).update(same_as=guest)
    guest_answers.on_deciders_changed(link)
    record(Verb.GUESTS_JOINED, link, changes={"guest": (other.shown_name, guest.shown_name)})
    return guest


def _end_earlier_verdicts(guest: Guest, other: Guest) -> None:
    """End the earlier one wherever both have a verdict on the same content, as if they had changed their answer."""
    standing = Decision.objects.standing().filter(guest__in=[guest, other]).order_by("created_at", "pk")
    last = {(row.output_id, row.content_hash): row.pk for row in standing}
    standing.exclude(pk__in=list(last.values())).update(is_standing=False)


def _keep_newest_address(guest: Guest, other: Guest) -> None:
    contacts = GuestContact.objects.select_for_update().filter(guest__in=[guest, other]).order_by("-created_at", "-pk")
    for contact in list(contacts)[1:]:
        contact.delete()
    contacts.update(guest=guest)
