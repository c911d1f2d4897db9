"""Bulk actions on selected runs: share, star, delete, restore. Runs that can't be changed are skipped, and the message
says how many."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.history import bin, holds, stars
from runs.history.selection import FILES_AT_MOST, SelectionSummary, outputs_in
from runs.models import FINAL, Decision, Member, Output, Run
from runs.models.addresses import url_with
from runs.models.output import OutputQuerySet
from runs.models.run import RunQuerySet
from runs.sharing import links, visibility
from runs.words.numbers import number_words

COMPARED = (2, 4)  # how many results can be compared at once
DOWNLOADS = ("download", "download-approved")  # the buttons in the bar


@dataclass(frozen=True)
class BulkOutcome:
    """The outcome of an action: a message to show, and how many runs were changed."""

    words: str
    changed: int
    is_partial: bool = False


def share(runs: RunQuerySet, member: Member, now: datetime) -> BulkOutcome:
    """Share `runs` with the whole team, except for those that `member` may not change."""
    total, own = runs.count(), _changeable(runs, member)
    count = own.count()
    changed = visibility.share_all_with_team(own, now)
    if not count:
        words = _("Nothing was shared.")
    elif changed:
        words = _with_count(
            ngettext("%(count)s run is shared with the team.", "%(count)s runs are shared with the team.", count), count
        )
    else:
        words = (
            _("The team can already see this run.") if count == 1 else _("The team can already see all of these runs.")
        )
    others = total - count
    left = ngettext(
        "%(count)s run isn't yours, so it wasn't shared.",
        "%(count)s runs aren't yours, so they weren't shared.",
        others,
    )
    return BulkOutcome(f"{words} {_with_count(left, others)}".strip(), changed, bool(others))


def unshare(member: Member, at: datetime | None) -> BulkOutcome:
    """Make those runs private again that were shared at the time `at` and that `member` may change, for Undo."""
    shared = Run.objects.changeable_by(member).filter(shared_at=at) if at else Run.objects.none()
    count = visibility.stop_sharing_all_with_team(shared)
    words = ngettext(
        "%(count)s run is no longer shared with the team.",
        "%(count)s runs are no longer shared with the team.",
        count,
    )
    return BulkOutcome(_with_count(words, count) or _("There was nothing left to undo."), count)


def star(runs: RunQuerySet, member: Member, now: datetime) -> BulkOutcome:
    """Star all of `runs`; the whole team sees the stars."""
    count = runs.count()
    stars.star_runs(runs, member, now)
    words = ngettext("%(count)s run was starred.", "%(count)s runs were starred.", count)
    return BulkOutcome(_with_count(words, count) or _("Nothing was selected."), count)


def can_go_to_bin(runs: RunQuerySet, member: Member) -> RunQuerySet:
    """Return those of `runs` that `move_to_bin` would move."""
    return Run.objects.changeable_by(member).filter(pk__in=runs.values("pk")).binnable()


@transaction.atomic
def move_to_bin(runs: RunQuerySet, member: Member, now: datetime) -> BulkOutcome:
    """Move `runs` to the bin, except for those that are active or protected, or that `member` may not change."""
    total, own = runs.count(), _changeable(runs, member)
    mine = own.count()
    active = own.active().count()
    on_hold = own.filter(status__in=FINAL, held_at__isnull=False).count()
    moved = bin.move_to_bin(own, member, now)
    others = total - mine
    words = [
        bin.moved_words(moved) or _("Nothing was moved to the bin."),
        _with_count(
            ngettext(
                "%(count)s run hasn't finished, so it wasn't moved.",
                "%(count)s runs haven't finished, so they weren't moved.",
                active,
            ),
            active,
        ),
        _with_count(
            ngettext(
                "%(count)s run is protected, so it wasn't moved.",
                "%(count)s runs are protected, so they weren't moved.",
                on_hold,
            ),
            on_hold,
        ),
        _with_count(
            ngettext(
                "%(count)s run isn't yours, so it wasn't moved.",
                "%(count)s runs aren't yours, so they weren't moved.",
                others,
            ),
            others,
        ),
    ]
    return BulkOutcome(" ".join(filter(None, words)), moved, total > moved)


@transaction.atomic
def hold(runs: RunQuerySet, member: Member, now: datetime) -> BulkOutcome:
    """Protect `runs` from deletion, except for those that `member` may not change."""
    total, own = runs.count(), _changeable(runs, member)
    mine = own.count()
    changed = holds.hold(own, member, now)
    words = ngettext(
        "%(count)s run is now protected from deletion.", "%(count)s runs are now protected from deletion.", changed
    )
    others = total - mine
    left = ngettext(
        "%(count)s run isn't yours, so it wasn't changed.",
        "%(count)s runs aren't yours, so they weren't changed.",
        others,
    )
    sentence = _with_count(words, changed) or (_("Already protected.") if mine else _("Nothing was protected."))
    return BulkOutcome(f"{sentence} {_with_count(left, others)}".strip(), changed, bool(others))


@transaction.atomic
def release(runs: RunQuerySet, member: Member) -> BulkOutcome:
    """Stop protecting `runs`, except for those that `member` may not release."""
    on_hold = runs.filter(held_at__isnull=False).count()
    changed = holds.release(Run.objects.releasable_by(member).filter(pk__in=runs.values("pk")))
    words = ngettext("%(count)s run is no longer protected.", "%(count)s runs are no longer protected.", changed)
    others = on_hold - changed
    left = ngettext(
        "%(count)s run stays protected: only the person who protected it or an admin can change that.",
        "%(count)s runs stay protected: only the people who protected them or an admin can change that.",
        others,
    )
    sentences = [_with_count(words, changed), _with_count(left, others)]
    return BulkOutcome(
        " ".join(filter(None, sentences)) or _("None of the selected runs are protected."), changed, bool(others)
    )


def bring_back(runs: RunQuerySet, member: Member) -> BulkOutcome:
    """Restore those of `runs` that are in the member's bin."""
    count = bin.bring_back(Run.objects.in_bin_of(member).filter(pk__in=runs.values("pk")))
    words = ngettext("%(count)s run was restored.", "%(count)s runs were restored.", count)
    return BulkOutcome(_with_count(words, count) or _("There was nothing left to restore."), count)


@dataclass(frozen=True)
class Comparable:
    """Public ids of two to four results to compare. `is_clear` is False if their runs have other results that people
    might have meant."""

    results: list[str]
    is_clear: bool


def results_to_compare(outputs: QuerySet[Output], *, is_each: bool) -> Comparable | None:
    """Return the results to compare, in list order: all `outputs` if `is_each`, otherwise the first result of each run.

    Return None if there are fewer than two or more than four.
    """
    first: dict[int | str, str] = {}
    pairs = outputs.order_by("-run__created_at", "-run", "position").values_list("run_id", "public_id")
    rows = list(pairs[: COMPARED[1] + 1] if is_each else pairs)
    for run_id, public_id in rows:
        first.setdefault(public_id if is_each else run_id, public_id)
    if not COMPARED[0] <= len(first) <= COMPARED[1]:
        return None
    return Comparable(list(first.values()), len(first) == len(rows))


def why_no_download(member: Member, summary: SelectionSummary, act: str) -> str:
    """Return why the selection (`summary`) can't be downloaded by the button `act`; "" if it can. Its approved results
    may fit into a zip even if all of its results don't."""
    is_approved_only = act == DOWNLOADS[1]
    if not summary.count:
        return _("Select at least one run first.")
    if refusal := summary.too_many_words if is_approved_only else summary.refusal_words:
        return refusal
    if not summary.files:
        return _("None of these results has been saved yet.")
    if is_approved_only and not approved_of(member, outputs_in(member, summary.place)).exists():
        return _("None of these results has been approved.")
    return ""


def approved_of(member: Member, outputs: QuerySet[Output]) -> QuerySet[Output]:
    """For each result in `outputs`, return the newest approved version that `member` may see.

    This version may belong to another run. If there are too many for one download, only some are returned, but enough
    to notice.
    """
    lines = outputs.order_by().annotate(first=Coalesce("line_id", "pk")).values("first")
    versions = Output.objects.visible_to(member).filter(
        Q(pk__in=lines) | Q(line__in=lines), status=Output.Status.COMPLETED, verdict=Decision.Verdict.APPROVED
    )
    newest = {line or pk: pk for pk, line in versions.order_by("number").values_list("pk", "line")}
    return Output.objects.filter(pk__in=list(newest.values())[: FILES_AT_MOST + 1])


def download_url(place: str, act: str) -> str:
    """Return the URL of the zip with the selection that has just ended in `place`."""
    only = {"only": "approved"} if act == DOWNLOADS[1] else {}
    return url_with("results-download", ended=place, **only)


def download_words() -> str:
    return _("The download has started.")


def why_no_link(outputs: list[Output]) -> str:
    """Return why no guest link can be created for `outputs`; "" if one can."""
    if not outputs:
        return _("None of the items you selected can be shared: they aren't ready, or they aren't yours to share.")
    if (count := len(outputs)) > FILES_AT_MOST:
        return ngettext(
            "You selected %(count)s result, but a link can show at most %(most)s. Select fewer.",
            "You selected %(count)s results, but a link can show at most %(most)s. Select fewer.",
            count,
        ) % {"count": number_words(count), "most": number_words(FILES_AT_MOST)}
    return ""


def results_for_guests(outputs: OutputQuerySet, member: Member) -> list[Output]:
    """Return the ready results among `outputs` that `member` may share: up to one more than a link can show, so that
    the caller notices if there are too many."""
    return list(links.shareable(member, outputs)[: FILES_AT_MOST + 1])


def _changeable(runs: RunQuerySet, member: Member) -> RunQuerySet:
    """Return those of `runs` that `member` may change. The query returned goes by primary key, because the action may
    change which runs the original query finds."""
    own = Run.objects.changeable_by(member).filter(pk__in=runs.values("pk"))
    return Run.objects.filter(pk__in=list(own.values_list("pk", flat=True)))


def _with_count(words: str, count: int) -> str:
    """Return `words` with `count` filled in; "" if `count` is 0."""
    return words % {"count": number_words(count)} if count else ""
