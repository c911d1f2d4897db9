"""Loads templates without their indentation, which is a sixth of a page and means nothing to browsers.

It is left out once, when a process first uses a template, so that no request spends time on it. Lines stay, so errors
still name the right one; texts of people aren't part of a template.
"""

import re

from django.template import Origin
from django.template.loaders import filesystem

INDENTATION = re.compile(r"(?<=\n)[ \t]+")


class Loader(filesystem.Loader):
    """Django's loader from folders; of HTML files, it returns lines without the spaces they start with."""

    def get_contents(self, origin: Origin) -> str:
        text: str = super().get_contents(origin)
        return INDENTATION.sub("", text) if origin.name.endswith(".html") else text
