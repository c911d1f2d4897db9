"""Checks messages by their codes, so that rewording a sentence breaks no test."""

from collections.abc import Callable

from runs.models.messages import Value
from runs.words.errors import UserFacingError


def says(code: str, **values: Value) -> Callable[[UserFacingError], bool]:
    """Return a check of an error's message, for `pytest.raises(…, check=says("too_slow"))`."""

    def check(error: UserFacingError) -> bool:
        message = error.message
        return message.code == code and dict(message.values) | values == message.values and error.sentence != code

    return check
