"""Loads templates without their indentation, which makes up a sixth of a page and which browsers don't need.

It is removed once, when a process first uses a template, so requests don't spend time on it. Line breaks stay, so that
errors still name the right line. What people have typed isn't part of a template, so it isn't affected.
"""

import re

from django.template import Origin
from django.template.loaders import filesystem

INDENTATION = re.compile(r"(?<=\n)[ \t]+")


class Loader(filesystem.Loader):
    """Django's loader from folders, except that for HTML files, it removes the spaces at the start of each line."""

    def get_contents(self, origin: Origin) -> str:
        text: str = super().get_contents(origin)
        return INDENTATION.sub("", text) if origin.name.endswith(".html") else text
