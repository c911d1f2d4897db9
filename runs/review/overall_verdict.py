"""The overall verdict on a result, and the counts on its run.

The strictest verdict wins: rejected, then needs changes, then approved. Verdicts count if they come from members, or
from guests whose link lets them decide, unless the rules made the answer the client's word only
(`Decision.is_counted`). Other answers are only shown. Callers must have locked the runs.
"""

from collections.abc import Collection, Iterable

from django.db.models import Count, F, Q, Sum
from django.utils.translation import gettext as _

from runs.models import Decision, Output, Run
from runs.spending import approved

STRICTEST = (Decision.Verdict.REJECTED, Decision.Verdict.CHANGES, Decision.Verdict.APPROVED)
COUNTS = Q(link=None) | Q(link__lets_decide=True, is_counted=True)
NUMBERS = {"approved": "outputs_approved", "changes": "outputs_changes", "rejected": "outputs_rejected"}


def counts(decision: Decision) -> bool:
    """Return whether the decision counts, according to the same rule as `COUNTS`."""
    return decision.link is None or (decision.link.lets_decide and decision.is_counted)


def words_of(decision: Decision) -> str:
    """Return a verdict in words, such as "Approved" or, if it doesn't count, "Client says approved"."""
    if counts(decision):
        return str(decision.get_verdict_display())
    is_approved = decision.verdict == Decision.Verdict.APPROVED
    return _("Client says approved") if is_approved else _("Client says it needs changes")


def strictest(verdicts: Collection[str]) -> str:
    """Return the strictest of `verdicts`; "" if there are none."""
    return next((verdict for verdict in STRICTEST if verdict in verdicts), "")


def lock_runs(outputs: Iterable[Output]) -> None:
    """Lock the runs of `outputs`, always in the same order, to avoid deadlocks. Needs a transaction."""
    ids = {output.run_id for output in outputs}
    list(Run.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))


def settle(outputs: Collection[Output]) -> None:
    """Set each result's overall verdict from the verdicts in force, and update the counts on the runs."""
    verdicts: dict[int, list[str]] = {output.pk: [] for output in outputs}
    standing = Decision.objects.standing().on_current_content().filter(COUNTS, output__in=verdicts)
    for output_id, verdict in standing.order_by().values_list("output_id", "verdict"):
        verdicts[output_id].append(verdict)
    for output in outputs:
        output.verdict = strictest(verdicts[output.pk])
        Output.objects.filter(pk=output.pk).update(verdict=output.verdict, decided_in=F("decided_in") + 1)
        output.decided_in += 1
    count({output.run_id for output in outputs})


def count(run_ids: Collection[int]) -> None:
    """Recount the verdicts on the runs' completed results, for cards, filters and spending."""
    results = Output.objects.filter(run__in=run_ids, status=Output.Status.COMPLETED).order_by()
    counts: dict[int, dict[str, int]] = {run_id: {} for run_id in run_ids}
    rounds = dict.fromkeys(counts, 0)
    rows = results.values_list("run_id", "verdict").annotate(count=Count("pk"), rounds=Sum("number"))
    for run_id, verdict, number, versions in rows:
        counts[run_id][verdict] = number
        if verdict == Decision.Verdict.APPROVED:
            rounds[run_id] = versions
    for run_id, numbers in counts.items():
        columns = {column: numbers.get(verdict, 0) for verdict, column in NUMBERS.items()}
        Run.objects.filter(pk=run_id).update(verdicts=verdicts_text(numbers), **columns)
    approved.count({pk: (numbers.get(Decision.Verdict.APPROVED, 0), rounds[pk]) for pk, numbers in counts.items()})


def verdicts_text(verdicts: Collection[str]) -> str:
    """Return `verdicts` in the format of `Run.verdicts`, which filters use; "none" stands for results that aren't
    reviewed."""
    names = [*(verdict for verdict in NUMBERS if verdict in verdicts), *(["none"] if "" in verdicts else [])]
    return f" {' '.join(names)} " if names else " "
