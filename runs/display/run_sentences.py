"""What the run page says about how its run stands: its state, what it waits for, and why it failed, a sentence each."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from runs.connection import status
from runs.engine.queue_position import place_words
from runs.engine.reconcile import tries_of
from runs.models import AT_LAMINA, Run
from runs.team.admins import mail_to_admins
from runs.words.run_failures import FAILURES, Failure
from runs.words.sentences import WAITS, about_credits, credits_words, span_words, state_of

CANNOT_STOP = ("refused", "not_cancellable")


def sentence_of(run: Run) -> str:
    """The state line: one sentence with its numbers (the clock ticks beside it)."""
    state = state_of(run)
    if run.status == "starting":
        return "Handing it over."
    if run.status == "checking":
        if run.due_at is None:
            return "We could not find out whether it started. Please decide."
        return "We do not know yet whether it started. We are looking; nothing is repeated."
    if state.key == "progress":
        return state.detail or ("Finished at Lamina." if run.ended_at else "Lamina is working.")
    took = span_words((run.finished_at or run.created_at) - (run.started_at or run.created_at))
    if state.key == "ready":
        unsaved = any(f.status == "saving" for o in run.outputs.all() for f in o.files.all())
        return f"All results are here, after {took}." if not unsaved else f"Made in {took}. Saving the results."
    if state.key == "partly":
        return f"{state.detail}, {run.outputs_failed} failed, after {took}."
    if state.key == "cancelled":
        by = f" by {run.cancelled_by.display_name}" if run.cancelled_by else ""
        return f"Stopped{by}."
    return "Nothing came out."


def cancel_words(run: Run) -> str:
    """How it stands with a cancel somebody asked for: asked, confirmed by a later read, or "could not be stopped"."""
    if run.cancel_asked_at is None or run.status == "cancelled":
        return ""
    if run.is_final:
        return "It could not be stopped any more: it had come to its end."
    if run.cancel_sent_at is None:
        return "Cancel is asked for. It goes to Lamina as soon as that is possible."
    if run.cancel_answer in CANNOT_STOP:
        return "Lamina could not stop it. It goes on, and what comes out is kept."
    return "Lamina was asked to stop it. We look whether it did."


def decide_words(run: Run) -> str:
    """Why a person is asked whether a doubtful start shall be sent again."""
    if len(run.candidates) == 1:
        return "Lamina lists one run that could be this one, but it may well be another."
    if run.candidates:
        return "Lamina lists several runs that could be this one."
    if tries := tries_of(run):
        return f"Lamina gave no clear answer to {tries} tries, and its list of runs shows none of them."
    return "Lamina's list of runs could not tell."


ENDED_WORDS = "So many runs go on that fetching its results has to wait a moment."
SLOW_WORDS = (
    "",
    "This takes longer than nine in ten runs of this app did. We keep looking.",
    "Longer than ever seen. We keep looking.",
    "",  # asked instead: `asks_to_give_up`
)


def wait_words(run: Run) -> str:
    """Why a start is waiting, and how long it will; or why the results of a run that has ended are not here yet."""
    if run.status in AT_LAMINA and run.ended_at:
        return ENDED_WORDS
    if run.status != "starting" or not run.wait:
        return ""
    words = " ".join(filter(None, [WAITS[Run.Wait(run.wait)], place_words(run)]))
    left = (run.due_at - timezone.now()) if run.due_at else timedelta()
    if left > timedelta(seconds=5):
        words += f" Next try in {span_words(left)}."
    return words


def failure_of(run: Run) -> Failure | None:
    """What happened and what to do, for a run that failed."""
    if run.status != "failed":
        return None
    sentence, label, target = FAILURES.get(run.failure, FAILURES["remote"])
    if run.failure == "credits":
        sentence = _credits_words(run)
    url = reverse("runs:app-list") if target == "apps" else f"{run.app.get_absolute_url()}?from={run.public_id}"
    if target == "admin" and (mail := mail_to_admins(f"Lamina Portal: {run.app_name} (reference {run.public_id})")):
        url = mail
    elif target == "admin":
        label = "Back to the form"
    quote = run.failure_text
    if run.field_errors:
        quote = "\n".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in run.field_errors)
    return Failure(sentence, quote[:1000], label, url, run.request_id or run.public_id)


def _credits_words(run: Run) -> str:
    """How much is left and how much it needs, as far as anybody knows."""
    balance, needs = status.lamina_status().balance, run.credits_estimated
    sentence = "There are not enough credits left for this run."
    if balance is not None and needs is not None and balance < needs:  # else the balance we know is an old one
        sentence = f"There are {credits_words(balance)} credits left, this needs {about_credits(needs)}."
    return sentence if run.remote_id else f"{sentence} Nothing was started."
