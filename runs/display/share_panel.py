"""What the sharing panel, the list of links and a link's own page show, made ready for templates."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.db.models import Case, Prefetch, QuerySet, When
from django.urls import reverse
from django.utils import timezone

from runs.models import GuestLink, GuestLinkOutput, Member, OutputFile, Run, SharingRules, StoredFile
from runs.sharing import guest_copies, guests
from runs.sharing import links as sharing
from runs.sharing.guest_copies import Given
from runs.sharing.guests import State
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.words.sentences import age_words

PICTURES = 4
NO_FFMPEG = "ffmpeg isn't installed on the server, so the prompt can't be removed from videos and sounds."
ALLOW_DOWNLOADS = "Allow downloads to share them unchanged."
SOON = timedelta(days=4)
UNDO_SHOWN = timedelta(hours=1)  # a link revoked lately stays in the panel with its way back

NOT_ALLOWED = "Links for guests are switched off here. An admin can allow them."
LOOKS_ONLY = "Your role lets you look, not make links. Ask an admin to change it."
NOT_YOURS = "Links for guests are made by approvers and admins here."
NOTHING_TO_CHOOSE = "Nothing of what this link shows is there and yours to share."
NOT_READY = "Nothing is ready yet. As soon as a result is, press Guest link again."


@dataclass(frozen=True)
class LinkView:
    """One link for guests wherever links are listed."""

    link: GuestLink
    dom_id: str
    address: str  # empty when the portal's secret key was changed since: the link works, but cannot be copied
    title: str
    count: int
    pictures: list[StoredFile]
    run: Run | None  # when all of it comes from one run that the member may see
    is_of_several: bool
    state: State
    last_day: date
    views_words: str
    copies_notes: list[str]  # notes about the guests' files
    is_preparing: bool
    is_fresh: bool
    passphrase: str  # shown once, right after the link was made with one
    may_change: bool
    may_end: bool
    may_extend: bool
    may_restore: bool

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN

    @property
    def ends_soon(self) -> bool:
        return self.last_day - timezone.localdate() < SOON


@dataclass(frozen=True)
class SharePanel:
    """Who sees a run, and the three choices."""

    run: Run
    dom_id: str
    is_team: bool
    links: list[LinkView]
    may_share: bool
    may_link: bool
    no_link_words: str
    usual_last_day: date
    said: str
    maker: str  # whose run it is; empty when it is the member's own
    only: str  # id of the one result that is looked at: a new link shows it alone; empty for all of the run

    @property
    def has_guests(self) -> bool:
        return any(view.is_open for view in self.links)

    @property
    def is_only_me(self) -> bool:
        return not self.is_team and not self.has_guests


def share_panel(member: Member, run: Run, *, made: str = "", said: str = "", only: str = "") -> SharePanel:
    """The panel of RUN, which MEMBER may change; MADE names the link that was made just now, SAID what was done, ONLY
    the result from whose page it was opened."""
    rules = SharingRules.current()
    now = timezone.now()
    links = list(with_pictures(sharing.links_to(run)))
    endable = {link.pk for link in links}
    if not all(link.is_manageable_by(member) for link in links):
        endable = set(GuestLink.objects.endable_by(member).filter(pk__in=endable).values_list("pk", flat=True))
    views = [link_view(link, member, rules, made=made, may_end=link.pk in endable) for link in links]
    shown = [view for view in views if view.is_open or _was_revoked_lately(view.link, now)]
    may_share = run.is_shareable_by(member)
    no_link = refusal_of(member)
    return SharePanel(
        run=run,
        dom_id=f"share-{run.public_id}",
        is_team=run.shared_at is not None,
        links=shown,
        may_share=may_share,
        may_link=may_share and not no_link,
        no_link_words=no_link,
        usual_last_day=sharing.usual_last_day(rules),
        said=said,
        maker="" if run.belongs_to(member) else run.member.display_name,
        only=only if only and run.outputs_total > 1 and run.outputs.filter(public_id=only).exists() else "",
    )


def _was_revoked_lately(link: GuestLink, now: datetime) -> bool:
    return link.revoked_at is not None and now - link.revoked_at < UNDO_SHOWN and link.expires_at > now


def refusal_of(member: Member) -> str:
    """Why MEMBER makes no links; empty when they may."""
    rules = SharingRules.current()
    if not rules.guests_allowed:
        return NOT_ALLOWED
    if not member.can_run:
        return LOOKS_ONLY
    return "" if rules.may_make_links(member) else NOT_YOURS


def open_first(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """LINKS with those on top that still open, newest first."""
    is_over = Case(When(revoked_at=None, expires_at__gt=timezone.now(), then=0), default=1)
    return with_pictures(links).alias(is_over=is_over).order_by("is_over", "-created_at")


def with_pictures(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """All a `LinkView` needs, in four queries whatever the number of links."""
    files = Prefetch("output__files", OutputFile.objects.filter(status="saved").select_related("file__guest_copy"))
    there = GuestLinkOutput.objects.filter(output__run__deleted_at=None).select_related("output__run")
    return links.select_related("member", "revoked_by").prefetch_related(
        Prefetch("chosen", there.prefetch_related(files))
    )


def link_view(
    link: GuestLink, member: Member, rules: SharingRules, *, made: str = "", may_end: bool = True
) -> LinkView:
    """LINK, fetched through `with_pictures`, as MEMBER sees it. Without MAY_END it shows runs of others, too: then its
    address stays hidden."""
    outputs = [chosen.output for chosen in link.chosen.all()]
    files = [f.file for output in outputs for f in output.files.all() if f.file is not None]
    runs = {output.run for output in outputs}
    token = secret_links.token_again(Purpose.GUEST, link.nonce, link.token_hash)
    is_fresh = link.public_id == made
    given = [guest_copies.given(link, stored) for stored in files]
    suggested = sharing.suggested_passphrase(link.nonce) if is_fresh and link.passphrase else ""
    return LinkView(
        link=link,
        dom_id=f"link-{link.public_id}",
        address=secret_links.full_address(reverse("runs:guest", args=[token])) if token and may_end else "",
        title=link.audience or "Anyone with the link",
        count=len(outputs),
        pictures=[stored for stored in files if stored.thumb_200][:PICTURES],
        run=_seen(runs.pop(), member) if len(runs) == 1 else None,
        is_of_several=len({output.run_id for output in outputs}) > 1,
        state=guests.state_of(link, rules),
        last_day=sharing.last_day_of(link),
        views_words=_views_words(link),
        copies_notes=copies_notes(given),
        is_preparing=any(one.state in (guest_copies.State.PREPARING, guest_copies.State.LATE) for one in given),
        is_fresh=is_fresh,
        passphrase=suggested if suggested and check_password(suggested, link.passphrase) else "",
        may_change=link.is_manageable_by(member),
        may_end=may_end,
        may_extend=_may_extend(link, member, rules),
        may_restore=may_end and link.is_restorable_by(member, rules),
    )


def _seen(run: Run, member: Member) -> Run | None:
    """RUN, unless its maker shows it to nobody: a link may have been made by somebody who was an admin then."""
    return run if run.is_visible_to(member) else None


def _may_extend(link: GuestLink, member: Member, rules: SharingRules) -> bool:
    is_live = link.revoked_at is None and link.is_extendable_by(member, rules)
    return is_live and sharing.last_day_of(link) < sharing.latest_day(rules)


def _views_words(link: GuestLink) -> str:
    if link.viewed_at is None:
        return "Not opened yet"
    times = "once" if link.views <= 1 else f"{link.views} times"
    return f"Opened {times}, last {age_words(link.viewed_at)}"


def copies_notes(given: list[Given]) -> list[str]:
    """Notes for members about the guests' copies; none if all is well."""
    counts = Counter(one.state for one in given)
    errors = [one.error for one in given if one.error]
    notes = []
    if count := counts[guest_copies.State.PREPARING]:
        notes.append(f"{_files(count)} being prepared: guests get copies without prompts and other hidden details.")
    if count := counts[guest_copies.State.LATE]:
        notes.append(f"{_files(count)} not ready for guests yet, and will be tried again. {errors[0]}")
    if count := counts[guest_copies.State.NOT_OFFERED]:
        notes.append(f"{_files(count)} not shared with guests: the prompt and other hidden details can't be removed.")
    if count := counts[guest_copies.State.NOT_PLAYED]:
        notes.append(f"{_files(count)} not played to guests: {NO_FFMPEG} {ALLOW_DOWNLOADS}")
    if count := sum(one.is_as_it_is for one in given):
        notes.append(f"{_files(count)} offered unchanged and may contain the prompt: {NO_FFMPEG}")
    return notes


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count} files are"
