"""Pictures on cards. A page may have a hundred of them, so they are rendered by functions, which are faster than
templates."""

from datetime import timedelta
from functools import lru_cache

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from runs.display.patterns import shapes_of
from runs.models import StoredFile
from runs.templatetags.icons import icon
from runs.words.time_spans import clock_words

register = template.Library()
CACHE_SIZE = 1_024  # how many patterns to cache, and how many colours
LAZY = mark_safe('loading="lazy" decoding="async"')


@register.simple_tag
def kind_mark(kind: str, length: str = "") -> SafeString:
    """Render the badge for video or audio, with the `length`; nothing for other kinds."""
    if kind not in (StoredFile.Kind.VIDEO, StoredFile.Kind.AUDIO):
        return mark_safe("")
    name = _("video") if kind == StoredFile.Kind.VIDEO else _("audio")
    words = format_html(' <span class="kind-length">{}</span>', length) if length else ""
    return format_html(
        '<span class="kind-mark">{}<span class="visually-hidden">{}</span>{}</span>', icon(kind), name, words
    )


@register.simple_tag(takes_context=True)
def card_picture(context: Context, file: StoredFile, is_small: object) -> SafeString:
    """Render the thumbnail of `file`, cropped, on the picture's main colour, with a badge for video or audio.

    `is_small` means that 200 px are enough and that there is no room to show the length. Unless the context has `oob`
    or `is_eager`, the picture only loads when it comes into view.
    """
    address = (is_small and file.small_url) or file.card_url
    if not address:
        return format_html('<span class="mosaic-cell">{}{}</span>', _ground(file.colour), icon(file.kind or "image"))
    is_eager = context.get("oob") or context.get("is_eager")
    seconds = None if is_small else file.duration_seconds
    return format_html(
        '<span class="mosaic-cell">{}<img src="{}" width="{}" height="{}" alt="" {}>{}</span>',
        _ground(file.colour),
        address,
        file.width or 400,
        file.height or 400,
        "" if is_eager else LAZY,
        kind_mark(file.kind, clock_words(timedelta(seconds=seconds)) if seconds else ""),
    )


@lru_cache(maxsize=CACHE_SIZE)
def _ground(colour: str) -> SafeString:
    fill = format_html(' fill="{}"', colour) if colour else ""
    return format_html('<svg aria-hidden="true" focusable="false"><rect width="100%" height="100%"{} /></svg>', fill)


@register.simple_tag
@lru_cache(maxsize=CACHE_SIZE)
def pattern(name: str) -> SafeString:
    """Render a subtle pattern in place of a missing picture. The same name always gives the same pattern."""
    return render_to_string("display/_pattern.html", {"shapes": shapes_of(name)})
