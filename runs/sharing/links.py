"""Who may see a run besides its maker: the team, and guests with a link.

*Only me*, *Team* and *Guest link* are one click each. Team and guest link go together; *Only me* ends both. A link is
made at once with all that is ready, until the end of the day in two weeks, and its options come afterwards. Revoking
asks nothing, since it can be undone: the same address works again. Of a link that an admin revoked, only an admin can
undo it. Rules of the admins (`SharingRules`) hold for new links; a shorter longest time shortens the old ones too, and
while guests are not allowed no link opens.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from runs.models import GuestLink, GuestLinkOutput, Member, Output, OutputFile, Run, SharingRules
from runs.models.ids import ALPHABET
from runs.models.sharing import GuestLinkQuerySet
from runs.sharing import guest_copies
from runs.web import secret_links
from runs.web.secret_links import Purpose

DEFAULT_DAYS = 14
DOUBLE_CLICK = timedelta(seconds=3)
LONGEST_DAYS = 730  # more than two years is a publication
LONGEST_AUDIENCE = 150
LONGEST_MESSAGE = 2_000
LONGEST_PASSPHRASE = 200
CHANGED_BY_WISHES = ("audience", "message", "may_download", "shows_inputs", "shows_app", "expires_at", "passphrase")


@dataclass(frozen=True)
class LinkOptions:
    """How a link shall be: what its form was filled with, checked."""

    outputs: list[Output]
    audience: str
    message: str
    last_day: date
    passphrase: str | None  # a new one; "" takes it away, None leaves it
    may_download: bool
    shows_inputs: bool
    shows_app: bool


# --- Team -------------------------------------------------------------------------------------------------------------
def begins_with_team(parent: Run | None) -> bool:
    """Whether a new run is seen by the team from its start. One begun from a run that its maker kept private is not,
    whatever the rules: it holds the same inputs."""
    is_private = parent is not None and parent.shared_at is None
    return not is_private and SharingRules.current().team_by_default


def audience_words(parent: Run | None, *, is_private: bool = False) -> str:
    """What stands beside Run where new runs are shared from the start; else "", since a run is its maker's."""
    if not is_private and begins_with_team(parent):
        return "the team sees it"
    return "only you and admins see it" if SharingRules.current().team_by_default else ""


def share_with_team(run: Run) -> bool:
    """From now on every member sees RUN; False when they did already."""
    shared = Run.objects.filter(pk=run.pk, shared_at=None)
    return bool(shared.update(shared_at=timezone.now(), version=F("version") + 1))


def take_from_team(run: Run) -> bool:
    """From now on RUN is its maker's again; False when it was."""
    shared = Run.objects.filter(pk=run.pk, shared_at__isnull=False)
    return bool(shared.update(shared_at=None, version=F("version") + 1))


@transaction.atomic
def only_me(run: Run, member: Member) -> int:
    """Nobody else sees RUN any more (admins do); returns how many links to it were ended.

    A link that also shows other runs keeps those; one that has ended may be opened again for their sake, so RUN is
    taken out of it, too.
    """
    ended, now = 0, timezone.now()
    # links before runs, as whatever changes a link does: two people at once would block each other
    for link in list(links_to(run).select_for_update().order_by("pk")):
        if link.chosen.exclude(output__run=run).exists():
            link.chosen.filter(output__run=run).delete()
        elif link.expires_at > now:
            ended += revoke(link, member)
    _count_change([run.pk])
    take_from_team(run)
    return ended


# --- Links ------------------------------------------------------------------------------------------------------------
def links_to(run: Run) -> GuestLinkQuerySet:
    """Every link that shows something of RUN, newest first."""
    chosen = GuestLinkOutput.objects.filter(output__run=run)
    return GuestLink.objects.filter(pk__in=chosen.values("link"))


def shareable(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Those of OUTPUTS that a guest could look at: ready, with a kept file or a text."""
    kept = OutputFile.objects.filter(status=OutputFile.Status.SAVED).values("output")
    ready = outputs.filter(status=Output.Status.COMPLETED, run__deleted_at=None)
    return ready.filter(~Q(text="") | Q(pk__in=kept))


def outputs_for(member: Member, public_ids: Iterable[str]) -> list[Output]:
    """The results of that name which MEMBER may show to guests, in run order."""
    theirs = Run.objects.manageable_by(member)  # whether they make links at all, `SharingRules` says
    found = shareable(Output.objects.filter(public_id__in=list(public_ids), run__in=theirs))
    return list(found.order_by("-run__created_at", "run", "position").prefetch_related("files__file"))


@transaction.atomic
def make_link(member: Member, outputs: list[Output]) -> GuestLink:
    """A link to OUTPUTS with what is usual. Raises `PermissionDenied` when MEMBER may not make any."""
    rules = SharingRules.current()
    _demand_leave(member, outputs, rules)
    fresh = secret_links.new_link(Purpose.GUEST)
    passphrase = suggested_passphrase(fresh.nonce) if rules.needs_passphrase else ""
    link = GuestLink.objects.create(
        nonce=fresh.nonce,
        token_hash=fresh.token_hash,
        member=member,
        passphrase=make_password(passphrase) if passphrase else "",
        expires_at=end_of(usual_last_day(rules)),
    )
    _choose(link, outputs)
    _count_change(_runs_shown(link))
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))
    return link


@transaction.atomic
def link_of_click(member: Member, outputs: list[Output]) -> GuestLink:
    """`make_link` for a button: the second click of a double one gets the link of the first, or one would stay open
    that nobody has seen. Raises `PermissionDenied` likewise."""
    _demand_leave(member, outputs, SharingRules.current())
    Member.objects.select_for_update().get(pk=member.pk)  # one click after the other
    now = timezone.now()
    wanted = [output.pk for output in outputs]
    for link in GuestLink.objects.alive().filter(member=member, created_at__range=(now - DOUBLE_CLICK, now)):
        if list(link.chosen.values_list("output", flat=True)) == wanted:
            return link
    return make_link(member, outputs)


def _demand_leave(member: Member, outputs: list[Output], rules: SharingRules) -> None:
    if not rules.may_make_links(member) or not outputs:
        raise PermissionDenied


@transaction.atomic
def change_link(link: GuestLink, options: LinkOptions) -> None:
    """Make LINK as wished; its address stays, and so does what others did to it meanwhile: looks, and a revoke."""
    link.audience, link.message = options.audience, options.message
    link.may_download, link.shows_inputs, link.shows_app = options.may_download, options.shows_inputs, options.shows_app
    link.expires_at = end_of(options.last_day)
    if options.passphrase is not None:
        link.passphrase = make_password(options.passphrase) if options.passphrase else ""
    link.save(update_fields=CHANGED_BY_WISHES)
    shown_before = _runs_shown(link)
    _choose(link, options.outputs)
    _count_change({*shown_before, *_runs_shown(link)})
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))


def _choose(link: GuestLink, outputs: list[Output]) -> None:
    link.chosen.all().delete()
    GuestLinkOutput.objects.bulk_create(
        GuestLinkOutput(link=link, output=output, position=position) for position, output in enumerate(outputs)
    )


def _runs_shown(link: GuestLink) -> list[int]:
    return list(link.chosen.order_by().values_list("output__run", flat=True).distinct())


def _count_change(runs: Iterable[int]) -> None:
    """Let pages that show RUNS (primary keys) know that somebody else sees them now, or no longer."""
    changed = Run.objects.filter(pk__in=list(runs))
    list(changed.select_for_update().order_by("pk").values_list("pk"))  # in one order, or two changes could block
    changed.update(version=F("version") + 1)


@transaction.atomic
def revoke(link: GuestLink, member: Member) -> bool:
    """LINK opens nothing from the next request on; False when it was revoked already."""
    open_links = GuestLink.objects.filter(pk=link.pk, revoked_at=None)
    is_ended = bool(open_links.update(revoked_at=timezone.now(), revoked_by=member))
    if is_ended:
        _count_change(_runs_shown(link))
    return is_ended


@transaction.atomic
def restore(link: GuestLink, rules: SharingRules) -> None:
    """The same address works again, as long as its time lasts, and no longer than RULES allow by now."""
    expires_at = min(link.expires_at, end_of(latest_day(rules)))
    GuestLink.objects.filter(pk=link.pk).update(revoked_at=None, revoked_by=None, expires_at=expires_at)
    _count_change(_runs_shown(link))
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))


def extend(link: GuestLink) -> None:
    """Two weeks more, from its end or from today, whichever is later; never beyond what admins allow."""
    rules = SharingRules.current()
    begin = max(timezone.localdate(), last_day_of(link))
    last = min(begin + timedelta(days=DEFAULT_DAYS), latest_day(rules))
    GuestLink.objects.filter(pk=link.pk).update(expires_at=max(link.expires_at, end_of(last)))


# --- Time and passphrases ---------------------------------------------------------------------------------------------
def usual_last_day(rules: SharingRules) -> date:
    return min(timezone.localdate() + timedelta(days=DEFAULT_DAYS), latest_day(rules))


def latest_day(rules: SharingRules) -> date:
    """The last day a link may have that is made or extended today."""
    return timezone.localdate() + timedelta(days=rules.longest_days)


def end_of(day: date) -> datetime:
    """The moment DAY is over where the portal is: "until 8 December" includes that day."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def last_day_of(link: GuestLink) -> date:
    return timezone.localdate(link.expires_at - timedelta(seconds=1))


def suggested_passphrase(nonce: str) -> str:
    """Twelve letters in three groups, readable aloud; derived, so that it can be shown again until it is changed."""
    digest = salted_hmac("portal.guest-passphrase", nonce, algorithm="sha256").digest()
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:12])
    return "-".join(letters[i : i + 4] for i in (0, 4, 8))


# --- Rules ------------------------------------------------------------------------------------------------------------
@transaction.atomic
def change_rules(rules: SharingRules) -> int:
    """Keep RULES, the one row there is; returns how many links got shorter by it."""
    rules.pk = SharingRules.objects.values_list("pk", flat=True).first() or 1
    rules.save()
    latest = end_of(latest_day(rules))
    return GuestLink.objects.alive().filter(expires_at__gt=latest).update(expires_at=latest)
