"""The guest's page, and the files it links to."""

import re

from django.test import Client

from runs.models import GuestLink
from runs.sharing import make_guest_copies
from tests.support.guest_links import path_of


def page_of(link: GuestLink, **fields: object) -> str:
    """The guest's page after `fields` of `link` change and the worker has made the copies."""
    GuestLink.objects.filter(pk=link.pk).update(**fields)
    make_guest_copies.make_due_copies()
    return Client().get(path_of(link)).content.decode()


def file_paths(page: str) -> list[str]:
    return sorted(set(re.findall(r"/s/[^/\"]+/files/[^\" ]+", page)))
