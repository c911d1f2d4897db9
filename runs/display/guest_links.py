"""Guest links as shown in the list of links, in the sharing panel and on the page of a link."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import quote

from django.contrib.auth.hashers import check_password
from django.db.models import Case, Count, OuterRef, Prefetch, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from runs.display.verdicts import decision_icon
from runs.models import Decision, Guest, GuestLink, GuestLinkOutput, Member, OutputFile, Run, SharingRules, StoredFile
from runs.models.link_access import may_extend, may_restore
from runs.models.sharing import is_alive_at
from runs.review import overall_verdict
from runs.review.guest_answers import answers_of, with_answered
from runs.sharing import guest_copies, guests
from runs.sharing import links as sharing
from runs.sharing.guest_copies import CopyState, FileToSend
from runs.sharing.guests import LinkState
from runs.web import secret_links
from runs.web.secret_links import Purpose
from runs.words.moments import portal_day
from runs.words.numbers import number_words, results_words
from runs.words.time_spans import age_words

PICTURES = 4
LOOKED_AT = 12  # how many of a link's results a list looks at to find pictures
LONGEST_TITLE = 80
SOON = timedelta(days=4)
COPY_NOTES = {
    CopyState.PREPARING: ngettext_lazy(
        "%(count)s file is being prepared: guests get copies without prompts or other hidden details.",
        "%(count)s files are being prepared: guests get copies without prompts or other hidden details.",
        "count",
    ),
    CopyState.LATE: ngettext_lazy(
        "%(count)s file isn't ready for guests yet. We'll try again. %(reason)s",
        "%(count)s files aren't ready for guests yet. We'll try again. %(reason)s",
        "count",
    ),
    CopyState.NOT_OFFERED: ngettext_lazy(
        "%(count)s file isn't shared with guests: the prompt and other hidden details can't be removed.",
        "%(count)s files aren't shared with guests: the prompt and other hidden details can't be removed.",
        "count",
    ),
    CopyState.NOT_PLAYED: ngettext_lazy(
        "Guests can't play %(count)s file: without ffmpeg on the server, the prompt can't be removed. "
        "Allow downloads to share it unchanged.",
        "Guests can't play %(count)s files: without ffmpeg on the server, the prompt can't be removed. "
        "Allow downloads to share them unchanged.",
        "count",
    ),
}
UNCHANGED_COPY = ngettext_lazy(
    "%(count)s file is shared unchanged and may contain the prompt, which can't be removed without "
    "ffmpeg on the server.",
    "%(count)s files are shared unchanged and may contain the prompt, which can't be removed without "
    "ffmpeg on the server.",
    "count",
)


@dataclass(frozen=True)
class LinkView:
    """One guest link, as shown in lists, in the panel and on its own page."""

    link: GuestLink
    dom_id: str
    address: str  # empty if the secret key has changed: the link still works, but can't be copied
    title: str
    count: int
    pictures: list[StoredFile]
    runs: set[Run]  # the runs that the results come from; in lists, those of the first few results
    run: Run | None  # the run that all results come from; None if there are several runs or the member may not see it
    is_of_several: bool
    state: LinkState
    last_day: date
    views_words: str
    answered_words: str  # "2 of 3 answered"; empty if guests can't decide and none ever did
    copies_notes: list[str]  # notes about guests' copies of files; lists only have the first one
    is_preparing: bool
    is_fresh: bool
    passphrase: str  # only set right after a link with a passphrase was created
    is_manageable: bool
    is_revocable: bool
    may_extend: bool
    may_restore: bool

    @property
    def is_open(self) -> bool:
        return self.state is LinkState.OPEN

    @property
    def ends_soon(self) -> bool:
        return self.last_day - portal_day() < SOON

    @property
    def mail_url(self) -> str:
        """A `mailto:` link to send the address from the person's own email program. The passphrase isn't in it."""
        values = {"results": results_words(self.count), "sender": self.link.member.display_name}
        subject = _("%(results)s from %(sender)s") % values
        body = "\r\n\r\n".join(filter(None, ("\r\n".join(self.link.message.splitlines()), self.address)))
        return f"mailto:?subject={quote(subject, safe='')}&body={quote(body, safe='')}"

    @property
    def is_named(self) -> bool:
        """Whether lists show the link's audience as its name. If not, they show its run's title, which says more than
        "anyone"."""
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
class LinkAnswer:
    """A guest's answer about one result, as the link's page shows it."""

    label: str
    url: str
    decision: Decision

    @property
    def words(self) -> str:
        return overall_verdict.words_of(self.decision)

    @property
    def icon(self) -> str:
        return decision_icon(self.decision)


@dataclass(frozen=True)
class LinkGuest:
    """A guest of a link. `other_names` are those they came back with, according to the link's maker."""

    guest: Guest
    other_names: list[str]


def link_answers(link: GuestLink) -> list[LinkAnswer]:
    """Return guests' answers, in the order of the link's results."""
    by_output: dict[int, list[Decision]] = {}
    for decision in answers_of(link):
        by_output.setdefault(decision.output_id, []).append(decision)
    labels = guests.named_outputs(link)
    return [
        LinkAnswer(label, output.get_absolute_url(), decision)
        for output, label in labels.items()
        for decision in by_output.get(output.pk, [])
    ]


def link_guests(link: GuestLink) -> list[LinkGuest]:
    """Return the guests who have answered or commented, in order of their first answer."""
    guests = list(link.guests.all())
    others: dict[int, list[str]] = {}
    for guest in guests:
        if guest.same_as_id is not None:
            others.setdefault(guest.same_as_id, []).append(guest.shown_name)
    return [LinkGuest(guest, others.get(guest.pk, [])) for guest in guests if guest.same_as_id is None]


def refusal_of(member: Member, rules: SharingRules | None = None) -> str:
    """Return why `member` may not create guest links; "" if they may. Pass the `rules` if you've already read them."""
    rules = rules or SharingRules.current()
    if not rules.guests_allowed:
        if member.is_admin:
            return _("Guest links are turned off. You can turn them on in “Manage” under “Sharing”.")
        return _("Guest links are turned off. An admin can turn them on.")
    if not member.can_run:
        return _("Your role is view-only, so you can't create links. Ask an admin to change it.")
    return "" if rules.may_make_links(member) else _("Only approvers and admins can create guest links here.")


def open_first(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """Return `links` for a list: the open ones first, then the others, both newest first.

    A link may show 2,000 results, so we count the results and fetch only the first few for their pictures.
    """
    is_over = Case(When(is_alive_at(timezone.now()), then=0), default=1)
    there = GuestLinkOutput.objects.filter(output__run__deleted_at=None, link=OuterRef("pk")).order_by()
    counts = {
        "result_count": _count_by_link(there, Count("pk")),
        "run_count": _count_by_link(there, Count("output__run", distinct=True)),
    }
    first = Prefetch("chosen", _results()[:LOOKED_AT], to_attr="first_chosen")
    return (
        _with_people(links.annotate(**counts))
        .prefetch_related(first)
        .alias(is_over=is_over)
        .order_by("is_over", "-created_at")
    )


def with_pictures(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    """Fetch everything a `LinkView` needs, with all results, in four queries, no matter how many links there are."""
    return _with_people(links).prefetch_related(Prefetch("chosen", _results()))


def _results() -> QuerySet[GuestLinkOutput]:
    """Return the results that guest links share, with their runs and files."""
    saved_files = OutputFile.objects.filter(status="saved").select_related("file__guest_copy__file")
    there = GuestLinkOutput.objects.filter(output__run__deleted_at=None).select_related("output__run")
    return there.prefetch_related(Prefetch("output__files", saved_files))


def _with_people(links: QuerySet[GuestLink]) -> QuerySet[GuestLink]:
    return with_answered(links).select_related("member", "made_by", "revoked_by")


def _count_by_link(rows: QuerySet[GuestLinkOutput], count: Count) -> Coalesce:
    """Return an annotation that applies `count` to those of `rows` that belong to each link."""
    return Coalesce(Subquery(rows.values("link").annotate(counted=count).values("counted")), 0)


def link_view(
    link: GuestLink, member: Member, rules: SharingRules, *, new_link: str = "", is_revocable: bool = True
) -> LinkView:
    """Return `link` (fetched with `with_pictures` or `open_first`) as `member` sees it.

    If `is_revocable` is False, the link also shows other people's runs, so `member` doesn't get its URL.
    """
    outputs = [link_output.output for link_output in _link_outputs(link)]
    files = [f.file for output in outputs for f in output.files.all() if f.file is not None]
    runs = {output.run for output in outputs}
    count, run_count = getattr(link, "result_count", len(outputs)), getattr(link, "run_count", len(runs))
    token = secret_links.token_again(Purpose.GUEST, link.nonce, link.token_hash)
    is_fresh = link.public_id == new_link
    copies = [guest_copies.file_to_send(link, stored) for stored in files]
    suggested = sharing.suggested_passphrase(link.nonce) if is_fresh and link.passphrase else ""
    return LinkView(
        link=link,
        dom_id=f"link-{link.public_id}",
        address=secret_links.full_address(reverse("runs:guest", args=[token])) if token and is_revocable else "",
        title=link.audience or _("Anyone with the link"),
        count=count,
        pictures=[stored for stored in files if stored.thumb_200][:PICTURES],
        runs=runs,
        run=_if_visible(next(iter(runs)), member) if run_count == 1 else None,
        is_of_several=run_count > 1,
        state=guests.state_of(link, rules),
        last_day=sharing.last_day_of(link),
        views_words=_views_words(link),
        answered_words=_answered_words(link, count),
        copies_notes=copies_notes(copies),
        is_preparing=any(one.state in (CopyState.PREPARING, CopyState.LATE) for one in copies),
        is_fresh=is_fresh,
        passphrase=suggested if suggested and check_password(suggested, link.passphrase) else "",
        is_manageable=link.is_manageable_by(member),
        is_revocable=is_revocable,
        may_extend=_may_extend(link, member, rules),
        may_restore=may_restore(member, link, rules, is_revocable=is_revocable),
    )


def _if_visible(run: Run, member: Member) -> Run | None:
    """Return `run` if `member` may see it, otherwise None. A member who created the link as an admin may have lost
    access to the run since then."""
    return run if run.is_visible_to(member) else None


def _may_extend(link: GuestLink, member: Member, rules: SharingRules) -> bool:
    return may_extend(member, link, rules) and sharing.is_extendable(link, rules)


def _views_words(link: GuestLink) -> str:
    if link.viewed_at is None:
        return _("Not opened yet")
    when = age_words(link.viewed_at)
    if link.views <= 1:
        return _("Opened once, %(when)s") % {"when": when}
    words = ngettext(
        "Opened %(count)s time, most recently %(when)s", "Opened %(count)s times, most recently %(when)s", link.views
    )
    return words % {"count": number_words(link.views), "when": when}


def _answered_words(link: GuestLink, count: int) -> str:
    if not count or not (link.lets_decide or link.answered):
        return ""
    if count == 1:
        return _("Answered") if link.answered else _("Not answered yet")
    values = {"done": number_words(link.answered), "count": number_words(count)}
    return _("%(done)s of %(count)s answered") % values


def copies_notes(copies: list[FileToSend]) -> list[str]:
    """Return notes for members about problems with guests' copies of files; an empty list if there are none."""
    counts = Counter(one.state for one in copies)
    reason = next((one.error for one in copies if one.error), "")
    notes = [words % {"count": counts[state], "reason": reason} for state, words in COPY_NOTES.items() if counts[state]]
    if count := sum(one.is_as_it_is for one in copies):
        notes.append(UNCHANGED_COPY % {"count": count})
    return notes


def _link_outputs(link: GuestLink) -> list[GuestLinkOutput]:
    """Return the results of `link` that were fetched: all of them or, in a list, just the first few."""
    first: list[GuestLinkOutput] | None = getattr(link, "first_chosen", None)
    return list(link.chosen.all()) if first is None else first
