"""Made-up apps for the sandbox that are cheap to run, since they produce only text."""

from typing import Any

EVERYTHING: dict[str, Any] = {
    "appId": "everything",
    "name": "Everything",
    "parameters": [
        {"id": "a", "key": "note_text", "name": "Note", "type": "text"},
        {
            "id": "b",
            "key": "style_text",
            "name": "Style",
            "type": "options",
            "options": ["Plain", "Doubled  space", "Trailing "],
        },
        {"id": "c", "key": "photo_url", "name": "Photo", "type": "url", "accept": ["image"]},
        {
            "id": "d",
            "key": "more_urls",
            "name": "More",
            "type": "url",
            "accept": ["image", "video"],
            "multiple": True,
            "default": [],
        },
        {"id": "e", "key": "", "name": "Format", "type": "options", "options": ["1:1", "16:9"], "default": "1:1"},
    ],
    "outputs": [{"index": 0, "label": "First", "type": "text"}, {"index": 1, "label": "Second", "type": "text"}],
    "sandbox": {"seconds": 0},
}
NOTE: dict[str, Any] = {
    "appId": "note",
    "name": "Only a note",
    "parameters": [{"id": "n", "key": "note_text", "name": "Note", "type": "text"}],
    "outputs": [{"index": 0, "label": "First", "type": "text"}, {"index": 1, "label": "Second", "type": "text"}],
    "sandbox": {"seconds": 0},
}
