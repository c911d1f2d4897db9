"""A message for Microsoft Teams: an Adaptive Card 1.2, which Teams workflows accept.

All text goes into text runs in a `RichTextBlock`, which supports neither Markdown nor mentions. Only `fallbackText`,
which is for clients that can't show the card, might be read as Markdown, so it is escaped.
"""

from typing import Any

from runs.notices.chat_text import Post

MARKS = "\\`*_{}[]()#~<>|"


def teams_message(post: Post) -> dict[str, Any]:
    """Return the payload for a Teams workflow."""
    lines: list[dict[str, Any]] = [
        {"type": "TextRun", "text": post.title, "weight": "bolder", "size": "medium"},
        {"type": "TextRun", "text": post.words},
        {"type": "TextRun", "text": post.who, "isSubtle": True},
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "lang": post.language,
        "fallbackText": without_markdown(" · ".join(filter(None, (post.title, post.words, post.who)))),
        "body": [{"type": "RichTextBlock", "inlines": [line]} for line in lines if line["text"]],
        "actions": [{"type": "Action.OpenUrl", "title": post.button, "url": post.url}],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def without_markdown(text: str) -> str:
    """Return `text` with Markdown characters escaped."""
    escaped = "".join(f"\\{character}" if character in MARKS else character for character in text)
    return f"\\{escaped}" if escaped[:1] in ("-", "+") else escaped
