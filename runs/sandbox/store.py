"""Writes every change to a single SQLite file right away, so that it survives `kill -9`."""

import json
import sqlite3
from pathlib import Path
from typing import Any


class Store:
    """Stores small JSON records by kind and id. Not thread-safe: callers must hold the world's lock.

    `synchronous=OFF` is safe enough: a power cut can lose writes, but a kill can't. A write takes about 50
    microseconds, so hundreds of runs can be started within a second.
    """

    def __init__(self, path: Path) -> None:
        self._is_closed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS records (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID"
        )

    def load(self, kind: str) -> dict[str, Any]:
        """Return all records of one kind, keyed by id."""
        rows = self._connection.execute("SELECT id, body FROM records WHERE kind = ?", (kind,))
        return {row[0]: json.loads(row[1]) for row in rows}

    def save(self, kind: str, record_id: str, body: Any) -> None:
        if self._is_closed:
            return  # stopping a sandbox has the same effect as killing it: threads that are still running can't write
        # ASCII escapes preserve lone surrogates and NULs; plain SQLite text wouldn't.
        values = (kind, record_id, json.dumps(body))
        self._connection.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", values)

    def clear(self, kind: str) -> None:
        self._connection.execute("DELETE FROM records WHERE kind = ?", (kind,))

    def close(self) -> None:
        self._is_closed = True
        self._connection.close()
