"""Loads templates without their indentation, which makes up a sixth of a page and is of no use to browsers.

The indentation is removed once, when a process first uses a template, so requests don't spend time on it. Line breaks
are kept, so error messages still give the right line number. Text that people typed isn't part of a template, so it
keeps its spaces.
"""

import re

from django.template import Origin
from django.template.loaders import filesystem

INDENTATION = re.compile(r"(?<=\n)[ \t]+")


class Loader(filesystem.Loader):
    """Django's filesystem loader, except that it removes the spaces at the start of each line of an HTML file."""

    def get_contents(self, origin: Origin) -> str:
        text: str = super().get_contents(origin)
        return INDENTATION.sub("", text) if origin.name.endswith(".html") else text
