"""Icons of templates/icons, inline. They hold no text; a page of cards has hundreds, so each is rendered once."""

from functools import cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """The icon `name`, a file of templates/icons; raises TemplateDoesNotExist for an unknown one."""
    return render_to_string(f"icons/{name}.svg")
