"""Translated sentences with HTML in place of some of their values, and times as HTML."""

from datetime import datetime

from django.utils import timezone
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe

from runs.words.moments import full_words

MOMENT = (
    '<span class="moment" role="group" tabindex="0" aria-label="{full}"><time datetime="{at}">{words}</time>'
    '<span class="moment-full" aria-hidden="true">{full}</span></span>'
)


def filled_in(sentence: str, **values: object) -> SafeString:
    """Return `sentence` as HTML, with each `%(name)s` in it replaced by the value of that name. Everything is escaped,
    except for values that are already marked as safe."""
    escaped = {name: conditional_escape(str(value)) for name, value in values.items()}
    return mark_safe(escape(sentence) % escaped)  # noqa: S308 - both are escaped


def moment_html(at: datetime, words: str) -> SafeString:
    """Return `words` as HTML that shows the full date, time and zone of `at` on focus and hover."""
    at = timezone.localtime(at)
    return format_html(MOMENT, at=at.isoformat(), words=words, full=full_words(at))


def moment_in_link_html(at: datetime, words: str) -> SafeString:
    """Return `words` as HTML for use inside a link. Nothing else in a link may take the focus, so the full time of `at`
    is in the title."""
    at = timezone.localtime(at)
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), full_words(at), words)
