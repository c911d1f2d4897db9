"""Reasons why runs fail. Each reason comes with an explanation and a button for the next step."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _lazy

from runs.models import Run
from runs.models.messages import Message
from runs.words.messages import say


@dataclass(frozen=True)
class Failure:
    """An explanation of a failed run: what happened, and what to do next. The cost is shown separately, above the
    explanation."""

    sentence: str
    quote: str = ""  # Lamina's own words
    action_label: str = ""
    action_url: str = ""
    support: str = ""  # a sentence that people can copy when they ask for help
    advice: str = ""  # what helps, if there weren't enough credits
    look_up_url: str = ""  # leads to this page, which then looks up the balance again
    leads_to_form: bool = False  # the button opens the app's form with these inputs filled in


NOT_ENOUGH_CREDITS = _lazy("There aren't enough credits left for this run.")
BACK_TO_FORM = _lazy("Back to the form")
CHANGE_AND_RUN = _lazy("Change and run again")
FIND_ANOTHER = _lazy("Find another app")
# For each cause: the sentence, the button's label, and where the button leads
FAILURES: dict[str, tuple[Promise, Promise, str]] = {
    "inputs": (_lazy("Lamina didn't accept these inputs."), BACK_TO_FORM, "form"),
    "files": (_lazy("One of the files couldn't be sent to Lamina."), BACK_TO_FORM, "form"),
    "credits": (NOT_ENOUGH_CREDITS, _lazy("Ask an admin"), "admin"),
    "key": (
        _lazy("Lamina rejected the workspace key; an admin needs to fix this."),
        _lazy("Tell an admin"),
        "admin",
    ),
    "gone": (_lazy("Lamina no longer offers this app."), FIND_ANOTHER, "apps"),
    "forbidden": (_lazy("This workspace can't use this app."), FIND_ANOTHER, "apps"),
    "refused": (_lazy("Lamina rejected this run."), CHANGE_AND_RUN, "form"),
    "remote": (_lazy("Lamina couldn't complete this run."), CHANGE_AND_RUN, "form"),
    "nothing": (_lazy("Lamina finished, but there were no usable results."), CHANGE_AND_RUN, "form"),
    "lost": (_lazy("Lamina no longer has this run."), CHANGE_AND_RUN, "form"),
    "silent": (_lazy("This run didn't finish within a day and was abandoned."), CHANGE_AND_RUN, "form"),
    "late": (_lazy("This run was given up here, but Lamina started it after all."), CHANGE_AND_RUN, "form"),
    "left": (_lazy("We never found out whether this run started."), CHANGE_AND_RUN, "form"),
}


def failure_sentence(cause: str) -> str:
    """Return why a run failed, given the `cause` (`Run.failure`)."""
    return str(FAILURES.get(cause, FAILURES["remote"])[0])


def field_errors_of(run: Run) -> list[dict[str, str]]:
    """Return `Run.field_errors` with each message as a sentence: Lamina's own, or ours if the error is about a file."""
    return [{**error, "message": say(Message.from_stored(error["message"]))} for error in run.field_errors]
