"""How static files are stored: under names that carry a hash of their content, modules and their imports included, and
each stylesheet as one file.

A stylesheet names its parts as CSS does: `@import url("base/tokens.css") layer(tokens);`. Browsers understand it as it
stands, at the cost of a request a part. `collectstatic` puts the parts in their place.

Our modules carry one hash, that of all of them together: `portal.js` loads the others, and they import what it shares.
Names made of each one's content could not stand in each other. And no page mixes modules of two versions.
"""

import posixpath
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

Paths = dict[str, tuple[Storage, str]]  # where each file comes from, by its name
IMPORT = re.compile(r'^@import url\("(?P<url>[\w./-]+\.css)"\) layer\((?P<layer>\w+)\);$', re.M)
MODULE = re.compile(r"\w+\.js")  # not of others: those lie in folders


class JoinedStylesheets(Storage):
    """Stylesheets among `paths`, each with its parts in the place of their imports."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def _open(self, name: str, mode: str = "rb") -> "ContentFile[bytes]":
        return ContentFile(self.joined(name).encode(), name)

    def joined(self, name: str) -> str:
        storage, path = self.paths[name]
        with storage.open(path) as file:
            text: str = file.read().decode()

        def part(found: re.Match[str]) -> str:
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), found["url"]))
            return f"@layer {found['layer']} {{\n{self.joined(inner)}}}"

        return IMPORT.sub(part, text)


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """The portal's static files, as `collectstatic` leaves them for whitenoise."""

    support_js_module_import_aggregation = True
    _modules_hash = ""

    def file_hash(self, name: str | None, content: Any = None) -> str | None:
        if self._modules_hash and MODULE.fullmatch(name or ""):  # the manifest has no name
            return self._modules_hash
        found: str | None = super().file_hash(name, content)
        return found

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if dry_run:
            return
        sheets = JoinedStylesheets(paths)
        names = [name for name in paths if name.endswith(".css")]
        for name in names:  # pages that come when nothing else works use the plain names
            self.delete(name)
            self.save(name, sheets.open(name))
        sources = sha256()
        for name in sorted(filter(MODULE.fullmatch, paths)):
            storage, path = paths[name]
            with storage.open(path) as file:
                sources.update(name.encode() + b"\0" + file.read() + b"\0")
        self._modules_hash = sources.hexdigest()[:12]
        joined: Paths = {name: (sheets, name) for name in names}
        yield from super().post_process(paths | joined, dry_run=dry_run, **options)
