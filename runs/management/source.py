"""Detects changed source files, for `make dev` and for a restart after an upgrade.

gunicorn's `--reload` option isn't enough: its main process would keep the old settings and worker class, and the task
worker wouldn't reload at all.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

WATCHED = ("lamina_portal", "runs", "templates", "gunicorn.conf.py", "requirements.txt", ".env")
ENDINGS = (".py", ".html", ".env")  # static files don't count: they are served as is


class Source:
    """The source files under `root`, which are checked at most once every `every` seconds."""

    def __init__(self, root: Path, every: float = 0.5) -> None:
        self.root = root
        self.every = every
        self._is_changed = False
        self._seen = self._look()

    def changed(self) -> list[str]:
        """Return the paths, relative to `root`, that were changed, added or removed since the last check."""
        if time.monotonic() - self._looked_at < self.every:
            return []
        before, self._seen = self._seen, self._look()
        differ = dict(before.items() ^ self._seen.items())
        return sorted(os.path.relpath(path, self.root) for path in differ)

    def is_unchanged(self) -> bool:
        """Return whether nothing has changed since the start. Once something has changed, this always returns False."""
        self._is_changed = self._is_changed or bool(self.changed())
        return not self._is_changed

    def _look(self) -> dict[str, int]:
        """Return the modification time of each watched file in nanoseconds, keyed by path."""
        self._looked_at = time.monotonic()
        times = {}
        for name in WATCHED:
            for path in _files(self.root / name):
                try:
                    times[path] = os.stat(path).st_mtime_ns  # noqa: PTH116 - a few hundred files, twice a second
                except FileNotFoundError:  # the file was removed, or an editor is replacing it right now
                    continue
        return times


def _files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    for folder, _, names in path.walk():
        yield from (f"{folder}/{name}" for name in names if name.endswith(ENDINGS))
