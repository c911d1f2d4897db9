"""Loads what each process would otherwise load for itself, before the processes fork and share the memory."""

from pathlib import Path

from django.conf import settings
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils.translation import gettext, override


def warm_up() -> None:
    """Load the addresses with their views, and the texts in every language."""
    for code, _ in settings.LANGUAGES:
        with override(code):
            gettext("Run")
            get_resolver().reverse_dict  # noqa: B018 - reading it fills it, once for each language


def warm_pages() -> None:
    """Also load all templates."""
    warm_up()
    for folder in map(Path, settings.TEMPLATES[0]["DIRS"]):
        for path in folder.rglob("*.*"):
            get_template(str(path.relative_to(folder)))
