"""The words that the form, its callers and the database share."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

Parameters = list[dict[str, Any]]
Outputs = list[dict[str, Any]]


class UrlValue(TypedDict, total=False):
    """Value of a `url` answer: public ids of uploads in order, and in drafts a link typed but not yet taken."""

    uploads: list[str]
    link: str


class Answer(TypedDict):
    """One answer, readable without the parameter list it was given for.

    VALUE is the text with line ends as LF, the exact label of an option, or a UrlValue. IS_DEFAULT means that it is
    left out of the call, so that the app's own default is used; VALUE then holds that default as it was shown.
    """

    name: str
    key: str
    id: str
    type: str
    value: Any
    is_default: bool


@dataclass(frozen=True)
class UploadInfo:
    """What a field shows of one upload. ERROR is a sentence when STATUS is "failed"."""

    id: str
    name: str
    status: Literal["fetching", "ready", "failed"]
    kind: str = ""  # "image", "video", "audio", "other"; empty until known
    size_bytes: int | None = None
    error: str = ""
    source_url: str = ""
    small_url: str = ""
    card_url: str = ""
    picture_follows: bool = False  # the worker is still making the small pictures
    width: int | None = None
    height: int | None = None

    @property
    def icon(self) -> str:
        """The drawing that stands for it while there is no picture."""
        return self.kind if self.kind in ("image", "video", "audio") else "file"


@dataclass(frozen=True)
class Fitted:
    """Stored answers on a (possibly newer) parameter list: INITIAL by field name, labels of DROPPED answers."""

    initial: dict[str, Any]
    dropped: list[str] = field(default_factory=list)
