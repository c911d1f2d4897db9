"""Fetches the guest page and finds the files it links to."""

import re

from django.test import Client
from django.utils import timezone

from runs.models import GuestLink
from runs.sharing import make_guest_copies
from tests.support.guest_links import path_of


def page_of(link: GuestLink, **fields: object) -> str:
    """Set `fields` on `link`, make the copies for guests, and return the guest page."""
    GuestLink.objects.filter(pk=link.pk).update(**fields)
    make_guest_copies.COPIES.run()
    return Client().get(path_of(link)).content.decode()


def today() -> str:
    """Return the date used in the names of files made today."""
    return f"{timezone.localdate():%Y-%m-%d}"


def file_paths(page: str) -> list[str]:
    return sorted(set(re.findall(r"/s/[^/\"]+/files/[^\" ]+", page)))
