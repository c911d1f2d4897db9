"""Guest links: who may create them, what they show, how long they last, and how they end.

A new link shows every result that is ready and lasts two weeks; its options can be changed afterwards. Revoking doesn't
ask for confirmation, because it can be undone: the same URL then works again. If an admin revoked the link, only an
admin can undo that. The admins' rules (`sharing.rules`) apply to new links. No link opens while guest links are turned
off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from runs import events
from runs.audit.record import differences, record, values_of
from runs.models import GuestLink, GuestLinkOutput, Member, Output, Run, SharingRules, Verb
from runs.models.ids import ALPHABET
from runs.models.joined import is_one_of
from runs.models.output import OutputQuerySet
from runs.models.sharing import GuestLinkQuerySet
from runs.sharing import guest_copies
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.words.moments import portal_day

DEFAULT_DAYS = 14
DOUBLE_CLICK = timedelta(seconds=3)
LONGEST_DAYS = 730  # a link that is open any longer would amount to publishing
LONGEST_MESSAGE = 2_000
LONGEST_PASSPHRASE = 200
# Options that are stored as they were entered
PLAIN_OPTIONS = (
    "audience",
    "message",
    "may_download",
    "shows_inputs",
    "shows_app",
    "lists_maker",
    "lists_cost",
    "lists_decision",
    "lets_decide",
    "lets_comment",
    "shows_comments",
    "hides_names",
)
CHANGED_BY_OPTIONS = (*PLAIN_OPTIONS, "expires_at", "passphrase", "is_example")


@dataclass(frozen=True)
class LinkOptions:
    """The options for a link, as validated by the form. `plain` has the values of `PLAIN_OPTIONS`."""

    outputs: list[Output]
    last_day: date
    passphrase: str | None  # a new passphrase; "" removes it, None leaves it unchanged
    plain: dict[str, Any]


def links_to(run: Run) -> GuestLinkQuerySet:
    """Return every link that shows a result of `run`, newest first."""
    link_outputs = GuestLinkOutput.objects.filter(output__run=run)
    return GuestLink.objects.filter(pk__in=link_outputs.values("link"))


def links_about(run: Run) -> GuestLinkQuerySet:
    """Return every link that shows a result of `run`, or a later version that replaced one, newest first."""
    line = OuterRef("output__line")
    earlier = Output.objects.filter(Q(pk=line) | Q(line=line), run=run, number__lt=OuterRef("output__number"))
    replaced = GuestLinkOutput.objects.filter(Exists(earlier), is_replacement=True)
    return links_to(run) | GuestLink.objects.filter(pk__in=replaced.values("link"))


def outputs_for(member: Member, public_ids: Iterable[str]) -> list[Output]:
    """Return the results with these ids that `member` may show to guests, newest run first."""
    return list(shareable(member, Output.objects.filter(public_id__in=list(public_ids))))


def shareable(member: Member, outputs: OutputQuerySet) -> OutputQuerySet:
    """Return the `outputs` that `member` may show to guests, newest run first."""
    theirs = Run.objects.manageable_by(member)  # `SharingRules` decides whether they may create links at all
    offers = outputs.filter(is_one_of(theirs, "run"), run__deleted_at=None).with_content()
    return offers.order_by("-run__created_at", "run", "position").prefetch_related("files__file")


@transaction.atomic
def make_link(member: Member, outputs: list[Output]) -> GuestLink:
    """Create a link to `outputs` with the default options. Raises `PermissionDenied` if `member` may not create
    links."""
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
    record(Verb.LINK_MADE, link, changes={"results": (0, len(outputs))})
    mark_changed(_runs_shown(link))
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))
    return link


@transaction.atomic
def link_of_click(member: Member, outputs: list[Output]) -> GuestLink:
    """Create a link when someone clicks the button. A double click returns the same link twice; otherwise, there would
    be a second open link that nobody knows about.

    Raises `PermissionDenied`, like `make_link`.
    """
    _demand_leave(member, outputs, SharingRules.current())
    Member.objects.select_for_update().get(pk=member.pk)  # handle one click at a time
    now = timezone.now()
    output_ids = [output.pk for output in outputs]
    for link in GuestLink.objects.alive().filter(member=member, created_at__range=(now - DOUBLE_CLICK, now)):
        if list(link.chosen.values_list("output", flat=True)) == output_ids:
            return link
    return make_link(member, outputs)


def _demand_leave(member: Member, outputs: list[Output], rules: SharingRules) -> None:
    if not rules.may_make_links(member) or not outputs:
        raise PermissionDenied


@transaction.atomic
def change_link(link: GuestLink, options: LinkOptions) -> None:
    """Apply `options` to `link`, whose URL stays the same. Views and revocations recorded in the meantime aren't
    overwritten."""
    before = values_of(link, *CHANGED_BY_OPTIONS) | {"results": link.chosen.count()}
    for name in PLAIN_OPTIONS:
        setattr(link, name, options.plain[name])
    link.expires_at, link.is_example = end_of(options.last_day), False
    if options.passphrase is not None:
        link.passphrase = make_password(options.passphrase) if options.passphrase else ""
    link.save(update_fields=CHANGED_BY_OPTIONS)
    shown_before = _runs_shown(link)
    _choose(link, options.outputs)
    after = values_of(link, *CHANGED_BY_OPTIONS) | {"results": len(options.outputs)}
    record(Verb.LINK_CHANGED, link, changes=differences(before, after))
    mark_changed({*shown_before, *_runs_shown(link)})
    if before["lets_decide"] != link.lets_decide:
        events.deciders_changed.send(link)
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))


@transaction.atomic
def replace_output(link: GuestLink, old: Output, new: Output) -> bool:
    """Make `link` show `new` instead of `old`; return False if it no longer shows `old`.

    A link never changes by itself; otherwise, clients might decide on something other than what they were sent. The
    caller checks that the member may change the link and may show `new` to guests (`outputs_for`).
    """
    GuestLink.objects.select_for_update().get(pk=link.pk)
    place = link.chosen.filter(output=old).first()
    if place is None:
        return False
    if link.chosen.filter(output=new).update(is_replacement=True):
        place.delete()
    else:
        link.chosen.filter(pk=place.pk).update(output=new, is_replacement=True)
    GuestLink.objects.filter(pk=link.pk).update(is_example=False)
    record(Verb.LINK_REPLACED, link, changes={"result": (old, new), "version": (old.number, new.number)})
    events.version_shown.send(link, old, new)
    mark_changed({old.run_id, new.run_id})
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))
    return True


def _choose(link: GuestLink, outputs: list[Output]) -> None:
    replaced = set(link.chosen.filter(is_replacement=True).values_list("output", flat=True))
    link.chosen.all().delete()
    GuestLinkOutput.objects.bulk_create(
        GuestLinkOutput(link=link, output=output, position=position, is_replacement=output.pk in replaced)
        for position, output in enumerate(outputs)
    )


def _runs_shown(link: GuestLink) -> list[int]:
    return list(link.chosen.order_by().values_list("output__run", flat=True).distinct())


def mark_changed(runs: Iterable[int]) -> None:
    """Mark `runs` (primary keys) as changed, so that open pages update and show who can see the runs now."""
    changed = Run.objects.filter(pk__in=list(runs))
    list(changed.select_for_update().order_by("pk").values_list("pk"))  # always in the same order, to avoid deadlocks
    changed.update(version=F("version") + 1)


@transaction.atomic
def revoke(link: GuestLink, member: Member) -> bool:
    """Revoke `link` with immediate effect; return False if it was already revoked."""
    open_links = GuestLink.objects.filter(pk=link.pk, revoked_at=None)
    is_ended = bool(open_links.update(revoked_at=timezone.now(), revoked_by=member))
    if is_ended:
        record(Verb.LINK_REVOKED, link)
        mark_changed(_runs_shown(link))
    return is_ended


@transaction.atomic
def restore(link: GuestLink, rules: SharingRules) -> None:
    """Make the URL of `link` work again until its last day, or until the latest day that `rules` allow, whichever is
    earlier."""
    expires_at = min(link.expires_at, end_of(latest_day(rules)))
    GuestLink.objects.filter(pk=link.pk).update(revoked_at=None, revoked_by=None, expires_at=expires_at)
    record(Verb.LINK_RESTORED, link, changes={"expires_at": (link.expires_at, expires_at)})
    mark_changed(_runs_shown(link))
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))


@transaction.atomic
def extend(link: GuestLink) -> None:
    """Extend `link` by two weeks from its last day or from today, whichever is later, but not beyond the admins'
    limit."""
    rules = SharingRules.current()
    begin = max(portal_day(), last_day_of(link))
    last = min(begin + timedelta(days=DEFAULT_DAYS), latest_day(rules))
    until = max(link.expires_at, end_of(last))
    GuestLink.objects.filter(pk=link.pk).update(expires_at=until, is_example=False)
    record(Verb.LINK_EXTENDED, link, changes={"expires_at": (link.expires_at, until)})


def is_extendable(link: GuestLink, rules: SharingRules) -> bool:
    """Return whether the link's last day could be later than it is."""
    return last_day_of(link) < latest_day(rules)


# --- Time and passphrases ---------------------------------------------------------------------------------------------
def usual_last_day(rules: SharingRules) -> date:
    return min(portal_day() + timedelta(days=DEFAULT_DAYS), latest_day(rules))


def latest_day(rules: SharingRules) -> date:
    """Return the latest possible last day for a link that is created or extended today."""
    return portal_day() + timedelta(days=rules.longest_days)


def end_of(day: date) -> datetime:
    """Return the end of `day` in the portal's time zone: "until 8 December" includes that day."""
    midnight = datetime.combine(day + timedelta(days=1), time.min)
    return timezone.make_aware(midnight, timezone.get_default_timezone())


def last_day_of(link: GuestLink) -> date:
    """Return the last day of `link` in the portal's time zone, so that everyone sees the same day."""
    return portal_day(link.last_second)


def suggested_passphrase(nonce: str) -> str:
    """Return a passphrase that is easy to read aloud: twelve letters and digits in three groups. It is derived from
    `nonce`, so that the same passphrase can be shown again."""
    digest = salted_hmac("portal.guest-passphrase", nonce, algorithm="sha256").digest()
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:12])
    return "-".join(letters[i : i + 4] for i in (0, 4, 8))
