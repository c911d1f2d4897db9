"""Rules for new passwords: long enough, not common, and hard to guess even for someone who knows the owner.

People see only the first failing rule's message, which says what to do. The rules are set in AUTH_PASSWORD_VALIDATORS,
so that forms, `createsuperuser` and `make run` all use them.
"""

import re
from threading import Lock
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from lamina_portal.environment import host_of

MIN_CHARACTERS = 10
MIN_SCORE = 2  # out of 4; a password with this score takes more than 10^6 guesses
LOOKED_AT = 72  # in characters; checking this many takes 10 ms, and twice as many would take four times as long
PORTAL_WORDS = ("lamina", "portal", "lamina portal", "laminaportal")

# These are translated where they are used.
HELP = gettext_noop("At least 10 characters. A few unrelated words are easy to remember.")
TOO_SHORT = gettext_noop("This password is too short. Use at least 10 characters, such as four unrelated words.")
TOO_COMMON = gettext_noop("This password is too common. Try four unrelated words.")
TOO_SIMILAR = gettext_noop(
    "This password is too similar to your name, your email address or the portal's name. Choose something unexpected."
)
TOO_EASY = gettext_noop("This password is too easy to guess. Add a few unrelated words.")

_estimating = Lock()  # zxcvbn keeps the words about the person in a dictionary that all threads share


class PasswordRules:
    """Django password validator that reports only the first rule that fails."""

    def __init__(self) -> None:
        self._common = CommonPasswordValidator()
        self._similar = UserAttributeSimilarityValidator(user_attributes=("email", "name"))

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` with the message of the first rule that fails. `user` is a member, saved or not,
        whose name and email address the password must not resemble."""
        if len(password) < MIN_CHARACTERS:
            raise ValidationError(_(TOO_SHORT), code="password_too_short")
        _demand(self._common, password, user, _(TOO_COMMON))
        _demand(self._similar, password, user, _(TOO_SIMILAR))
        # zxcvbn's word lists take up 11 MB of memory, so load them only when somebody sets a password
        from zxcvbn import zxcvbn

        with _estimating:
            estimate = zxcvbn(password[:LOOKED_AT], user_inputs=_words_about(user))
        if estimate["score"] < MIN_SCORE:
            uses_theirs = any(part.get("dictionary_name") == "user_inputs" for part in estimate["sequence"])
            raise ValidationError(_(TOO_SIMILAR if uses_theirs else TOO_EASY), code="password_too_easy")

    def get_help_text(self) -> str:
        return _(HELP)


def _demand(validator: Any, password: str, user: Any, sentence: str) -> None:
    """Run a Django validator; if it fails, raise its error with `sentence` as the message instead."""
    try:
        validator.validate(password, user)
    except ValidationError as error:
        raise ValidationError(sentence, code=error.code) from None


def _words_about(user: Any) -> list[str]:
    """Return the words an attacker would try first: the person's name, their email address and the portal's name, both
    whole and in parts."""
    texts = [getattr(user, "name", ""), getattr(user, "email", ""), host_of(settings.PORTAL_URL), *PORTAL_WORDS]
    pieces = [piece for text in texts for piece in (text, re.sub(r"\W", "", text), *re.split(r"[\W_]+", text))]
    return sorted({piece.lower() for piece in pieces if len(piece) > 2}, key=len, reverse=True)
