"""Inline icons from templates/icons. A page has hundreds of icons, and they contain no text, so each one is rendered
only once."""

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Return the icon `name` from templates/icons. Raises TemplateDoesNotExist if there is no such icon."""
    return render_to_string(f"icons/{name}.svg")
