"""A message for Slack: plain text in blocks, without formatting or mentions, and one button.

Slack shows `text` in its own notifications. This is the only part that Slack may interpret as markup.
"""

from typing import Any

from runs.notices.chat_text import Post
from runs.notices.plain_text import cut

LONGEST_TITLE, LONGEST_TEXT, LONGEST_BUTTON = 150, 3_000, 75  # in characters; Slack rejects anything longer
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
MARKS = "*_~`@#:"  # characters for formatting, mentions, channels and emoji
NOTHING = "\u2060"  # a zero-width character, added after each of `MARKS` so that Slack doesn't read it as markup


def slack_message(post: Post) -> dict[str, Any]:
    """Return the payload for a Slack incoming webhook."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(post.title, LONGEST_TITLE)}]
    if post.words:
        blocks.append({"type": "section", "text": _plain(post.words, LONGEST_TEXT)})
    blocks.append({"type": "context", "elements": [_plain(post.who or post.button, LONGEST_TEXT)]})
    button = {"type": "button", "text": _plain(post.button, LONGEST_BUTTON), "url": post.url, "action_id": "open"}
    blocks.append({"type": "actions", "elements": [button]})
    return {
        "text": _without_marks(f"{post.title} · {post.who}" if post.who else post.title),
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def _plain(text: str, longest: int) -> dict[str, Any]:
    """Return `text` as a plain text object, shortened if it would exceed Slack's limit after escaping."""
    fitting, room = text, longest
    while len(escaped(fitting)) > longest:
        room -= max(1, (len(escaped(fitting)) - longest) // 5)
        fitting = cut(text, room)
    return {"type": "plain_text", "text": escaped(fitting), "emoji": False}


def escaped(text: str) -> str:
    """Return `text` with `&`, `<` and `>` escaped, as Slack requires."""
    return "".join(ESCAPES.get(character, character) for character in text)


def _without_marks(text: str) -> str:
    return escaped("".join(f"{character}{NOTHING}" if character in MARKS else character for character in text))
