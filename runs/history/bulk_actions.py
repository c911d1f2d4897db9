"""One action on many runs: share, star, delete, restore. Runs that can't be changed are skipped and counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.history import bin, stars
from runs.models import FINAL, Member, Output, Run
from runs.sharing import links
from runs.words.numbers import number_words

AT_MOST = 200
COMPARED = (2, 4)
SHOWN_TO_GUESTS = 200  # results per link


@dataclass(frozen=True)
class Outcome:
    """The outcome of an action: messages for the person, and ids of the changed runs."""

    words: str
    changed: list[str]
    is_partial: bool = False


def share(ids: Iterable[str], member: Member) -> Outcome:
    """Share runs with the whole team."""
    asked, own = _asked(ids, member)
    with transaction.atomic():
        changed = [run.public_id for run in own if links.share_with_team(run)]
    others = asked - len(own)
    if not own:
        words = _("Nothing was shared.")
    elif changed:
        words = _counted(
            ngettext("%(count)s run is shared with the team.", "%(count)s runs are shared with the team.", len(own)),
            len(own),
        )
    else:
        words = _("The team already sees this run.") if len(own) == 1 else _("The team already sees all of these.")
    left = ngettext(
        "%(count)s run isn't yours, so it wasn't shared.",
        "%(count)s runs aren't yours, so they weren't shared.",
        others,
    )
    return Outcome(f"{words} {_counted(left, others)}".strip(), changed, bool(others))


def star(ids: Iterable[str], member: Member, now: datetime) -> Outcome:
    """Star runs for the team."""
    runs = list(Run.objects.visible_to(member).filter(public_id__in=ids))
    for run in runs:
        stars.star_run(run, member, now, is_on=True)
    words = ngettext("%(count)s run was starred.", "%(count)s runs were starred.", len(runs))
    return Outcome(_counted(words, len(runs)) or _("Nothing was selected."), [run.public_id for run in runs])


def move_to_bin(ids: Iterable[str], member: Member, now: datetime) -> Outcome:
    """Move finished runs to the bin."""
    asked, own = _asked(ids, member)
    ended = [run for run in own if run.status in FINAL]
    bin.move_to_bin(Run.objects.filter(pk__in=[run.pk for run in ended]), member, now)
    moved, active, others = len(ended), len(own) - len(ended), asked - len(own)
    words = [
        _counted(ngettext("%(count)s run was moved to the bin.", "%(count)s runs were moved to the bin.", moved), moved)
        or _("Nothing was moved to the bin."),
        _counted(
            ngettext(
                "%(count)s run hasn't finished, so it wasn't moved.",
                "%(count)s runs haven't finished, so they weren't moved.",
                active,
            ),
            active,
        ),
        _counted(
            ngettext(
                "%(count)s run isn't yours, so it wasn't moved.",
                "%(count)s runs aren't yours, so they weren't moved.",
                others,
            ),
            others,
        ),
    ]
    return Outcome(" ".join(filter(None, words)), [run.public_id for run in ended], asked > moved)


def bring_back(ids: Iterable[str], member: Member) -> Outcome:
    """Restore runs from the bin."""
    runs = Run.objects.in_bin_of(member).filter(public_id__in=ids)
    found = list(runs.values_list("public_id", flat=True))
    bin.bring_back(runs)
    words = ngettext("%(count)s run was restored.", "%(count)s runs were restored.", len(found))
    return Outcome(_counted(words, len(found)) or _("There was nothing left to restore."), found)


def results_to_compare(ids: Iterable[str], member: Member) -> list[str]:
    """Return the first ready result of each run, in list order; an empty list unless there are two to four."""
    done = Output.objects.visible_to(member).filter(run__public_id__in=ids, status=Output.Status.COMPLETED)
    first: dict[int, str] = {}
    for run_id, public_id in done.order_by("-run__created_at", "-run", "position").values_list("run_id", "public_id"):
        first.setdefault(run_id, public_id)
    return list(first.values()) if COMPARED[0] <= len(first) <= COMPARED[1] else []


def results_for_guests(ids: Iterable[str], member: Member) -> list[Output]:
    """Return the ready results of these runs, if `member` may share them."""
    results = Output.objects.filter(run__public_id__in=list(ids)).values_list("public_id", flat=True)
    return links.outputs_for(member, results)


def why_no_link(outputs: list[Output]) -> str:
    """Return why no link can be made to `outputs`; "" if one can."""
    if not outputs:
        return _("None of these runs has a ready result that you can share.")
    if (count := len(outputs)) > SHOWN_TO_GUESTS:
        return ngettext(
            "These runs have %(count)s result; one link shows at most %(most)s. Select fewer runs.",
            "These runs have %(count)s results; one link shows at most %(most)s. Select fewer runs.",
            count,
        ) % {"count": number_words(count), "most": number_words(SHOWN_TO_GUESTS)}
    return ""


def _asked(ids: Iterable[str], member: Member) -> tuple[int, list[Run]]:
    """Return how many of the runs `ids` the member can see, and which of those they may change."""
    seen = Run.objects.visible_to(member).filter(public_id__in=ids)
    own = list(Run.objects.changeable_by(member).filter(pk__in=seen.values("pk")))
    return seen.count(), own


def _counted(words: str, count: int) -> str:
    """Return `words` with `count` filled in; "" if `count` is 0."""
    return words % {"count": number_words(count)} if count else ""
