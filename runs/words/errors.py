"""Errors that are shown to people."""

from runs.models.messages import Message, as_message
from runs.words.messages import say


class UserFacingError(Exception):
    """Raised when something can't be done. `message` is written for people, and can be stored."""

    def __init__(self, message: Message | str) -> None:
        super().__init__(message)
        self.message = as_message(message)

    @property
    def sentence(self) -> str:
        """The message as a sentence in the active language."""
        return say(self.message)

    def __str__(self) -> str:
        return self.sentence
