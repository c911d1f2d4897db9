"""HTML of empty form fields, rendered once for everyone who sees the same form.

The HTML depends only on the form class, and forms with the same parameters, rules and language share a class
(`schema_forms.build`). It never contains a member's answers, files or errors.
"""

from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from runs.schema_forms.build import BoundAnswer, SchemaForm

KEPT = 1000
Pictures = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # (source URL, ((size, URL of our copy), …)), …


def field_html(bound: BoundAnswer, app_id: str, app_name: str, *, preview: bool) -> SafeString:
    """Return the HTML of one field in an app's form."""
    if not bound.is_untouched:
        context = {"field": bound, "app": {"public_id": app_id, "name": app_name}, "preview": preview}
        return render_to_string("schema_forms/_field.html", context)
    samples = bound.form.samples if bound.question.samples else {}
    pictures = tuple((url, tuple(samples[url].items())) for url in bound.question.samples if url in samples)
    return _untouched(type(bound.form), bound.name, pictures, app_id, preview)


@lru_cache(maxsize=KEPT)
def _untouched(made: type[SchemaForm], name: str, pictures: Pictures, app_id: str, preview: bool) -> SafeString:
    form = made(samples=lambda: {url: dict(copy) for url, copy in pictures})
    return render_to_string(
        "schema_forms/_field.html", {"field": form[name], "app": {"public_id": app_id}, "preview": preview}
    )


def results_html(form: SchemaForm) -> SafeString:
    """Return the HTML of the checkboxes for choosing results."""
    if form.results_error:
        return render_to_string("schema_forms/_results.html", {"form": form})
    return _results(type(form), tuple(form.wanted_outputs()))


@lru_cache(maxsize=KEPT)
def _results(made: type[SchemaForm], wanted: tuple[int, ...]) -> SafeString:
    return render_to_string("schema_forms/_results.html", {"form": made(wanted=wanted)})
