"""`{% support_about_file name shown as words %}`: a sentence about a refused file, for people to copy
(`words/support.py`)."""

from django import template
from django.utils import timezone

from runs.words.support import about_file

register = template.Library()


@register.simple_tag
def support_about_file(name: str, shown: str) -> str:
    return about_file(name, timezone.now(), shown)
