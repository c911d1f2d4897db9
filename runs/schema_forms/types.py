"""Types shared by the form, its callers and the database."""

from dataclasses import dataclass
from typing import Any, Literal

Parameters = list[dict[str, Any]]
Outputs = list[dict[str, Any]]


@dataclass(frozen=True)
class UploadInfo:
    """Details of one upload, for showing it in a field. If `status` is "failed", `error` is the message."""

    id: str
    name: str
    status: Literal["fetching", "ready", "failed", "removed"]
    kind: str = ""  # "image", "video", "audio", "other"; empty until known
    size_bytes: int | None = None
    error: str = ""
    source_url: str = ""
    small_url: str = ""
    card_url: str = ""
    picture_follows: bool = False  # the worker is still creating the thumbnails
    width: int | None = None
    height: int | None = None

    @property
    def icon(self) -> str:
        """The icon to show while there is no picture."""
        return self.kind if self.kind in ("image", "video", "audio") else "file"
