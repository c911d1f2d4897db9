"""Who may decide: members whose role allows it, and guests whose link allows it.

With the four-eyes rule (`ReviewRules.four_eyes`), people can't approve a result if they made it, or any of its versions
since the last approved one. They can still ask for changes, reject it, and withdraw their verdict. Nor can they have it
approved through a guest link of their own: such an approval is the client's word only.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from runs.audit import actors
from runs.models import Decision, Guest, GuestLink, GuestLinkOutput, Member, Output, ReviewRules
from runs.models.deciders import Decider
from runs.models.decisions import APPROVING_ROLES
from runs.review.errors import NotAllowedError

APPROVED, CHANGES, REJECTED = Decision.Verdict.APPROVED, Decision.Verdict.CHANGES, Decision.Verdict.REJECTED


@dataclass(frozen=True)
class Reviewer:
    """The person who decides or comments: a member or a guest."""

    member: Member | None = None
    guest: Guest | None = None

    @property
    def link(self) -> GuestLink | None:
        """The guest's link; None for a member."""
        return self.guest.link if self.guest is not None else None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that say who created a new row (`models.deciders.Decider`)."""
        if self.guest is None:
            return {"member": self.member}
        names = {"guest_name": self.guest.shown_name, "guest_key": self.guest.key}
        return {"guest": self.guest, "link": self.guest.link, **names}

    @property
    def owned(self) -> dict[str, Any]:
        """The filter conditions for rows that this person created."""
        return {"member": self.member} if self.guest is None else {"guest": self.guest}

    @property
    def on_record(self) -> actors.Actor | None:
        """The actor to name in the audit record if this is a guest; None for a member, who is signed in and therefore
        named anyway."""
        return None if self.guest is None else actors.as_guest(self.guest.shown_name)

    def owns(self, item: Decider) -> bool:
        """Return whether this person made the decision or comment."""
        if self.member is not None:
            return item.belongs_to(self.member)
        return self.guest is not None and item.belongs_to_guest(self.guest)


def check_may_decide(by: Reviewer, output: Output, verdict: str, rules: ReviewRules, *, is_own: bool) -> None:
    """Raise `NotAllowedError` unless the person may give this verdict. `is_own` says whether the result is their own
    work (`versions.own_work`).

    The result's run must already be loaded.
    """
    words = guest_refusal(by, output, verdict) if by.member is None else member_refusal(by.member, output, rules)
    if not words and by.member is not None and verdict == APPROVED:
        words = approval_refusal(rules, is_own=is_own)
    if words:
        raise NotAllowedError(words)


def is_word_only(link: GuestLink, verdict: str, rules: ReviewRules, *, is_own: bool) -> bool:
    """Return whether a guest's answer doesn't count under `rules`. `is_own` says whether the result is the own work of
    the person who made the link (`versions.own_work`)."""
    if rules.only_deciders_links and not rules.may_decide(link.member):
        return True
    return rules.four_eyes and is_own and verdict == APPROVED


def approval_refusal(rules: ReviewRules, *, is_own: bool) -> str:
    """Return why a member who may decide can't approve a result; "" if they can."""
    return _("You made this, so someone else has to approve it.") if rules.four_eyes and is_own else ""


def member_refusal(member: Member, output: Output, rules: ReviewRules) -> str:
    """Return why the member may not decide on the result; "" if they may."""
    if not output.run.is_visible_to(member):
        return _("You can't see this result any more.")
    if not member.can_run:
        return _("Your role is view-only, so you can't approve or reject results.")
    return "" if rules.may_decide(member) else _("Only approvers and admins can decide.")


def guest_refusal(by: Reviewer, output: Output, verdict: str) -> str:
    """Return why the guest may not give this verdict; "" if they may."""
    link = by.link
    if link is None:
        return _("Type your name first.")
    is_shown = link.is_alive() and output.run.deleted_at is None
    if not is_shown or not GuestLinkOutput.objects.filter(link=link, output=output).exists():
        return _("This link doesn't show the result any more.")
    if not link.lets_decide or verdict == REJECTED:
        return _("This link doesn't let you make that decision.")
    return ""


def set_aside_refusal(by: Reviewer, decision: Decision, rules: ReviewRules, *, is_own: bool) -> str:
    """Return why the person may not set someone else's verdict aside; "" if they may."""
    if by.member is None or by.member.role not in APPROVING_ROLES:
        return _("Only approvers and admins can set a decision aside.")
    if by.owns(decision):
        return _("This is your own decision. Withdraw it instead.")
    if rules.four_eyes and is_own:
        return _("You made this, so someone else has to set the decision aside.")
    return member_refusal(by.member, decision.output, rules)
