"""A filter for stored messages in the reader's language: `{{ incident.text|sentence }}`."""

from django import template
from django.utils.safestring import SafeString

from runs.models.messages import Message
from runs.words.messages import say_in_html

register = template.Library()


@register.filter
def sentence(message: Message | str) -> SafeString:
    """Return a stored message as a sentence."""
    return say_in_html(message)
