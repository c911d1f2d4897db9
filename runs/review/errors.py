"""Reasons why someone can't decide. Each has a sentence to show, and a `code` for scripts and tests."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from runs.models import Output
from runs.models.decisions import NOTE_LENGTH
from runs.words.errors import UserFacingError
from runs.words.numbers import number_words


class DecisionError(UserFacingError):
    """Base class for errors that prevent a decision: nothing was recorded."""

    code = ""


class StaleDecisionError(DecisionError):
    """The result has changed since the page was shown. `output` is the result in its current state."""

    code = "stale"

    def __init__(self, output: Output) -> None:
        super().__init__(_("This result has changed since you opened the page. Look at it again, then decide."))
        self.output = output


class NotAllowedError(DecisionError):
    """The person isn't allowed to do this."""

    code = "not-allowed"


class ReasonNeededError(DecisionError):
    """The rules require a note for a verdict other than "approved"."""

    code = "reason"

    def __init__(self) -> None:
        super().__init__(_("Give a reason, so the maker knows what to do."))


class NoteTooLongError(DecisionError):
    """The note is too long."""

    code = "too-long"

    def __init__(self, length: int) -> None:
        words = ngettext(
            "The note has %(count)s character; the limit is %(limit)s.",
            "The note has %(count)s characters; the limit is %(limit)s.",
            length,
        )
        super().__init__(words % {"count": number_words(length), "limit": number_words(NOTE_LENGTH)})


class NotSavedError(DecisionError):
    """The result isn't saved yet, couldn't be saved, or was removed."""

    code = "not-saved"


class SupersededError(DecisionError):
    """There is a newer version of the result: `output`."""

    code = "superseded"

    def __init__(self, output: Output) -> None:
        super().__init__(_("There is a newer version of this result. Decide on that one instead."))
        self.output = output
