"""Parts of pages that are the same for many people, rendered once for what they are made of.

`{% kept "web/_bar_links.html" section=section %}` renders a template with these values and nothing else: it has no
user, request or token, so whatever depends on anything else can't get into it. The same values give the same text, in
each language. Times and time zones aren't values: such a template mustn't show them.
"""

from collections.abc import Hashable
from functools import lru_cache

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from runs.display.kept_fields import field_html, results_html
from runs.schema_forms.build import BoundAnswer, SchemaForm

register = template.Library()


@register.simple_tag
def kept(name: str, **values: Hashable) -> SafeString:
    """Render the template `name` with `values`, or return what it was rendered to before."""
    # The types belong to the key: "<b>" and a safe "<b>" are equal, as are 1 and True.
    return _rendered(name, get_language(), tuple((key, type(value), value) for key, value in values.items()))


@lru_cache(maxsize=500)
def _rendered(name: str, _language: str | None, values: tuple[tuple[str, type, Hashable], ...]) -> SafeString:
    return render_to_string(name, {key: value for key, _, value in values})


@register.simple_tag(takes_context=True)
def form_field(context: Context, field: BoundAnswer) -> SafeString:
    """Render one field of an app's form (`display/kept_fields.py`)."""
    app = context.get("app")
    return field_html(field, app.public_id if app else "", preview=bool(context.get("preview")))


@register.simple_tag
def form_results(form: SchemaForm) -> SafeString:
    """Render the results that a form offers."""
    return results_html(form)
