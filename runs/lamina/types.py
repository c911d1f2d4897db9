"""Lamina objects as we use them, read tolerantly from both API dialects.

Fields with invalid values count as missing. Only objects without a usable id are rejected; lists skip them. Unknown
fields are ignored.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, AliasPath, BeforeValidator, Field, model_validator

from runs.lamina import coerce
from runs.lamina.errors import tells_insufficient_credits
from runs.lamina.fields import (
    Credits,
    Flag,
    MaybeId,
    MaybeNumber,
    NeededId,
    NeededText,
    Remote,
    Text,
    Texts,
    Time,
    Word,
    each,
    or_none,
    word_or,
)
from runs.lamina.web_links import addresses_in, is_nothing_but_addresses

State = Literal["queued", "running", "completed", "failed", "cancelled"]
OutputState = Literal["pending", "completed", "error", "cancelled"]

_STATES: dict[str, State] = {
    "queued": "queued",
    "running": "running",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
_OUTPUT_STATES: dict[str, OutputState] = {
    "pending": "pending",
    "completed": "completed",
    "error": "error",
    "failed": "error",
    "cancelled": "cancelled",
    "canceled": "cancelled",
}
LONGEST_WORK_SECONDS = 7 * 24 * 3600.0
_FINAL = frozenset({"completed", "failed", "cancelled"})
_MEDIA = frozenset({"image", "video", "audio"})


class Thumbnail(Remote):
    """An app's thumbnail; `type` may also be "video"."""

    url: NeededText
    type: Annotated[str, word_or("image")] = "image"


class AppSummary(Remote):
    """An app as listed in the catalogue."""

    app_id: NeededId
    name: Text = ""
    description: Text = ""
    modality: Word = ""
    output_formats: Texts = Field(
        default_factory=list,
        validation_alias=AliasChoices("outputFormats", AliasPath("capabilities", "outputFormats")),
    )
    produces: Texts = Field(
        default_factory=list, validation_alias=AliasChoices("produces", AliasPath("capabilities", "produces"))
    )
    thumbnail: Annotated[Thumbnail | None, BeforeValidator(or_none(Thumbnail))] = None


class Parameter(Remote):
    """An input of an app. `name` is sent back to Lamina unchanged. If `default` is missing or null, the input is
    required."""

    id: Text = ""
    key: Text = ""
    name: Text = ""
    type: Annotated[str, word_or("text")] = "text"
    description: Text = ""
    options: Texts = Field(default_factory=list)
    default: Any = None
    accept: Texts = Field(default_factory=list)
    multiple: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _name_it(cls, data: Any) -> Any:
        """If the name is missing, use the key or id as the name. If the input has neither, raise ValueError, because
        there'd be no way to send a value for it."""
        if not isinstance(data, dict) or coerce.as_text(data.get("name")):
            return data
        handle = coerce.as_text(data.get("key")) or coerce.as_text(data.get("id"))
        if not handle:
            raise ValueError("no name")
        return {**data, "name": handle}

    @property
    def has_default(self) -> bool:
        return self.default is not None

    def as_json(self) -> dict[str, Any]:
        """Return JSON data that can be read back as an equal Parameter; `default` is left out if there is none."""
        return self.model_dump(exclude=None if self.has_default else {"default"})


class OutputDescriptor(Remote):
    """An output that an app says it produces. `index` is unique; labels may repeat."""

    index: Annotated[int, BeforeValidator(lambda value: -1 if value is None else coerce.as_count(value))] = -1
    label: Text = ""
    type: Annotated[str, word_or("unknown")] = "unknown"

    def as_json(self) -> dict[str, Any]:
        return self.model_dump()


def _numbered(outputs: list[OutputDescriptor]) -> list[OutputDescriptor]:
    """Keep the given indexes if they are unique; otherwise, number the outputs by position. Give every output a
    label."""
    numbers = [output.index for output in outputs]
    is_usable = len(set(numbers)) == len(numbers) and all(index >= 0 for index in numbers)
    indexes = numbers if is_usable else range(len(outputs))
    return [
        output.model_copy(update={"index": index, "label": output.label or f"Output {index + 1}"})
        for output, index in zip(outputs, indexes, strict=True)
    ]


class AppDetail(Remote):
    """An app with its inputs, and with the outputs it says it produces (none in the older dialect)."""

    app_id: NeededId
    name: Text = ""
    description: Text = ""
    parameters: Annotated[list[Parameter], BeforeValidator(each(Parameter))] = Field(default_factory=list)
    outputs: Annotated[list[OutputDescriptor], BeforeValidator(each(OutputDescriptor)), AfterValidator(_numbered)] = (
        Field(default_factory=list)
    )


def _as_dimensions(value: Any) -> tuple[int, int] | None:
    match value:
        case {"width": width, "height": height} | [width, height] | (width, height):
            pair = coerce.as_count(width), coerce.as_count(height)
            return pair if all(pair) else None
        case _:
            return None


class RemoteOutput(Remote):
    """One output of a run. Check `state`, not `type`: a failed output keeps the type "pending"."""

    id: MaybeId = ""
    label: Text = ""
    type: Annotated[str, word_or("pending")] = "pending"
    value: Any = None
    status: Word = ""
    error: Text = ""
    dimensions: Annotated[tuple[int, int] | None, BeforeValidator(_as_dimensions)] = None
    duration_seconds: MaybeNumber = None

    @property
    def state(self) -> OutputState:
        """The output's state. An unknown status counts as pending; an output with a value but no status (as in
        responses to feedback) counts as completed."""
        if not self.status:
            return "completed" if self.has_value else "pending"
        return _OUTPUT_STATES.get(self.status.lower(), "pending")

    def state_once(self, *, is_over: bool) -> OutputState:
        """The output's state, once the run is over if `is_over`: then a value counts even if the output's status is
        unknown, because it was paid for."""
        return "completed" if is_over and self.state == "pending" and self.has_value else self.state

    @property
    def has_value(self) -> bool:
        return self.value not in (None, "", [], {})

    @property
    def is_ready(self) -> bool:
        return self.state == "completed" and self.has_value

    @property
    def is_over(self) -> bool:
        return self.state != "pending"

    @property
    def urls(self) -> list[str]:
        """All http(s) URLs in the value, in order, without duplicates; empty for a text output, whose URLs are just
        part of the text."""
        return [] if self.type.lower() == "text" else addresses_in(self.value)

    @property
    def files(self) -> dict[int, "RemoteOutput"]:
        """If the value is a list of files, each of them as an output of its own, keyed by its number in the list (from
        1); empty if the value is anything else, or a list of one file.

        Empty and repeated items are left out, but the others keep their numbers: whenever the list is read, each file
        has the same one.
        """
        by_address: dict[str, tuple[int, Any]] = {}
        for number, item in enumerate(self._items, 1):
            addresses = addresses_in(item)
            is_media = self.type.lower() in _MEDIA or is_nothing_but_addresses(item)
            if item not in (None, "", [], {}) and (len(addresses) != 1 or not is_media):
                return {}
            for address in addresses:
                by_address.setdefault(address, (number, item))
        files = {number: self.model_copy(update={"value": item}) for number, item in by_address.values()}
        return {} if len(files) == 1 and 1 in files else files

    @property
    def _items(self) -> list[Any]:
        """The items of a value that is a list, or text with nothing but URLs."""
        if self.type.lower() == "text":
            return []
        if isinstance(self.value, str) and is_nothing_but_addresses(self.value):
            return addresses_in(self.value)
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> str:
        """The value as text, with lists and objects as readable JSON; empty if the value consists only of URLs."""
        if not self.has_value or (self.type.lower() != "text" and is_nothing_but_addresses(self.value)):
            return ""
        return coerce.as_text(self.value) or json.dumps(self.value, ensure_ascii=False, indent=2)


Outputs = Annotated[list[RemoteOutput], BeforeValidator(each(RemoteOutput))]
RunId = Annotated[NeededId, Field(validation_alias=AliasChoices("runId", "executionId"))]


class RunStarted(Remote):
    """Lamina's confirmation that a run was started."""

    run_id: RunId
    status: Annotated[str, word_or("queued")] = "queued"
    outputs: Outputs = Field(default_factory=list)


class _RunState(Remote):
    run_id: RunId
    workflow_id: MaybeId = ""
    status: Word = ""
    error_message: Text = ""
    created_at: Time = None
    started_at: Time = None
    completed_at: Time = None

    @property
    def state(self) -> State:
        """The state that the status stands for (ignoring case); unknown statuses count as running."""
        return _STATES.get(self.status.lower(), "running")

    @property
    def is_final(self) -> bool:
        return self.state in _FINAL

    @property
    def work_seconds(self) -> float | None:
        """Seconds from the run's creation to its end, by Lamina's clock; None if the times are missing or
        implausible."""
        if self.created_at is None or self.completed_at is None:
            return None
        seconds = (self.completed_at - self.created_at).total_seconds()
        return seconds if 0 <= seconds <= LONGEST_WORK_SECONDS else None

    @property
    def queued_seconds(self) -> float | None:
        """Seconds the run spent in Lamina's queue, by Lamina's clock; None if unknown or implausible."""
        if self.created_at is None or self.started_at is None:
            return None
        seconds = (self.started_at - self.created_at).total_seconds()
        return seconds if 0 <= seconds <= LONGEST_WORK_SECONDS else None

    @property
    def is_insufficient_credits(self) -> bool:
        return self.state == "failed" and tells_insufficient_credits(self.error_message)


class RunSnapshot(_RunState):
    """The current state of a run."""

    outputs: Outputs = Field(default_factory=list)


class RunRow(_RunState):
    """A run in the workspace's list, without its inputs or outputs. It may belong to another client."""


class RunRows(Remote):
    """One page of the run list, newest first. `skipped` is the number of unreadable rows; `total` is at least the
    number of runs seen so far."""

    rows: list[RunRow]
    total: int
    limit: int
    offset: int
    skipped: int = 0


class Account(Remote):
    """The account that the key belongs to."""

    email: Text = Field(default="", validation_alias=AliasChoices("email", AliasPath("user", "email")))
    workspace_name: Text = Field(
        default="", validation_alias=AliasChoices("workspaceName", AliasPath("workspace", "name"))
    )


class Usage(Remote):
    """How many credits the workspace has left, and how many it has spent in total; None means unknown, not zero."""

    balance: Credits = Field(default=None, validation_alias=AliasChoices("balance", AliasPath("credits", "balance")))
    spent: Credits = Field(
        default=None, validation_alias=AliasChoices("totalSpent", AliasPath("credits", "totalSpent"))
    )


def _estimated(name: str) -> AliasChoices:
    return AliasChoices(name, AliasPath("estimatedCredits", name))


class Estimate(Remote):
    """The estimated cost of a full run in credits; None means unknown, not free."""

    expected: Credits = Field(default=None, validation_alias=_estimated("expected"))
    min: Credits = Field(default=None, validation_alias=_estimated("min"))
    max: Credits = Field(default=None, validation_alias=_estimated("max"))


class UploadTarget(Remote):
    """Where to upload one file: the URL to PUT it to (without the key), and the URL to use in inputs."""

    filename: Text = ""
    upload_url: NeededText
    asset_url: NeededText
    content_type_hint: Text = ""
