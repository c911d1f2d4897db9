"""Searching on Lamina in tests: an unlisted app, Lamina's part of the page, and scripted responses."""

import re
from typing import Any

from django.test import Client
from django.utils.html import escape

from runs.catalog.pages_search import PROBLEMS
from tests.support.html import flat
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

UUID = "7d2c1a1e-51f2-4a3c-9b0e-0c4d2f6a8b13"
BEYOND = {"appId": UUID, "name": "Dental advert", "description": "A poster for a dentist."}


def lamina_part(client: Client, q: str, **query: str) -> str:
    """Search for `q`, let the worker finish, and return Lamina's part of the results."""
    look(client, q, **query)
    work()
    return look(client, q)


def look(client: Client, q: str, **query: str) -> str:
    answer = client.get("/apps/lamina/", {"q": q, **query}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def answer(sandbox: SandboxDoor, body: Any) -> None:
    sandbox.control("faults", endpoint="discover", fault="status", status=200, body=body, times=None)


def problem_of(page: str) -> str:
    """Return the problem that Lamina's part of the page reports ("" if none), and check that the page has the sentence
    for it."""
    found = re.search(r'data-problem="([^"]+)"', page)
    if found is None:
        return ""
    assert escape(str(PROBLEMS[found[1]]).partition(".")[0]) in flat(page)
    return found[1]
