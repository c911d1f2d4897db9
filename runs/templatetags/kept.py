"""Parts of pages that are the same for many people: rendered once for each set of values, and then cached.

`{% kept "web/_bar_links.html" section=section %}` renders a template with these values and nothing else. The template
has no user, request or token, so nothing that depends on them can get in. In each language, the same values always
produce the same text. Templates used this way mustn't show times, because they don't know the reader's time zone.
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
    """Render the template `name` with `values`, or return the text from an earlier rendering."""
    # The key includes the types, because "<b>" equals a safe "<b>", and 1 equals True.
    return _rendered(name, get_language(), tuple((key, type(value), value) for key, value in values.items()))


@lru_cache(maxsize=500)
def _rendered(name: str, _language: str | None, values: tuple[tuple[str, type, Hashable], ...]) -> SafeString:
    return render_to_string(name, {key: value for key, _, value in values})


@register.simple_tag(takes_context=True)
def form_field(context: Context, field: BoundAnswer) -> SafeString:
    """Render one field in an app's form (`display/kept_fields.py`)."""
    app = context.get("app")
    names = (app.public_id, app.name) if app else ("", "")
    return field_html(field, *names, preview=bool(context.get("preview")))


@register.simple_tag
def form_results(form: SchemaForm) -> SafeString:
    """Render the checkboxes for choosing results in a form."""
    return results_html(form)
