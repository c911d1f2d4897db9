"""Tells which files of the portal's own source have changed, for `make dev`.

gunicorn's `--reload` would not do: its main process keeps the settings and our worker class as it first read them, and
the worker of the queue would stay as it was.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

WATCHED = ("lamina_portal", "runs", "templates", "gunicorn.conf.py", ".env")
ENDINGS = (".py", ".html", ".env")  # static files are served as they are


class Source:
    """The source under `root`, looked at once in `every` seconds at most."""

    def __init__(self, root: Path, every: float = 0.5) -> None:
        self.root = root
        self.every = every
        self._seen = self._look()

    def changed(self) -> list[str]:
        """Paths, relative to `root`, that were changed, added or removed since the last look."""
        if time.monotonic() - self._looked_at < self.every:
            return []
        before, self._seen = self._seen, self._look()
        differ = dict(before.items() ^ self._seen.items())
        return sorted(os.path.relpath(path, self.root) for path in differ)

    def _look(self) -> dict[str, int]:
        """Path of each watched file -> time of its last change in nanoseconds."""
        self._looked_at = time.monotonic()
        found = {}
        for name in WATCHED:
            for path in _files(self.root / name):
                try:
                    found[path] = os.stat(path).st_mtime_ns  # noqa: PTH116 - some hundred files, twice a second
                except FileNotFoundError:  # removed since, or replaced just now by an editor
                    continue
        return found


def _files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    for folder, _, names in path.walk():
        yield from (f"{folder}/{name}" for name in names if name.endswith(ENDINGS))
