"""A stand-in for Slack and Teams on loopback: a real server that accepts and refuses the same messages they do."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

SECRET = "T0SECRET/B0SECRET/xyzzyPlughSecret"
SCHEMA = json.loads((Path(__file__).parent / "adaptive_card" / "adaptive-card-1.2.json").read_text())  # from Microsoft
VERSION = "1.2"
LONGEST = {"header": 150, "section": 3000, "context": 3000, "button": 75}
CARD = "application/vnd.microsoft.card.adaptive"


class Receiver(ThreadingHTTPServer):
    """`taken` holds the accepted messages, `asked` all requested paths, and `plan` the next responses (status, headers,
    body)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[Any] = []
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.plan: list[tuple[int, dict[str, str], bytes]] = []
        self.problems: list[str] = []

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def slack(self) -> str:
        return f"{self.origin}/services/{SECRET}"

    @property
    def teams(self) -> str:
        return f"{self.origin}/workflows/teams/invoke?api-version=1&sig={SECRET.replace('/', '')}"

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Plan the response to the next message."""
        self.plan.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, body))

    def handle_error(self, *_: object) -> None:
        """Ignore errors: in these tests, the portal may hang up."""


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        self.server.headers.append(dict(self.headers))
        status, headers, words = self.server.plan.pop(0) if self.server.plan else self._usual(json.loads(body))
        if status < 300:
            self.server.taken.append(json.loads(body))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def _usual(self, content: Any) -> tuple[int, dict[str, str], bytes]:
        is_teams = self.path.startswith("/workflows/")
        if problem := teams_problem(content) if is_teams else slack_problem(content):
            self.server.problems.append(problem)
            return 400, {}, problem.encode()
        return (202, {}, b"") if is_teams else (200, {}, b"ok")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def teams_problem(content: Any) -> str:
    attachments = content.get("attachments", [])
    if content.get("type") != "message" or [one.get("contentType") for one in attachments] != [CARD]:
        return "not a message with one card"
    import jsonschema  # takes a moment to load

    card = attachments[0]["content"]
    if card.get("version") != VERSION:  # the schema accepts any version
        return f"not a card {VERSION}"
    try:
        jsonschema.validate(card, SCHEMA, jsonschema.Draft6Validator)
    except jsonschema.ValidationError as error:
        return f"invalid card: {error.message}"
    return ""


def slack_problem(content: Any) -> str:
    """Return "invalid_blocks" if Slack would, otherwise "". Covers only the kinds of blocks that our messages use."""
    texts: list[tuple[Any, int]] = []
    for block in content["blocks"]:
        for one in [block, *block.get("elements", [])]:
            if one["type"] == "plain_text":
                texts.append((one, LONGEST[block["type"]]))
            elif "text" in one:
                texts.append((one["text"], LONGEST[one["type"]]))
    is_fitting = all(text["type"] == "plain_text" and 0 < len(text["text"]) <= most for text, most in texts)
    return "" if is_fitting and content["text"] else "invalid_blocks"


@contextmanager
def chat_receiver() -> Iterator[Receiver]:
    """Run the receiver on a free loopback port."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A receiver that the portal may send messages to, even though it is on loopback."""
    with chat_receiver() as running:
        settings.PORTAL_CHAT_ORIGINS = [running.origin]
        yield running
