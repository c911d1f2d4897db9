"""Drawings of templates/icons, inline: a page of cards shows hundreds, so each is read and rendered once."""

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """The drawing NAME, a file of templates/icons; raises TemplateDoesNotExist for one that is none."""
    return render_to_string(f"icons/{name}.svg")
