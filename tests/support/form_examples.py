"""Parameter lists and uploads for the form tests."""

from collections.abc import Callable
from typing import Any

from runs.schema_forms.answers import Answer
from runs.schema_forms.types import UploadInfo

SAMPLE = "https://media.example/sample.png"
CARTOONIFY: list[dict[str, Any]] = [
    {"id": "u", "name": "Upload", "type": "url", "required": False, "accept": ["image"], "default": SAMPLE},
    {"id": "s", "name": "Style", "type": "options", "options": ["Ghibli", "Simpsons", "Disney / Pixar", "Cyberpunk"]},
    {"id": "a", "name": "Aspect Ratio", "type": "options", "options": ["1:1", "4:3", "16:9"], "default": "1:1"},
]
TWO_OF_ONE_NAME: list[dict[str, Any]] = [
    {"index": 0, "label": "AI Designer", "type": "image"},
    {"index": 1, "label": "AI Designer", "type": "image"},
]
VIEWS: list[dict[str, Any]] = [
    {"index": 0, "label": "Front View", "type": "image"},
    {"index": 1, "label": "Catalog Video", "type": "video"},
    {"index": 2, "label": "front view", "type": "image"},
]


def text(name: str = "Idea", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "text", **more}


def options(*labels: str, name: str = "Style", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "options", "options": list(labels), **more}


def url(name: str = "Picture", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "url", **more}


def answer(value: Any, name: str = "Idea", *, is_default: bool = False, **more: str) -> Answer:
    kept = {"name": name, "key": "", "id": "", "type": "text", "value": value, "is_default": is_default} | more
    return Answer.from_stored(kept)


def upload(upload_id: str, **more: Any) -> UploadInfo:
    return UploadInfo(**{"id": upload_id, "name": f"{upload_id}.png", "status": "ready", "kind": "image"} | more)


def lookup(*known: UploadInfo) -> Callable[[list[str]], list[UploadInfo]]:
    """Return a lookup like the portal's that knows only these uploads."""
    by_id = {one.id: one for one in known}
    return lambda ids: [by_id[one] for one in ids if one in by_id]
