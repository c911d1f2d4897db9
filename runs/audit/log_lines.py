"""Writes a copy of each entry, as a line of JSON, to the logger `portal.audit`, for operators who collect logs
elsewhere."""

import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction

from runs.models.entry import Entry

logger = logging.getLogger("portal.audit")


def on_commit(entries: Sequence[Entry]) -> None:
    """Log `entries` once they are committed."""
    if logger.isEnabledFor(logging.INFO):
        lines = [json.dumps(line_of(entry), ensure_ascii=False) for entry in entries]
        transaction.on_commit(partial(_log, lines), robust=True)


def _log(lines: Sequence[str]) -> None:
    for line in lines:
        logger.info("%s", line)


def line_of(entry: Entry) -> dict[str, Any]:
    """Return the contents of an entry's log line."""
    return {
        "id": entry.public_id,
        "at": entry.at.isoformat(),
        "who": entry.actor_name,
        "who_id": entry.actor_id,
        "way": str(entry.way),
        "verb": entry.verb,
        "kind": entry.object_kind,
        "object": entry.object_id,
        "label": entry.object_label,
        "changes": entry.changes,
        "request": entry.request_id,
    }
