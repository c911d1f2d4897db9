"""Sentences on the run page: the run's state, what it is waiting for, and why it failed."""

from datetime import timedelta
from decimal import Decimal

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from runs.connection import balance, status
from runs.engine.queue_position import place_words
from runs.engine.reconcile import tries_of
from runs.models import AT_LAMINA, Member, Run
from runs.spending import charges
from runs.spending.estimates import CostLine, cost_line
from runs.team.admins import admin_names, mail_to_admins
from runs.words.credits import about_credits, credits_words, plural_number
from runs.words.markup import filled_in, moment_html
from runs.words.messages import say
from runs.words.moments import short_time_words
from runs.words.numbers import number_words
from runs.words.run_failures import (
    BACK_TO_FORM,
    FAILURES,
    FIND_ANOTHER,
    NOT_ENOUGH_CREDITS,
    Failure,
    failure_sentence,
    field_errors_of,
)
from runs.words.run_states import WAITS, state_of
from runs.words.support import about_run
from runs.words.time_spans import span_words

RUN_AGAIN = _lazy("Run the same again")
CANNOT_STOP = ("refused", "not_cancellable")


def sentence_of(run: Run) -> str:
    """Return a sentence about the run's state, with numbers such as how long it took. The clock next to it is updated
    separately."""
    state = state_of(run)
    if run.status == "starting":
        return _("Sending the run to Lamina.")
    if run.status == "checking":
        if run.due_at is None:
            return _("We couldn't find out whether this run started. Please decide what to do.")
        return _("We don't know yet whether this run started. We're checking; nothing will be sent twice.")
    if state.key == "progress":
        return state.detail or (_("Finished on Lamina.") if run.ended_at else _("Lamina is working."))
    took = span_words((run.finished_at or run.created_at) - (run.started_at or run.created_at))
    if state.key == "ready":
        saving = saving_words(run)
        if saving:
            return _("Finished in %(span)s. %(saving)s") % {"span": took, "saving": saving}
        return _("Finished in %(span)s.") % {"span": took}
    if state.key == "partly":
        values = {"ready": run.outputs_ready, "total": run.outputs_total, "failed": run.outputs_failed, "span": took}
        words = _("%(ready)s of %(total)s ready, %(failed)s failed. It took %(span)s.") % values
        return " ".join(filter(None, [words, saving_words(run)]))
    if state.key == "cancelled":
        by = run.cancelled_by
        return _("Stopped by %(name)s.") % {"name": by.display_name} if by else _("Stopped.")
    return _("There are no results.")


def saving_words(run: Run) -> str:
    """Return a sentence about how many results have been saved; "" if none are still being saved."""
    outputs = [output for output in run.outputs.all() if output.status == "completed"]
    unsaved = sum(any(f.status == "saving" for f in output.files.all()) for output in outputs)
    if not unsaved:
        return ""
    if len(outputs) == 1:
        return _("Saving the result…")
    return _("Saving the results: %(saved)s of %(total)s saved.") % {
        "saved": len(outputs) - unsaved,
        "total": len(outputs),
    }


def note_of(run: Run, *, is_live: bool) -> str:
    """Return a note for the run's owner, shown only if there is nothing more important to say."""
    if run.is_active:
        return _("You can close this page. The run will continue.")
    return _("Each result appears here as soon as it's saved.") if is_live else ""


def cancel_words(run: Run) -> str:
    """Return the status of a cancel request, which may be HTML; "" if there was none or it succeeded."""
    if run.cancel_asked_at is None or run.status == "cancelled":
        return ""
    if run.is_final:
        return _("It was too late to stop the run: it had already ended.")
    if run.cancel_sent_at is None:
        words = _("Cancellation requested at %(time)s. We'll tell Lamina as soon as we can.")
        return filled_in(words, time=moment_html(run.cancel_asked_at, short_time_words(run.cancel_asked_at)))
    if run.cancel_answer in CANNOT_STOP:
        return _("Lamina couldn't stop the run. It will continue, and its results will be saved.")
    words = _("At %(time)s, we asked Lamina to stop the run. We're checking whether it did.")
    return filled_in(words, time=moment_html(run.cancel_sent_at, short_time_words(run.cancel_sent_at)))


def cancel_money_words(run: Run) -> str:
    """Return what the run may still cost even though someone has asked to stop it; "" if nobody has asked, Lamina
    couldn't stop it, or the run has ended."""
    if not run.is_active or run.cancel_asked_at is None:
        return ""
    if run.cancel_answer in CANNOT_STOP:
        return ""
    if cost := about_credits(run.credits_estimated):
        return _("This run may still cost credits, but no more than the estimate: %(cost)s.") % {"cost": cost}
    return _("This run may still cost credits. Lamina doesn't say how many.")


def may_have_started(run: Run) -> bool:
    """Return whether Lamina may have started the run, now or in an earlier attempt, without us knowing about it."""
    return run.failure == "left" or (not run.remote_id and charges.is_kept(run))


def money_words(run: Run) -> str:
    """Return how much a run that didn't fully succeed may have cost; "" for all other runs.

    Lamina doesn't report the cost of a run. Runs that Lamina definitely never started cost nothing; for the rest, we
    have an estimate at best.
    """
    state, cost = state_of(run).key, about_credits(run.credits_estimated)
    if state not in ("partly", "failed", "cancelled"):
        return ""
    if may_have_started(run):
        return _("This run may have cost %(cost)s.") % {"cost": cost} if cost else _("This run may have cost credits.")
    if not run.remote_id:
        return _("Nothing was charged: Lamina never started this run.")
    if not cost:
        return _("This run may have cost credits. Lamina doesn't say how many.")
    if state == "partly":
        return _("Cost: up to the full estimate, %(cost)s.") % {"cost": cost}
    return _("This run may have cost credits, but no more than the estimate: %(cost)s.") % {"cost": cost}


def cost_fact(run: Run) -> tuple[str, str]:
    """Return what a run costs (empty if there's no estimate) and how certain that is, in line with `money_words`."""
    state, cost = state_of(run).key, about_credits(run.credits_estimated)
    if not cost or state not in ("failed", "cancelled"):
        return cost, _("An estimate: Lamina doesn't report the exact cost.")
    if not run.remote_id and not may_have_started(run):
        return _("Nothing"), _("Lamina never started this run.")
    how_sure = _(
        "Lamina hasn't said what it charged for this run. Spending counts the full estimate; the balance is based on "
        "what Lamina reports."
    )
    return _("At most %(cost)s") % {"cost": cost}, how_sure


def cost_words(run: Run) -> str:
    """Return what a fully successful run has cost, as far as we know; "" for all other runs."""
    if state_of(run).key != "ready":
        return ""
    if cost := about_credits(run.credits_estimated):
        return _("Cost: %(cost)s (estimate).") % {"cost": cost}
    return _("Cost: unknown, as Lamina doesn't give an estimate for this app.")


def ended_money_words(run: Run) -> str:
    """Return the cost of a run that has ended, for people who were about to cancel it; "" while it is active."""
    if not run.is_final or (words := money_words(run)):
        return words if run.is_final else ""
    if cost := about_credits(run.credits_estimated):
        return _("The run finished, so it costs the full estimate: %(cost)s.") % {"cost": cost}
    return _("The run finished, so it costs the full price. Lamina doesn't say how many credits that is.")


def decide_words(run: Run) -> str:
    """Return why we don't know whether Lamina received a start. A person then has to decide whether to resend it."""
    if len(run.candidates) == 1:
        return _("Lamina lists one run that could be this one, but it may be a different run.")
    if run.candidates:
        return _("Lamina lists several runs that could be this one.")
    if tries := tries_of(run):
        return ngettext(
            "Lamina gave no clear answer to %(count)s attempt to start this run, and the run isn't on its list.",
            "Lamina gave no clear answer to %(count)s attempts to start this run, and the run isn't on its list.",
            tries,
        ) % {"count": tries}
    return _("We couldn't tell from Lamina's list of runs whether this run started.")


SLOW_WORDS: tuple[Promise | None, ...] = (
    None,
    _lazy("Nine in ten runs of this app were faster. We'll keep checking."),
    _lazy("This is unusually slow. We'll keep checking."),
    None,  # no sentence; the page asks whether to give up (`asks_to_give_up`)
)


def slow_words(level: int) -> str:
    """Return the sentence for this level of slowness (`durations.slow_level`); "" if there is none."""
    return str(SLOW_WORDS[level] or "")


def wait_words(run: Run) -> str:
    """Return why a start is waiting and when we will try again, or why a finished run has no results yet."""
    if run.status in AT_LAMINA and run.ended_at:
        if run.wait == Run.Wait.LAMINA:
            return _("The results can't be fetched yet. We'll keep trying.")
        return _("Many runs are active, so fetching the results is taking a little longer.")
    if run.status != "starting" or not run.wait:
        return ""
    sentences = [str(WAITS[Run.Wait(run.wait)]), place_words(run)]
    left = (run.due_at - timezone.now()) if run.due_at else timedelta()
    if left > timedelta(seconds=5):
        sentences.append(_("Next attempt in %(span)s.") % {"span": span_words(left)})
    return " ".join(filter(None, sentences))


def failure_of(run: Run, viewer: Member) -> Failure | None:
    """Return why the run failed and what to do next; None if it didn't fail. Admins aren't told to ask an admin."""
    if run.status != "failed":
        return None
    _sentence, label, target = FAILURES.get(run.failure, FAILURES["remote"])
    mail = ""
    if target == "admin":
        values = {"app": run.app_name, "reference": run.public_id}
        mail = "" if viewer.is_admin else mail_to_admins(_("Lamina Portal: %(app)s (reference %(reference)s)") % values)
        label, target = (label, target) if mail else (BACK_TO_FORM, "form")
    if target == "form" and not run.app.is_open_to(viewer):
        label, target = FIND_ANOTHER, "apps"
    urls = {
        "admin": mail,
        "apps": reverse("runs:app-list"),
        "form": f"{run.app.get_absolute_url()}?from={run.public_id}",
        "again": reverse("runs:run-rerun", args=[run.public_id]),
    }
    quote = say(run.failure_text)
    if run.field_errors:
        field_errors = field_errors_of(run)
        quote = "\n".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in field_errors)
    advice, is_enough = _advice(run, viewer) if run.failure == "credits" else ("", False)
    if is_enough:
        label, target = RUN_AGAIN, "again"
    sentence = failure_words(run.failure, run.credits_estimated)
    return Failure(
        sentence=_("There weren't enough credits for this run.") if is_enough else sentence,
        quote=quote[:1000],
        action_label=str(label),
        action_url=urls[target],
        support=_support_words(run, " ".join(filter(None, [sentence, quote[:300]]))),
        advice=advice,
        look_up_url=run.get_absolute_url() if advice and not is_enough else "",
        leads_to_form=target == "form",
    )


def _advice(run: Run, viewer: Member) -> tuple[str, bool]:
    """Return what helps `viewer` with a run that failed for lack of credits, and whether it could start now. Unless we
    have asked Lamina for the balance since it failed, ask now."""
    if not viewer.can_run:
        return "", False
    current = status.lamina_status()
    if run.finished_at and (current.balance_at is None or current.balance_at < run.finished_at):
        balance.look_up()
        current = status.lamina_status()
    cost = cost_line(run.app, viewer, run.wanted_outputs, run.schema)
    if cost.is_blocked and not cost.is_short:
        return cost.reason, False
    is_current = bool(current.balance_at and run.finished_at and current.balance_at >= run.finished_at)
    if is_current and not cost.is_short and not cost.is_unknown:
        return _("There are enough now: %(balance)s.") % {"balance": cost.balance_words}, True
    return " ".join(filter(None, [_fit_words(run, cost), _who_adds_credits(viewer)])), False


def _fit_words(run: Run, cost: CostLine) -> str:
    """Return how many of the run's results the balance is enough for; "" if it isn't enough for any."""
    if not cost.fits:
        return ""
    return ngettext(
        "The balance is enough for %(count)s of its %(total)s results: choose fewer with “Change and run again”.",
        "The balance is enough for %(count)s of its %(total)s results: choose fewer with “Change and run again”.",
        cost.fits,
    ) % {"count": number_words(cost.fits), "total": number_words(len(run.schema.outputs_at(run.wanted_outputs)))}


def _who_adds_credits(viewer: Member) -> str:
    if viewer.is_admin:
        return _("Add credits on Lamina.")
    return _("To have credits added, ask an admin: %(names)s.") % {"names": admin_names() or _("nobody at the moment")}


def _support_words(run: Run, message: str) -> str:
    reference = " ".join(filter(None, [run.public_id, run.request_id]))  # our run id, and Lamina's request id
    return about_run(run.app_name, reference, run.finished_at or run.created_at, message)


def failure_words(cause: str, needs: Decimal | None) -> str:
    """Return a sentence saying why a run failed, given the `cause`. If there weren't enough credits, it says how many
    are left and how many the run `needs`, if both are known."""
    if cause != "credits":
        return failure_sentence(cause)
    balance, sentence = status.lamina_status().balance, str(NOT_ENOUGH_CREDITS)
    if balance is not None and needs is not None and balance < needs:  # otherwise, the known balance is out of date
        sentence = ngettext(
            "There is %(balance)s credit left, but this run needs %(cost)s.",
            "There are %(balance)s credits left, but this run needs %(cost)s.",
            plural_number(balance),
        ) % {"balance": credits_words(balance), "cost": about_credits(needs)}
    return sentence
