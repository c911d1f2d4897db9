"""Limits on what we store about an app. Text that's too long is cut short and ends in "…".

Values that must be sent back exactly (names, keys, options, output labels) are never shortened. If one of them is too
long, we either shorten it just for display, leave it out, or show a message instead of the form.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from runs.lamina.types import AppDetail, AppSummary, Parameter
from runs.models.messages import Message
from runs.schema_forms.questions import shortened

NAME_LENGTH = 300  # characters
DESCRIPTION_LENGTH = 2_000  # characters
MOST_PARAMETERS = 200
MOST_OPTIONS = 500  # maximum number of options stored for one field
MOST_OPTIONS_IN_ALL = 5_000  # maximum number of options in one form; each one makes its page larger
MOST_OUTPUTS = 200
SCHEMA_BYTES = 512 * 1024  # maximum size of a form as JSON
ADDRESS_LENGTH = 4_000  # characters; anything longer is embedded data, not a link
SAMPLES = 20  # maximum number of sample files copied for one app


@dataclass(frozen=True)
class FormSchema:
    """A form as it is stored in AppSchema, or the `problem` that explains why there is none."""

    parameters: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    problem: Message = field(default_factory=Message)

    @property
    def canonical(self) -> str:
        return json.dumps([self.parameters, self.outputs], sort_keys=True, ensure_ascii=True)


def name_of(app: AppSummary | AppDetail) -> str:
    return shortened(app.name, NAME_LENGTH)


def description_of(app: AppSummary | AppDetail) -> str:
    return shortened(app.description, DESCRIPTION_LENGTH)


def thumbnail_url_of(summary: AppSummary) -> str:
    """Return the URL of the app's thumbnail; "" if there is none, if the URL is too long, or if the thumbnail is a
    video."""
    thumbnail = summary.thumbnail
    return thumbnail.url if thumbnail and thumbnail.type == "image" and len(thumbnail.url) <= ADDRESS_LENGTH else ""


def schema_of(detail: AppDetail) -> FormSchema:
    """Return an app's form, or a problem if the form exceeds our limits."""
    count = len(detail.parameters)
    if count > MOST_PARAMETERS:
        return FormSchema([], [], Message("too_many_inputs", {"asked": count, "limit": MOST_PARAMETERS}))
    if len(detail.outputs) > MOST_OUTPUTS:
        return FormSchema([], [], Message("too_many_results", {"made": len(detail.outputs), "limit": MOST_OUTPUTS}))
    parameters = [_bounded(parameter) for parameter in detail.parameters]
    if sum(len(one["options"]) for one in parameters) > MOST_OPTIONS_IN_ALL:
        options = sum(len(parameter.options) for parameter in detail.parameters)
        return FormSchema([], [], Message("too_many_options", {"asked": options, "limit": MOST_OPTIONS_IN_ALL}))
    outputs = [{"index": o.index, "label": o.label, "type": o.type} for o in detail.outputs]
    schema = FormSchema(parameters, outputs)
    size_bytes = len(json.dumps([parameters, outputs], ensure_ascii=False).encode())
    if size_bytes > SCHEMA_BYTES:
        values = {"size_bytes": size_bytes, "limit_bytes": SCHEMA_BYTES}
        return FormSchema([], [], Message("form_too_large", values))
    return schema


def _bounded(parameter: Parameter) -> dict[str, Any]:
    """Return `parameter` as we store it: the description is shortened, and only the first options and the default are
    kept."""
    values = parameter.as_json()
    values["description"] = shortened(parameter.description, DESCRIPTION_LENGTH)
    if len(parameter.options) > MOST_OPTIONS:
        first = parameter.options[:MOST_OPTIONS]
        own = [parameter.default] if parameter.default in parameter.options[MOST_OPTIONS:] else []
        values |= {"options": [*first[: MOST_OPTIONS - len(own)], *own], "options_total": len(parameter.options)}
    return values
