"""The sharing panel, the list of links and a link's own page, as values for templates."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.db.models import Case, Prefetch, QuerySet, When
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import GuestLink, GuestLinkOutput, Member, OutputFile, Run, SharingRules, StoredFile
from runs.sharing import guest_copies, guests
from runs.sharing import links as sharing
from runs.sharing.guest_copies import Given
from runs.sharing.guests import State
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.words.moments import brief_day_words
from runs.words.numbers import number_words
from runs.words.sentences import age_words

PICTURES = 4
LONGEST_TITLE = 80
SOON = timedelta(days=4)
UNDO_SHOWN = timedelta(hours=1)  # a link revoked recently stays in the panel, so that it can be restored


@dataclass(frozen=True)
class LinkView:
    """One guest link, wherever links are listed."""

    link: GuestLink
    dom_id: str
    address: str  # empty if the portal's secret key has changed: the link works, but can't be copied
    title: str
    count: int
    pictures: list[StoredFile]
    run: Run | None  # if all results come from one run that the member may see
    is_of_several: bool
    state: State
    last_day: date
    views_words: str
    copies_notes: list[str]  # notes about the guests' files
    is_preparing: bool
    is_fresh: bool
    passphrase: str  # set only right after the link was made with one
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

    @property
    def is_named(self) -> bool:
        """Whether lists name the link by its audience; otherwise by its run, which says more than "anyone"."""
        return bool(self.link.audience) or self.run is None

    @property
    def heading(self) -> str:
        return self.title if self.is_named else self.run_title

    @property
    def run_title(self) -> str:
        return Truncator(self.run.display_title).chars(LONGEST_TITLE) if self.run else ""

    @property
    def is_revoked_by_another(self) -> bool:
        return self.link.revoked_by_id not in (None, self.link.member_id)


@dataclass(frozen=True)
class SharePanel:
    """Who can see a run, and the three choices."""

    run: Run
    dom_id: str
    is_team: bool
    links: list[LinkView]
    may_share: bool
    may_link: bool
    no_link_words: str
    usual_last_day: date
    said: str
    maker: str  # whose run it is; empty if it is the member's own
    only: str  # id of the result the panel was opened from: a new link shows only that; empty for the whole run

    @property
    def has_guests(self) -> bool:
        return any(view.is_open for view in self.links)

    @property
    def is_only_me(self) -> bool:
        return not self.is_team and not self.has_guests

    @property
    def team_words(self) -> str:
        return _("Everyone who signs in here sees the whole run.") if self.only else _("Everyone who signs in here.")

    @property
    def guest_words(self) -> str:
        """What a new link would show, or why it can't be made."""
        if self.no_link_words:
            return self.no_link_words
        day = {"day": brief_day_words(self.usual_last_day)}
        if self.only:
            return _("Anyone with the link sees only this result, until %(day)s.") % day
        return _("Anyone with the link, no account needed, until %(day)s.") % day

    @property
    def another_link_words(self) -> str:
        return _("Make another link to this result") if self.only else _("Make another link")


def share_panel(member: Member, run: Run, *, made: str = "", said: str = "", only: str = "") -> SharePanel:
    """Return the panel for `run`, which `member` may change.

    `made` is the id of a link just made, `said` a sentence about what was just done, `only` the id of the result whose
    page opened the panel.
    """
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
    """Return why `member` may not make guest links; "" if they may."""
    rules = SharingRules.current()
    if not rules.guests_allowed:
        return _("Guest links are turned off. An admin can turn them on.")
    if not member.can_run:
        return _("Your role lets you look, but not make links. Ask an admin to change it.")
    return "" if rules.may_make_links(member) else _("Only approvers and admins can make guest links here.")


def open_first(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """Return `links` newest first, with open ones on top."""
    is_over = Case(When(revoked_at=None, expires_at__gt=timezone.now(), then=0), default=1)
    return with_pictures(links).alias(is_over=is_over).order_by("is_over", "-created_at")


def with_pictures(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """Fetch everything a `LinkView` needs, in four queries for any number of links."""
    files = Prefetch("output__files", OutputFile.objects.filter(status="saved").select_related("file__guest_copy"))
    there = GuestLinkOutput.objects.filter(output__run__deleted_at=None).select_related("output__run")
    return links.select_related("member", "revoked_by").prefetch_related(
        Prefetch("chosen", there.prefetch_related(files))
    )


def link_view(
    link: GuestLink, member: Member, rules: SharingRules, *, made: str = "", may_end: bool = True
) -> LinkView:
    """Return `link` (fetched with `with_pictures`) as `member` sees it.

    Without `may_end`, the link also shows other people's runs, so its address stays hidden.
    """
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
        title=link.audience or _("Anyone with the link"),
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
    """Return `run` if `member` may still see it; perhaps they made the link as an admin."""
    return run if run.is_visible_to(member) else None


def _may_extend(link: GuestLink, member: Member, rules: SharingRules) -> bool:
    is_live = link.revoked_at is None and link.is_extendable_by(member, rules)
    return is_live and sharing.last_day_of(link) < sharing.latest_day(rules)


def _views_words(link: GuestLink) -> str:
    if link.viewed_at is None:
        return _("Not opened yet")
    when = age_words(link.viewed_at)
    if link.views <= 1:
        return _("Opened once, %(when)s") % {"when": when}
    words = ngettext("Opened %(count)s time, last %(when)s", "Opened %(count)s times, last %(when)s", link.views)
    return words % {"count": number_words(link.views), "when": when}


def copies_notes(given: list[Given]) -> list[str]:
    """Return notes for members about the guests' copies; an empty list if all is well."""
    counts = Counter(one.state for one in given)
    errors = [one.error for one in given if one.error]
    notes = []
    if count := counts[guest_copies.State.PREPARING]:
        notes.append(
            ngettext(
                "%(count)s file is being prepared: guests get copies without prompts or other hidden details.",
                "%(count)s files are being prepared: guests get copies without prompts or other hidden details.",
                count,
            )
            % {"count": count}
        )
    if count := counts[guest_copies.State.LATE]:
        notes.append(
            ngettext(
                "%(count)s file isn't ready for guests yet and will be tried again. %(reason)s",
                "%(count)s files aren't ready for guests yet and will be tried again. %(reason)s",
                count,
            )
            % {"count": count, "reason": errors[0]}
        )
    if count := counts[guest_copies.State.NOT_OFFERED]:
        notes.append(
            ngettext(
                "%(count)s file isn't shared with guests: the prompt and other hidden details can't be removed.",
                "%(count)s files aren't shared with guests: the prompt and other hidden details can't be removed.",
                count,
            )
            % {"count": count}
        )
    if count := counts[guest_copies.State.NOT_PLAYED]:
        notes.append(
            ngettext(
                "Guests can't play %(count)s file: without ffmpeg on the server, the prompt can't be removed. "
                "Allow downloads to share it unchanged.",
                "Guests can't play %(count)s files: without ffmpeg on the server, the prompt can't be removed. "
                "Allow downloads to share them unchanged.",
                count,
            )
            % {"count": count}
        )
    if count := sum(one.is_as_it_is for one in given):
        notes.append(
            ngettext(
                "%(count)s file is offered unchanged and may contain the prompt: without ffmpeg on the server, it "
                "can't be removed.",
                "%(count)s files are offered unchanged and may contain the prompt: without ffmpeg on the server, it "
                "can't be removed.",
                count,
            )
            % {"count": count}
        )
    return notes
