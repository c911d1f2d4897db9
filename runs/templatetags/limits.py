"""File size limits, as shown on file fields: `{% limit_words field.question.accept %}`."""

import json
from collections.abc import Iterable

from django import template

from runs.uploads import file_limits

register = template.Library()


@register.simple_tag
def limit_words(accept: Iterable[str]) -> str:
    """Return the size limits of a field that accepts the file types `accept`, in words."""
    return file_limits.limit_words(accept)


@register.simple_tag
def limits_data(accept: Iterable[str]) -> str:
    """Return the size limits as JSON for scripts: `{"image": [50000000, "50 MB"]}`."""
    return json.dumps(file_limits.limits_of(accept))
