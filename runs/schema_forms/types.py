"""Types shared by the form, its callers and the database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Parameters = list[dict[str, Any]]
Outputs = list[dict[str, Any]]


@dataclass(frozen=True)
class UploadInfo:
    """What a field needs to show one upload. If `status` is "failed", `error` is the message."""

    id: str
    name: str
    status: Literal["fetching", "ready", "failed", "removed"]
    kind: str = ""  # "image", "video", "audio", "other"; empty until known
    size_bytes: int | None = None
    error: str = ""
    failed_at: datetime | None = None
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


@dataclass(frozen=True)
class Rule:
    """The admin's rule for one field, which is found by `key`, then by `id`, then by `name`.

    A locked or hidden field always sends `value` (some text, or an option's exact label) or `file`; if neither is set,
    the app uses its default. In an open field, people may choose only from `options`; if `options` is empty, they may
    choose any option.
    """

    key: str = ""
    id: str = ""
    name: str = ""
    label: str = ""  # empty means the author's label
    help: str = ""
    mode: str = "open"  # "open", "locked" or "hidden"
    value: str | None = None
    file: UploadInfo | None = None
    options: tuple[str, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether the field sends the same value in every run, no matter what people enter."""
        return self.mode != "open"
