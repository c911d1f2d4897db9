"""Parses server-sent events by the rules of the HTML standard, independently of the portal's code."""

import re


def events_of(body: bytes) -> list[tuple[str, str]]:
    """Return the events in `body`, as (name, data). An event without a blank line after it doesn't count."""
    *lines, _ = re.split("\r\n|\n|\r", body.decode("utf-8", "replace").removeprefix("\ufeff"))
    found: list[tuple[str, str]] = []
    name, data = "", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            found += [(name, "\n".join(data))] if data else []
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
    return found
