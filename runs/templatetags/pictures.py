"""Pictures on cards. A page has a hundred of them, so functions render them, which is faster than templates."""

from datetime import timedelta

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from runs.display.card_results import CardPicture
from runs.models import StoredFile
from runs.templatetags.icons import icon
from runs.words.time_spans import clock_words

register = template.Library()
LAZY = mark_safe('loading="lazy" decoding="async"')
FIRST = mark_safe('fetchpriority="high"')  # before the scripts, since it is the largest thing on the screen


@register.simple_tag
def kind_mark(kind: str, length: str = "") -> SafeString:
    """Render the badge for video or audio, with the `length`; empty for other kinds."""
    if kind not in (StoredFile.Kind.VIDEO, StoredFile.Kind.AUDIO):
        return mark_safe("")
    name = _("video") if kind == StoredFile.Kind.VIDEO else _("audio")
    words = format_html(' <span class="kind-length">{}</span>', length) if length else ""
    return format_html(
        '<span class="kind-mark">{}<span class="visually-hidden">{}</span>{}</span>', icon(kind), name, words
    )


@register.simple_tag(takes_context=True)
def card_picture(context: Context, file: StoredFile | CardPicture, is_small: object) -> SafeString:
    """Render the thumbnail of `file`, cropped, on its own background colour, with a badge for video or audio.

    `is_small` means that 200 px are enough and that there is no room for the length. The thumbnail loads at once, not
    lazily, if the context has `oob` or `is_eager`; with `is_eager`, a large one before everything else.
    """
    fill = format_html(' fill="{}"', file.colour) if file.colour else ""
    ground = format_html('<svg aria-hidden="true" focusable="false"><rect width="100%" height="100%"{} /></svg>', fill)
    address = (is_small and file.small_url) or file.card_url
    if not address:
        return format_html('<span class="mosaic-cell">{}{}</span>', ground, icon(file.kind or "image"))
    seconds = None if is_small else file.duration_seconds
    return format_html(
        '<span class="mosaic-cell">{}<img src="{}" width="{}" height="{}" alt="" {}>{}</span>',
        ground,
        address,
        file.width or 400,
        file.height or 400,
        _loading(context, is_small),
        kind_mark(file.kind, clock_words(timedelta(seconds=seconds)) if seconds else ""),
    )


def _loading(context: Context, is_small: object) -> str:
    """Return the attributes that say when a thumbnail loads."""
    if context.get("oob"):
        return ""
    if context.get("is_eager"):
        return "" if is_small else FIRST
    return LAZY
