"""Translated sentences with HTML in place of some of their values."""

from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe


def filled_in(sentence: str, **values: object) -> SafeString:
    """Return `sentence` as HTML, with each `%(name)s` in it replaced by the value of that name. Everything is escaped,
    except for values that are safe already."""
    shown = {name: conditional_escape(value) for name, value in values.items()}
    return mark_safe(escape(sentence) % shown)  # noqa: S308 - both are escaped
