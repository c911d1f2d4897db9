"""Retrying failed results: a new run with the same inputs, but only for the results that failed.

Lamina identifies results by label, so results with the same label can only be made together (as on the form). If one
result fails, all results with the same label are made again, and the page says how many.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from runs.engine import create_run
from runs.engine.changed_by_rules import RulesRefuseError, names_changed, quoted_names
from runs.engine.create_run import LaunchRequest, TokenSpentError, launch_run
from runs.engine.synced_commit import synced
from runs.launching.next_version import places_of
from runs.models import Member, Output, Run, Upload
from runs.spending.estimates import CostLine, cost_line
from runs.uploads.ownership import own_files
from runs.words.numbers import number_words

FILES = gettext_noop("A file from that run is no longer available. Use “Change and run again” and add it again.")
CHANGED = gettext_noop("This app's form has changed since this run. Use “Change and run again” instead.")


@dataclass(frozen=True)
class RetryPlan:
    """What the run page says about retrying, below the results."""

    failed: int  # how many results failed; 0 if there is nothing to retry
    made: int  # how many results a retry would produce
    words: str
    cost: CostLine | None
    reason: str  # why a retry isn't possible right now
    can_open_form: bool  # whether people can open the app's form instead
    token: str
    tried: list[Run]  # retries of this run
    first: Run | None  # the run that this one retries

    @property
    def is_offered(self) -> bool:
        return self.failed > 0

    @property
    def can_ask(self) -> bool:
        """Whether the member can ask an admin to raise the limit that prevents the retry."""
        return self.cost is not None and self.cost.can_ask


def failed_indexes(run: Run) -> list[int]:
    """Return the schema indexes of the results that failed in `run`, and of all results that share a label with
    them."""
    offered = run.schema.outputs_at(run.wanted_outputs)
    outputs = list(run.outputs.all())
    places = places_of(run, outputs)
    failed = {places.get(output.pk) for output in outputs if output.status == Output.Status.ERROR}
    labels = {output["label"] for output in offered if output["index"] in failed}
    return sorted(output["index"] for output in offered if output["label"] in labels)


def retry_of(run: Run, member: Member) -> RetryPlan:
    """Return the retry plan for `run` (fetched with `for_page()`), as `member` sees it."""
    is_partly = run.status == Run.Status.COMPLETED and run.outputs_failed > 0
    indexes = failed_indexes(run) if is_partly and member.can_run else []
    family = Run.objects.visible_to(member).select_related("app")
    tried = _tried(family, run, indexes)
    failed = 0 if not indexes or _is_done(run, indexes) else run.outputs_failed
    cost = _cost(run, member, indexes) if failed else None
    return RetryPlan(
        failed=failed,
        made=len(indexes),
        words=ngettext("Retry the failed result", "Retry %(count)s failed results", failed)
        % {"count": number_words(failed)},
        cost=cost,
        reason=_reason(run, cost),
        can_open_form=bool(failed) and run.app.is_runnable_by(member),
        token=create_run.new_form_token(member) if failed else "",
        tried=tried,
        first=_first(run, family.filter(pk=run.parent_id).first() if run.parent_id else None),
    )


def _tried(family: QuerySet[Run], run: Run, indexes: list[int]) -> list[Run]:
    """Return the runs in `family` that retry the results of `run` with these `indexes`, oldest first."""
    led_to = family.filter(parent=run).order_by("pk") if indexes else ()
    return [child for child in led_to if child.wanted_outputs == indexes]


def _is_done(run: Run, indexes: list[int]) -> bool:
    """Return whether a retry of these results is active or completed. Other people's private retries count too, so that
    nobody pays twice."""
    tried = _tried(Run.objects.filter(deleted_at=None), run, indexes)
    return any(child.is_active or child.status == Run.Status.COMPLETED for child in tried)


def retry_failed(run: Run, member: Member, token: str) -> Run | None:
    """Retry the failed results of `run`, once per `token`; return None if that isn't possible now."""
    _cost(run, member, failed_indexes(run))  # a balance that would block it is looked up before the transaction
    return _retry_failed(run, member, token)


@synced()
@transaction.atomic
def _retry_failed(run: Run, member: Member, token: str) -> Run | None:
    # Lock the run, so that the second of two simultaneous requests sees the retry that the first one started
    Run.objects.select_for_update().get(pk=run.pk)
    if started := _started(run, member, token):
        return started
    indexes = failed_indexes(run)
    is_known = create_run.read_form_token(token) == member.pk
    # The page is out of date, or an earlier press (someone else's, or the first of two) used up what was left to spend.
    cost = cost_line(run.app, member, indexes, run.schema, can_look_up=False)
    if _is_done(run, indexes) or not indexes or not is_known or _reason(run, cost):
        return _started(run, member, token)
    answers = own_files(member, run.answers)
    replaces: dict[int, list[Output]] = {}
    for box in run.outputs.all():
        if box.line_id and (place := box.schema_index) in indexes and place is not None:
            replaces.setdefault(place, []).append(box)
    press = LaunchRequest(run.app, run.schema, answers, indexes, token, parent=run, keeps_draft=True, replaces=replaces)
    try:
        return launch_run(member, press)
    except TokenSpentError as spent:
        return spent.run
    except RulesRefuseError:  # the page will say why
        return None


def _started(run: Run, member: Member, token: str) -> Run | None:
    """Return the retry of `run` that was started with `token`, if any."""
    started = create_run.run_of_form(member, token)
    return started if started is not None and started.parent_id == run.pk else None


def _cost(run: Run, member: Member, indexes: list[int]) -> CostLine:
    return cost_line(run.app, member, indexes, run.schema)


def _reason(run: Run, cost: CostLine | None) -> str:
    """Return the reason the failed results can't be retried, if any: a retry must send exactly what was sent before."""
    if cost is None or cost.is_blocked:
        return cost.reason if cost else ""
    if _has_removed_files(run):
        return _(FILES)
    if run.schema_id != run.app.schema_id:
        return _(CHANGED)
    names = names_changed(run)
    if not names:
        return ""
    words = _("An admin has changed the rules for %(names)s since this run. Use “Change and run again” instead.")
    return words % {"names": quoted_names(names)}


def _has_removed_files(run: Run) -> bool:
    """Return whether the retention rules removed a file that the run was started with."""
    links = (link for run_input in run.inputs.all() for link in run_input.links.all())
    return any(link.upload.status == Upload.Status.REMOVED for link in links)


def _first(run: Run, parent: Run | None) -> Run | None:
    """Return `parent` if `run` is a retry of its failed results; otherwise None."""
    if parent is None or parent.status != Run.Status.COMPLETED or run.schema_id != parent.schema_id:
        return None
    return parent if run.wanted_outputs and run.wanted_outputs == failed_indexes(parent) else None
