"""Highlighting of search words."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from runs.words.highlight import NONE, Marker

register = template.Library()


@register.simple_tag(takes_context=True)
def highlight(context: dict[str, Any], text: str) -> SafeString:
    """Return `text` with the search words highlighted, using `marker` from the page's context."""
    marker: Marker = context.get("marker") or NONE
    return marker.marked(str(text))
