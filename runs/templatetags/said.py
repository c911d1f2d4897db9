"""A filter for stored messages in the reader's language: `{{ incident.text|said }}`."""

from django import template

from runs.models.messages import Message
from runs.words.messages import say

register = template.Library()


@register.filter
def said(message: Message | str) -> str:
    """Return a stored message as a sentence."""
    return say(message)
