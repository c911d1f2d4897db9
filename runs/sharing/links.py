"""Who can see a run besides its maker: the team, and guests with a link.

*Only me*, *Team* and *Guest link* take one click each. A run can be shared with the team and also have guest links;
*Only me* ends both. A new link shows every result that is ready and lasts two weeks; its options can be changed
afterwards. Revoking doesn't ask for confirmation, because it can be undone: the same URL then works again. If an admin
revoked the link, only an admin can undo that. The admins' rules (`SharingRules`) apply to new links. Lowering the
maximum number of days also shortens existing links, and no link opens while guest links are turned off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from runs import events
from runs.audit.overtaken import changes_of, locked_row, refuse_older, seen_of
from runs.audit.record import differences, record, record_each, values_of
from runs.models import GuestLink, GuestLinkOutput, Member, Output, OutputFile, Run, SharingRules, StoredFile, Verb
from runs.models.ids import ALPHABET
from runs.models.run import RunQuerySet
from runs.models.sharing import GuestLinkQuerySet
from runs.sharing import guest_copies
from runs.storage import orphans
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.words.moments import portal_day

DEFAULT_DAYS = 14
DOUBLE_CLICK = timedelta(seconds=3)
LONGEST_DAYS = 730  # a link that is open any longer would amount to publishing
LONGEST_AUDIENCE = 150
LONGEST_MESSAGE = 2_000
LONGEST_PASSPHRASE = 200
CHANGED_BY_OPTIONS = (
    "audience",
    "message",
    "may_download",
    "shows_inputs",
    "shows_app",
    "lets_decide",
    "lets_comment",
    "shows_comments",
    "hides_names",
    "expires_at",
    "passphrase",
    "is_example",
)

RULES = ("guests_allowed", "longest_days", "needs_passphrase", "link_makers", "company", "team_by_default")


@dataclass(frozen=True)
class LinkOptions:
    """Valid options for a link, from the form."""

    outputs: list[Output]
    audience: str
    message: str
    last_day: date
    passphrase: str | None  # a new passphrase; "" removes it, None leaves it unchanged
    may_download: bool
    shows_inputs: bool
    shows_app: bool
    lets_decide: bool
    lets_comment: bool
    shows_comments: bool
    hides_names: bool


# --- Team -------------------------------------------------------------------------------------------------------------
def begins_with_team(parent: Run | None) -> bool:
    """Return whether a new run is shared with the team from the start. A run started from a private `parent` never is,
    because both have the same inputs."""
    is_private = parent is not None and parent.shared_at is None
    return not is_private and SharingRules.current().team_by_default


def audience_words(parent: Run | None, *, is_private: bool = False) -> str:
    """Return the text next to the Run button that says who will see a new run; "" unless runs are shared by default."""
    if not SharingRules.current().team_by_default:
        return ""
    is_private = is_private or (parent is not None and parent.shared_at is None)
    return _("only you and admins see it") if is_private else _("the team sees it")


def share_with_team(run: Run) -> bool:
    """Share `run` with every member; return False if it was already shared."""
    return bool(share_all_with_team(Run.objects.filter(pk=run.pk)))


@transaction.atomic
def share_all_with_team(runs: RunQuerySet) -> int:
    """Share `runs` with every member; return how many weren't shared before."""
    private = list(runs.filter(shared_at=None).select_for_update(of=("self",)).select_related("app", "member"))
    now = timezone.now()
    record_each(Verb.RUN_SHARED, private)
    Run.objects.filter(pk__in=[run.pk for run in private]).update(shared_at=now, version=F("version") + 1)
    for run in private:
        run.shared_at = now
        events.run_shared.send(run)
    return len(private)


@transaction.atomic
def stop_sharing_with_team(run: Run) -> bool:
    """Make `run` private to its maker again; return False if it was already private."""
    shared = Run.objects.filter(pk=run.pk, shared_at__isnull=False)
    is_changed = bool(shared.update(shared_at=None, version=F("version") + 1))
    if is_changed:
        record(Verb.RUN_UNSHARED, run)
    return is_changed


@transaction.atomic
def only_me(run: Run, member: Member) -> int:
    """Hide `run` from everyone but its maker and admins; return how many guest links were revoked.

    A link that also shows other runs stays open but no longer shows `run`. Revoked and expired links are changed too,
    because they may be reopened.
    """
    ended, now = 0, timezone.now()
    # Lock links before runs, as all code that changes links does, to avoid deadlocks.
    for link in list(links_to(run).select_for_update().order_by("pk")):
        if link.chosen.exclude(output__run=run).exists():
            count = link.chosen.count()
            gone, _rows = link.chosen.filter(output__run=run).delete()
            record(Verb.LINK_CHANGED, link, changes={"results": (count, count - gone)})
        elif link.expires_at > now:
            ended += revoke(link, member)
    _count_change([run.pk])
    stop_sharing_with_team(run)
    return ended


# --- Links ------------------------------------------------------------------------------------------------------------
def links_to(run: Run) -> GuestLinkQuerySet:
    """Return every link that shows a result of `run`, newest first."""
    chosen = GuestLinkOutput.objects.filter(output__run=run)
    return GuestLink.objects.filter(pk__in=chosen.values("link"))


def shareable(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Return the `outputs` that a guest could see: ready, with a saved file or text."""
    # Look up the files of each result separately. With IN, PostgreSQL would read millions of files for the four results
    # of a run.
    kept = Exists(OutputFile.objects.filter(output=OuterRef("pk"), status=OutputFile.Status.SAVED))
    ready = outputs.filter(status=Output.Status.COMPLETED, run__deleted_at=None)
    return ready.filter(~Q(text="") | Q(kept))


def outputs_for(member: Member, public_ids: Iterable[str]) -> list[Output]:
    """Return the results with these ids that `member` may show to guests, newest run first."""
    return list(offered(member, Output.objects.filter(public_id__in=list(public_ids))))


def offered(member: Member, outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Return the `outputs` that `member` may show to guests, newest run first."""
    theirs = Run.objects.manageable_by(member)  # `SharingRules` decides whether they may create links at all
    found = shareable(outputs.filter(run__in=theirs))
    return found.order_by("-run__created_at", "run", "position").prefetch_related("files__file")


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
    _count_change(_runs_shown(link))
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))
    return link


@transaction.atomic
def link_of_click(member: Member, outputs: list[Output]) -> GuestLink:
    """Create a link when someone clicks the button. A double click returns the same link twice; otherwise, a second
    link would stay open without anyone knowing.

    Raises `PermissionDenied`, like `make_link`.
    """
    _demand_leave(member, outputs, SharingRules.current())
    Member.objects.select_for_update().get(pk=member.pk)  # handle one click at a time
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
    """Apply `options` to `link`. Its URL stays the same. Views and revocations recorded in the meantime aren't
    overwritten."""
    before = values_of(link, *CHANGED_BY_OPTIONS) | {"results": link.chosen.count()}
    link.audience, link.message = options.audience, options.message
    link.may_download, link.shows_inputs, link.shows_app = options.may_download, options.shows_inputs, options.shows_app
    has_new_deciders = link.lets_decide != options.lets_decide
    link.lets_decide, link.lets_comment = options.lets_decide, options.lets_comment
    link.shows_comments, link.hides_names = options.shows_comments, options.hides_names
    link.expires_at, link.is_example = end_of(options.last_day), False
    if options.passphrase is not None:
        link.passphrase = make_password(options.passphrase) if options.passphrase else ""
    link.save(update_fields=CHANGED_BY_OPTIONS)
    shown_before = _runs_shown(link)
    _choose(link, options.outputs)
    after = values_of(link, *CHANGED_BY_OPTIONS) | {"results": len(options.outputs)}
    record(Verb.LINK_CHANGED, link, changes=differences(before, after))
    _count_change({*shown_before, *_runs_shown(link)})
    if has_new_deciders:
        events.deciders_changed.send(link)
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))


@transaction.atomic
def replace_output(link: GuestLink, old: Output, new: Output) -> bool:
    """Make `link` show `new` in place of `old`; return False if it no longer shows `old`.

    A link never changes by itself; otherwise, clients might decide on something other than what they were sent. The
    caller checks that the member may change the link, and that they may show `new` to guests (`outputs_for`).
    """
    GuestLink.objects.select_for_update().get(pk=link.pk)
    place = link.chosen.filter(output=old).first()
    if place is None:
        return False
    if link.chosen.filter(output=new).exists():
        place.delete()
    else:
        link.chosen.filter(pk=place.pk).update(output=new)
    GuestLink.objects.filter(pk=link.pk).update(is_example=False)
    record(Verb.LINK_REPLACED, link, changes={"result": (old, new), "version": (old.number, new.number)})
    events.version_shown.send(link, old, new)
    _count_change({old.run_id, new.run_id})
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))
    return True


def _choose(link: GuestLink, outputs: list[Output]) -> None:
    link.chosen.all().delete()
    GuestLinkOutput.objects.bulk_create(
        GuestLinkOutput(link=link, output=output, position=position) for position, output in enumerate(outputs)
    )


def _runs_shown(link: GuestLink) -> list[int]:
    return list(link.chosen.order_by().values_list("output__run", flat=True).distinct())


def _count_change(runs: Iterable[int]) -> None:
    """Mark `runs` (primary keys) as changed, so that open pages are updated to show who can see them now."""
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
        _count_change(_runs_shown(link))
    return is_ended


@transaction.atomic
def restore(link: GuestLink, rules: SharingRules) -> None:
    """Make the URL of `link` work again until its last day, or until the latest day that `rules` allow if that is
    earlier."""
    expires_at = min(link.expires_at, end_of(latest_day(rules)))
    GuestLink.objects.filter(pk=link.pk).update(revoked_at=None, revoked_by=None, expires_at=expires_at)
    record(Verb.LINK_RESTORED, link, changes={"expires_at": (link.expires_at, expires_at)})
    _count_change(_runs_shown(link))
    guest_copies.request_copies_for(GuestLink.objects.filter(pk=link.pk))


@transaction.atomic
def extend(link: GuestLink) -> None:
    """Extend `link` by two weeks from its last day, or from today if that is later, within the admins' limit."""
    rules = SharingRules.current()
    begin = max(portal_day(), last_day_of(link))
    last = min(begin + timedelta(days=DEFAULT_DAYS), latest_day(rules))
    until = max(link.expires_at, end_of(last))
    GuestLink.objects.filter(pk=link.pk).update(expires_at=until, is_example=False)
    record(Verb.LINK_EXTENDED, link, changes={"expires_at": (link.expires_at, until)})


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
    """Return twelve letters in three groups that are easy to read aloud. They are derived from `nonce`, so that they
    can be shown again."""
    digest = salted_hmac("portal.guest-passphrase", nonce, algorithm="sha256").digest()
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:12])
    return "-".join(letters[i : i + 4] for i in (0, 4, 8))


# --- Rules ------------------------------------------------------------------------------------------------------------
def rules_seen(rules: SharingRules) -> str:
    """Return `rules` as one text, from which `change_rules` can tell whether they have changed."""
    return seen_of(values_of(rules, *RULES))


@transaction.atomic
def change_rules(rules: SharingRules, seen: str = "") -> int:
    """Save `rules`, which replace the existing ones, except for the logo; return how many links now expire earlier.

    `seen` is what the page showed when it was opened, if known. Raises `OvertakenError` if someone has saved other
    rules since.
    """
    stored = locked_row(SharingRules)
    before, after = values_of(stored, *RULES), values_of(rules, *RULES)
    refuse_older(seen, before, after, changes_of(SharingRules).exclude(changes__has_key="logo"))
    rules.pk, rules.logo_id = stored.pk, stored.logo_id
    rules.save()
    record(Verb.RULES_CHANGED, rules, changes=differences(before, after))
    latest = end_of(latest_day(rules))
    return GuestLink.objects.alive().filter(expires_at__gt=latest).update(expires_at=latest)


@transaction.atomic
def change_logo(logo: StoredFile | None) -> None:
    """Show guests `logo` from now on, or none. Deletes the one before."""
    rules = locked_row(SharingRules)
    before = rules.logo
    if before is None and logo is None:
        return
    SharingRules.objects.filter(pk=rules.pk).update(logo=logo)
    names = (before.name if before else None, logo.name if logo else None)
    record(Verb.RULES_CHANGED, rules, changes={"logo": names})
    if before is not None:
        old = StoredFile.objects.filter(pk=before.pk)
        transaction.on_commit(lambda: orphans.remove_files(old))
