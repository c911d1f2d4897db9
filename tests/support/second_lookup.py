"""A name whose address changes between two look-ups: it is public when it is checked, then loopback."""

import socket
from typing import Any

import pytest
from urllib3.util import connection

from runs.storage import guard

PUBLIC = "93.184.215.14"


def rebind(monkeypatch: pytest.MonkeyPatch, port: int) -> list[tuple[str, int]]:
    """Let every name resolve to a public address at first and to 127.0.0.1 after that; return the list of addresses
    that were connected to."""
    answers = iter([PUBLIC])
    asked: list[tuple[str, int]] = []

    def resolve(_host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "127.0.0.1"), port))]

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(guard, "WEB_PORTS", {port})
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(connection, "create_connection", connect)
    return asked
