"""A search at Lamina in tests: an unlisted app, the page's part, and what Lamina should say."""

from typing import Any

from django.test import Client

from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

UUID = "7d2c1a1e-51f2-4a3c-9b0e-0c4d2f6a8b13"
BEYOND = {"appId": UUID, "name": "Dental advert", "description": "A poster for a dentist."}


def lamina_part(client: Client, q: str, **query: str) -> str:
    """Lamina's part of a search for `q`, after the worker has finished."""
    look(client, q, **query)
    work()
    return look(client, q)


def look(client: Client, q: str, **query: str) -> str:
    answer = client.get("/apps/lamina/", {"q": q, **query}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def answer(sandbox: SandboxDoor, body: Any) -> None:
    sandbox.control("faults", endpoint="discover", fault="status", status=200, body=body, times=None)


def plain(page: str) -> str:
    return page.replace("&#x27;", "'")
