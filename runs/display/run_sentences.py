"""Sentences on the run page: the run's state, what it is waiting for, and why it failed."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from runs.connection import status
from runs.engine.queue_position import place_words
from runs.engine.reconcile import tries_of
from runs.models import AT_LAMINA, Run
from runs.team.admins import mail_to_admins
from runs.words.messages import say
from runs.words.run_failures import BACK_TO_FORM, FAILURES, NOT_ENOUGH_CREDITS, Failure, field_errors_of
from runs.words.sentences import WAITS, about_credits, credits_words, plural_number, span_words, state_of

CANNOT_STOP = ("refused", "not_cancellable")


def sentence_of(run: Run) -> str:
    """Return the state as one sentence with its numbers. The clock beside it ticks separately."""
    state = state_of(run)
    if run.status == "starting":
        return _("Sending it to Lamina.")
    if run.status == "checking":
        if run.due_at is None:
            return _("We couldn't find out whether it started. Please decide.")
        return _("We don't know yet whether it started. We're checking; nothing is sent twice.")
    if state.key == "progress":
        return state.detail or (_("Finished on Lamina.") if run.ended_at else _("Lamina is working."))
    took = span_words((run.finished_at or run.created_at) - (run.started_at or run.created_at))
    if state.key == "ready":
        unsaved = any(f.status == "saving" for o in run.outputs.all() for f in o.files.all())
        words = _("Made in %(span)s. Saving the results.") if unsaved else _("All results were ready after %(span)s.")
        return words % {"span": took}
    if state.key == "partly":
        values = {"ready": run.outputs_ready, "total": run.outputs_total, "failed": run.outputs_failed, "span": took}
        return _("%(ready)s of %(total)s ready, %(failed)s failed. It took %(span)s.") % values
    if state.key == "cancelled":
        by = run.cancelled_by
        return _("Stopped by %(name)s.") % {"name": by.display_name} if by else _("Stopped.")
    return _("There are no results.")


def note_of(run: Run, *, is_live: bool) -> str:
    """Return what else the run's maker may want to know, if there is nothing more important to say."""
    if run.is_active:
        return _("You can close this page. The run will continue.")
    if is_live:
        return _("Saving the results in your history.")
    return _("Saved in your history.") if run.status == "completed" else ""


def cancel_words(run: Run) -> str:
    """Return what happened to a cancel request; "" if there was none or it worked."""
    if run.cancel_asked_at is None or run.status == "cancelled":
        return ""
    if run.is_final:
        return _("It was too late to stop the run: it had already ended.")
    if run.cancel_sent_at is None:
        return _("Cancel requested. We'll tell Lamina as soon as we can.")
    if run.cancel_answer in CANNOT_STOP:
        return _("Lamina couldn't stop the run. It will continue, and its results will be saved.")
    return _("We asked Lamina to stop it. Checking whether it did.")


def decide_words(run: Run) -> str:
    """Return why a person has to decide whether to send an uncertain start again."""
    if len(run.candidates) == 1:
        return _("Lamina lists one run that could be this one, but it may be a different run.")
    if run.candidates:
        return _("Lamina lists several runs that could be this one.")
    if tries := tries_of(run):
        return ngettext(
            "Lamina gave no clear answer to %(count)s try, and its list of runs doesn't show it.",
            "Lamina gave no clear answer to %(count)s tries, and its list of runs shows none of them.",
            tries,
        ) % {"count": tries}
    return _("We couldn't tell from Lamina's list of runs.")


SLOW_WORDS: tuple[Promise | None, ...] = (
    None,
    _lazy("Nine in ten runs of this app were faster. We keep checking."),
    _lazy("This is unusually slow. We keep checking."),
    None,  # the page asks instead: `asks_to_give_up`
)


def slow_words(level: int) -> str:
    """Return what to say about a run at this `level` of slowness (`durations.slow_level`)."""
    return str(SLOW_WORDS[level] or "")


def wait_words(run: Run) -> str:
    """Return why a start is waiting and for how long, or why a finished run's results aren't here yet."""
    if run.status in AT_LAMINA and run.ended_at:
        return _("Many runs are active, so fetching the results is taking a little longer.")
    if run.status != "starting" or not run.wait:
        return ""
    sentences = [str(WAITS[Run.Wait(run.wait)]), place_words(run)]
    left = (run.due_at - timezone.now()) if run.due_at else timedelta()
    if left > timedelta(seconds=5):
        sentences.append(_("Next try in %(span)s.") % {"span": span_words(left)})
    return " ".join(filter(None, sentences))


def failure_of(run: Run) -> Failure | None:
    """Return what happened and what to do next, if the run failed."""
    if run.status != "failed":
        return None
    sentence, label, target = FAILURES.get(run.failure, FAILURES["remote"])
    mail = ""
    if target == "admin":
        values = {"app": run.app_name, "reference": run.public_id}
        mail = mail_to_admins(_("Lamina Portal: %(app)s (reference %(reference)s)") % values)
        label, target = (label, target) if mail else (BACK_TO_FORM, "form")
    urls = {
        "admin": mail,
        "apps": reverse("runs:app-list"),
        "form": f"{run.app.get_absolute_url()}?from={run.public_id}",
    }
    quote = say(run.failure_text)
    if run.field_errors:
        told = field_errors_of(run)
        quote = "\n".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in told)
    return Failure(
        sentence=_credits_words(run) if run.failure == "credits" else str(sentence),
        quote=quote[:1000],
        action_label=str(label),
        action_url=urls[target],
        reference=run.request_id or run.public_id,
        leads_to_form=target == "form",
    )


def _credits_words(run: Run) -> str:
    """Return how many credits are left and how many the run needs, as far as we know."""
    balance, needs = status.lamina_status().balance, run.credits_estimated
    sentence = str(NOT_ENOUGH_CREDITS)
    if balance is not None and needs is not None and balance < needs:  # otherwise our balance is out of date
        sentence = ngettext(
            "There is %(balance)s credit left, but this run needs %(cost)s.",
            "There are %(balance)s credits left, but this run needs %(cost)s.",
            plural_number(balance),
        ) % {"balance": credits_words(balance), "cost": about_credits(needs)}
    return sentence if run.remote_id else f"{sentence} {_('Nothing was started.')}"
