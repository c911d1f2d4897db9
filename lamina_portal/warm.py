"""Loads code and data that every process needs, before the processes are forked, so that they share the memory."""

import gc

from django.conf import settings
from django.urls import get_resolver
from django.utils.translation import gettext, override


def warm_up() -> None:
    """Load the URLs with their views, and the translations for every language; then tell the garbage collector to leave
    all that is loaded alone, because looking at it would copy it into each process."""
    for code, _ in settings.LANGUAGES:
        with override(code):
            gettext("Run")
            get_resolver().reverse_dict  # noqa: B018 - reading it fills it, once for each language
    gc.collect()
    gc.freeze()
