"""One act for many runs: share, star, bin, bring back; what may not be changed is left as it is, and said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from runs.history import bin, stars
from runs.models import FINAL, Member, Output, Run
from runs.sharing import links

AT_MOST = 200
COMPARED = (2, 4)
SHOWN_TO_GUESTS = 200  # results in one link


@dataclass(frozen=True)
class Outcome:
    """What became of it: the sentence for the person, and the runs that were changed."""

    words: str
    changed: list[str]
    is_partial: bool = False


def share(ids: Iterable[str], member: Member) -> Outcome:
    """Show runs to the whole team."""
    asked, own = _asked(ids, member)
    with transaction.atomic():
        changed = [run.public_id for run in own if links.share_with_team(run)]
    already = len(own) - len(changed)
    words = _say(len(own), "is shared with the team.", "are shared with the team.", "Nothing was shared.")
    if own and already == len(own):
        words = "The team sees this run already." if already == 1 else "The team sees all of these already."
    return Outcome(_with_left(words, asked - len(own), "not yours to share"), changed, asked > len(own))


def star(ids: Iterable[str], member: Member, now: datetime) -> Outcome:
    """Put the team's star on runs."""
    runs = list(Run.objects.visible_to(member).filter(public_id__in=ids))
    for run in runs:
        stars.star_run(run, member, now, is_on=True)
    return Outcome(_say(len(runs), "has a star.", "have a star.", "Nothing was chosen."), [r.public_id for r in runs])


def move_to_bin(ids: Iterable[str], member: Member, now: datetime) -> Outcome:
    """Put runs into the bin, from where they can come back."""
    asked, own = _asked(ids, member)
    ended = [run for run in own if run.status in FINAL]
    bin.move_to_bin(Run.objects.filter(pk__in=[run.pk for run in ended]), member, now)
    words = _say(len(ended), "is in the bin.", "are in the bin.", "Nothing was moved to the bin.")
    words = _with_left(words, len(own) - len(ended), "still going on")
    words = _with_left(words, asked - len(own), "not yours to delete")
    return Outcome(words, [run.public_id for run in ended], asked > len(ended))


def bring_back(ids: Iterable[str], member: Member) -> Outcome:
    """Take runs out of the bin again."""
    runs = Run.objects.in_bin_of(member).filter(public_id__in=ids)
    found = list(runs.values_list("public_id", flat=True))
    bin.bring_back(runs)
    return Outcome(_say(len(found), "is back.", "are back.", "Nothing was left to bring back."), found)


def results_to_compare(ids: Iterable[str], member: Member) -> list[str]:
    """The first ready result of each run, in the order of the list; empty unless there are two to four of them."""
    done = Output.objects.visible_to(member).filter(run__public_id__in=ids, status=Output.Status.COMPLETED)
    first: dict[int, str] = {}
    for run_id, public_id in done.order_by("-run__created_at", "-run", "position").values_list("run_id", "public_id"):
        first.setdefault(run_id, public_id)
    return list(first.values()) if COMPARED[0] <= len(first) <= COMPARED[1] else []


def results_for_guests(ids: Iterable[str], member: Member) -> list[Output]:
    """Whatever is ready in those of the runs that MEMBER may share."""
    results = Output.objects.filter(run__public_id__in=list(ids)).values_list("public_id", flat=True)
    return links.outputs_for(member, results)


def why_no_link(outputs: list[Output]) -> str:
    """Why OUTPUTS are nothing to make a link to; empty when they are."""
    if not outputs:
        return "None of these has a result that is ready and yours to share."
    if len(outputs) > SHOWN_TO_GUESTS:
        return f"These have {len(outputs)} results; one link shows at most {SHOWN_TO_GUESTS}. Choose fewer runs."
    return ""


def _asked(ids: Iterable[str], member: Member) -> tuple[int, list[Run]]:
    """How many of IDS the member sees, and those among them that they may change."""
    seen = Run.objects.visible_to(member).filter(public_id__in=ids)
    own = list(Run.objects.changeable_by(member).filter(pk__in=seen.values("pk")))
    return seen.count(), own


def _say(count: int, one: str, many: str, none: str) -> str:
    return none if not count else f"One run {one}" if count == 1 else f"{count} runs {many}"


def _with_left(words: str, count: int, why: str) -> str:
    if not count:
        return words
    left = f"One was left as it is: it is {why}." if count == 1 else f"{count} were left as they are: they are {why}."
    return f"{words} {left}"
