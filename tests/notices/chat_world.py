"""Chat channels and events for the Slack and Teams tests."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import time_machine
from django.utils import timezone

from runs.models import ChatChannel, Comment, Decision, Output, ReviewRequest, Run
from runs.models.messages import Message
from runs.notices import channels, chat
from runs.notices.kinds import CHAT_LABELS


@dataclass(frozen=True)
class Event:
    """An event, as passed to `chat.post_event`."""

    kind: str
    event: str = "something-1"
    run: Run | None = None
    output: Output | None = None
    comment: Comment | None = None
    decision: Decision | None = None
    request: ReviewRequest | None = None
    message: Message = field(default_factory=Message)


def set_channel(app: str, address: str, kinds: Any = tuple(CHAT_LABELS), language: str = "en") -> ChatChannel:
    return channels.set_channel(app, address, kinds, [], language)


def send_after(**delay: float) -> None:
    """Move the clock forward by `delay`, then send the messages that are due."""
    with time_machine.travel(timezone.now() + timedelta(**delay), tick=True):
        chat.CHAT.run()


def texts(message: Any) -> list[str]:
    """Return the text that people see in a Slack or Teams message: title, text, who did it, and the button's label."""
    if "attachments" in message:
        card = message["attachments"][0]["content"]
        return [*(run["text"] for block in card["body"] for run in block["inlines"]), card["actions"][0]["title"]]
    found = []
    for block in message["blocks"]:
        found += [block["text"]] if "text" in block else []
        found += [one["text"] if one["type"] == "button" else one for one in block.get("elements", [])]
    return [text["text"] for text in found]


def url_of(message: Any) -> str:
    """Return the URL that a message's button leads to."""
    if "attachments" in message:
        return str(message["attachments"][0]["content"]["actions"][0]["url"])
    return str(message["blocks"][-1]["elements"][0]["url"])
