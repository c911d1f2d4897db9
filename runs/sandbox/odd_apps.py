"""Extreme apps of whatever size a test asks for, and any number of plain apps."""

from collections.abc import Callable
from typing import Any

from runs.sandbox.catalogue import App

PICTURE = {"index": 0, "label": "Picture", "type": "image"}
LINE = "A line that says very little, over and over. "


def plain(number: int, _: int) -> App:
    parameters = [{"id": f"p{number}-1", "key": "prompt_text", "name": "Prompt", "type": "text", "default": ""}]
    return _app(f"Plain app {number}", f"Test card: one of many, number {number}.", parameters)


def many_parameters(_: int, size: int) -> App:
    """Return an app with `size` optional text parameters."""
    parameters = [
        {"id": f"mp-{n}", "key": f"field_{n}_text", "name": f"Field {n}", "type": "text", "default": ""}
        for n in range(1, size + 1)
    ]
    return _app("Very many parameters", f"Test card: {size} parameters.", parameters)


def many_options(_: int, size: int) -> App:
    """Return an app whose only parameter has `size` options, some of which end in a significant space."""
    options = [f"Option {n}{' ' if n % 10 == 0 else ''}" for n in range(1, size + 1)]
    parameter = {"id": "mo-1", "key": "choice_text", "name": "Choice", "type": "options", "options": options}
    return _app("Very many options", f"Test card: {size} options.", [parameter])


def long_description(_: int, size: int) -> App:
    """Return an app with a description of `size` characters."""
    start = "Test card: a very long description. "
    return _app("Very long description", (start + LINE * (size // len(LINE) + 1))[:size], [])


def long_labels(_: int, size: int) -> App:
    """Return an app with labels of `size` characters, which callers must send back unchanged."""

    def long(start: str) -> str:
        return (f"{start} " + "long label " * size)[: size - 1] + "."

    option = {"id": "ll-1", "name": long("Parameter"), "type": "options", "options": [long("One"), long("Two")]}
    app = _app("Very long labels", "Test card: labels without an end.", [option])
    return app | {"name": long("Test card:"), "outputs": [PICTURE | {"label": long("Output")}]}


def large_schema(_: int, size: int) -> App:
    """Return an app whose details exceed `size` bytes but stay within all other limits: each description is only 1,900
    characters long."""
    text = (LINE * 50)[:1900]
    parameters: list[dict[str, Any]] = [
        {"id": f"ls-{n}", "key": f"field_{n}_text", "name": f"Field {n}", "type": "text", "default": "",
         "description": text}
        for n in range(1, 61)
    ]  # fmt: skip
    options = [f"{n}: {text}" for n in range(1, max(0, size - 60 * 2000) // 1900 + 2)]
    parameters.append({"id": "ls-0", "name": "Choice", "type": "options", "options": options, "default": options[0]})
    return _app("Very large schema", f"Test card: a detail of over {size} bytes.", parameters)


def only_key(_: int, __: int) -> App:
    """Return an app that accepts inputs only by `key`, even though they have names and ids."""
    return _app("Only by key", "Test card: takes inputs by key only.", _three()) | {"sandbox": {"names": ["key"]}}


def only_id(_: int, __: int) -> App:
    """Return an app whose inputs have no keys and are accepted only by `id`."""
    parameters = [{k: v for k, v in parameter.items() if k != "key"} for parameter in _three()]
    return _app("Only by id", "Test card: takes inputs by id only.", parameters) | {"sandbox": {"names": ["id"]}}


def _three() -> list[dict[str, Any]]:
    return [
        {"id": "on-1", "key": "title_text", "name": "Title", "type": "text"},
        {"id": "on-2", "key": "style_text", "name": "Style", "type": "options", "options": ["Calm ", "Loud"]},
        {"id": "on-3", "key": "photo_image_url", "name": "Photo", "type": "url", "accept": ["image"],
         "default": "https://example.com/photo.jpg"},
    ]  # fmt: skip


def _app(name: str, description: str, parameters: list[dict[str, Any]]) -> App:
    return {"name": name, "description": description, "parameters": parameters, "outputs": [PICTURE]}


# For each kind: the function that makes such an app, and the default size.
KINDS: dict[str, tuple[Callable[[int, int], App], int]] = {
    "plain": (plain, 0),
    "many_parameters": (many_parameters, 3000),
    "many_options": (many_options, 501),
    "long_description": (long_description, 3 * 1024 * 1024),
    "long_labels": (long_labels, 1000),
    "large_schema": (large_schema, 512 * 1024),
    "only_key": (only_key, 0),
    "only_id": (only_id, 0),
}


def make(kind: str, count: int, size: int | None) -> list[App]:
    """Make `count` apps of one kind with the ids `odd-KIND`, `odd-KIND-2`, … Raises KeyError for unknown kinds."""
    maker, usual = KINDS[kind]
    first = f"odd-{kind.replace('_', '-')}"
    apps = [maker(number, usual if size is None else size) for number in range(1, count + 1)]
    return [
        app | {"appId": first if number == 1 else f"{first}-{number}", "thumbnail": None}
        for number, app in enumerate(apps, 1)
    ]
