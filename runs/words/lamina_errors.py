"""Turn Lamina's error about one input into a message to store: Lamina's own text, or ours for its code."""

from runs.lamina.errors import FieldError
from runs.models.messages import Message

CODES = {
    "invalid_option": "field_invalid_option",
    "missing_no_default": "field_missing",
    "unknown_parameter": "field_unknown",
    "invalid_type": "field_invalid_type",
    "invalid_media": "field_invalid_media",
}


def field_message(error: FieldError) -> Message:
    """Return the message to store. If we have no text for a code, the message quotes the code, with spaces between its
    words."""
    choices = ", ".join(error.allowed)
    if error.message:
        if not choices:
            return Message(quote=error.message)
        return Message("field_said_choices", {"said": error.message, "choices": choices})
    if choices:
        return Message("field_choices", {"choices": choices})
    code = CODES.get(error.code.lower())
    return Message(code) if code else Message(quote=error.code.replace("_", " ").replace("-", " "))
