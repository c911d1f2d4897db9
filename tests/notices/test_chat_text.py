"""Names and other text that people enter never add formatting or mentions to Slack and Teams messages, or break them
(N10)."""

from collections.abc import Callable
from typing import Any

import pytest

from runs.notices.chat_text import Post, name
from runs.notices.plain_text import cut, isolated
from runs.notices.slack import slack_message
from runs.notices.teams import teams_message, without_markdown
from runs.words.one_line import one_line
from tests.notices.chat_world import texts
from tests.support.chat_receiver import slack_problem, teams_problem

FAMILY = "👩‍👩‍👧‍👦"
NASTY = [
    "*bold* _italic_ ~gone~ `code`",
    "<!here> <!channel> <@U123> <https://evil.example|click>",
    "@channel @here @everyone #general :tada:",
    "[click](https://evil.example) **bold** # heading",
    "- a list\r\n1. another\n> quote",
    "&amp; & < > \" '",
    "x" * 200,
    "&" * 200,
    FAMILY * 60,
    "أليس " * 60,
    "\u202eevil\u202c\u2066x\x00\x07\x1b[31m",
    "<at>Everyone</at>",
    "",
]


def post(text: str) -> Post:
    return Post(text or "A title", text * 10, name(text), "Open", "https://portal.example/runs/x/", "en")


@pytest.mark.parametrize("text", NASTY)
def test_slack_takes_any_text_as_plain_text(text: str) -> None:
    message = slack_message(post(text))
    assert slack_problem(message) == ""
    assert all(("<" not in shown and ">" not in shown) for shown in texts(message))
    summary = message["text"]
    assert "<" not in summary
    assert not any(f"{mark}{letter}" in summary for mark in "*_~`@#:" for letter in "abcdefghijklmnopqrstuvwxyz")
    assert (message["mrkdwn"], message["parse"], message["link_names"]) == (False, "none", False)


@pytest.mark.parametrize("text", NASTY)
def test_teams_gets_a_valid_card_without_markdown(text: str) -> None:
    message = teams_message(post(text))
    assert teams_problem(message) == ""
    card = message["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}  # RichTextBlock ignores Markdown
    assert "msteams" not in card  # without this key, Teams doesn't mention anyone
    assert "**bold**" not in card["fallbackText"]


def test_a_wrong_card_or_block_is_found() -> None:
    wrong: list[Callable[[Any], object]] = [
        lambda card: card["body"][0].update(wrap=True),  # only a TextBlock can wrap
        lambda card: card["body"][0]["inlines"][0].update(weight="heavy"),
        lambda card: card["actions"][0].pop("url"),
        lambda card: card["actions"][0].update(type="Action.Execute"),  # only in 1.4 and later
        lambda card: card["body"].append({"type": "Table"}),  # only in 1.5 and later
        lambda card: card.update(version="1.5"),
    ]
    for spoil in wrong:
        message = teams_message(post("Oak desk"))
        spoil(message["attachments"][0]["content"])
        assert teams_problem(message) != ""
    blocks = slack_message(post("Oak desk"))
    blocks["blocks"][0]["text"]["text"] = "x" * 151
    assert slack_problem(blocks) == "invalid_blocks"


def test_escaped_text_fits_slacks_limit() -> None:
    title = slack_message(post("&" * 200))["blocks"][0]["text"]["text"]
    assert 140 < len(title) <= 150
    assert title.replace("&amp;", "") == "…"


@pytest.mark.parametrize(
    ("text", "length", "wanted"),
    [
        ("Oak desk", 8, "Oak desk"),
        ("Oak desks", 8, "Oak des…"),
        ("Oak  desk", 5, "Oak…"),
        (FAMILY * 2, 10, f"{FAMILY[:7]}…"),
        ("ne\u0301e\u0301", 3, "n…"),
        ("👍🏽👍🏽", 2, "…"),
    ],
)
def test_text_is_cut_between_characters(text: str, length: int, wanted: str) -> None:
    if text.startswith(FAMILY):
        assert cut(text, length) in (f"{FAMILY}…", "…")  # the emoji is kept whole or left out
    else:
        assert cut(text, length) == wanted


def test_text_is_one_line_and_turns_nothing_around() -> None:
    assert one_line(" Oak\r\n\u2028desk\t\x00 \u202ekcab ") == "Oak desk kcab"
    assert one_line(FAMILY) == FAMILY
    assert isolated("Oak desk") == "Oak desk"
    assert isolated("أليس") == "\u2068أليس\u2069"
    assert len(name("أليس " * 60)) == 62


@pytest.mark.parametrize("text", ["**x**", "[a](b)", "- x", "# x", "`x`", "<b>", "a_b_c"])
def test_markdown_is_escaped(text: str) -> None:
    escaped = without_markdown(text)
    assert escaped != text
    assert escaped.replace("\\", "") == text
