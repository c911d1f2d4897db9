"""How static files are stored: under names with a hash of their content, and with each stylesheet as a single file.

Imports in our modules use these names, too. A stylesheet lists its parts with ordinary CSS imports: `@import
url("base/tokens.css") layer(tokens);`. Browsers can load it unchanged, with one request per part; `collectstatic`
replaces the imports with the parts.

All our modules share one hash, computed from all of them: `portal.js` imports the others and they import it, so no
module's name can contain a hash of its own content. This also keeps pages from mixing modules from two versions.
"""

import posixpath
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

Paths = dict[str, tuple[Storage, str]]  # the source of each file, by name
IMPORT = re.compile(r'^@import url\("(?P<url>[\w./-]+\.css)"\) layer\((?P<layer>\w+)\);$', re.M)
MODULE = re.compile(r"\w+\.js")  # only ours; third-party modules are in folders


class JoinedStylesheets(Storage):
    """The stylesheets in `paths`, with each import replaced by the part it names."""

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
    """The portal's static files, as `collectstatic` stores them for whitenoise."""

    support_js_module_import_aggregation = True
    _modules_hash = ""

    def file_hash(self, name: str | None, content: Any = None) -> str | None:
        if self._modules_hash and MODULE.fullmatch(name or ""):  # no name is given for the manifest
            return self._modules_hash
        found: str | None = super().file_hash(name, content)
        return found

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if dry_run:
            return
        sheets = JoinedStylesheets(paths)
        names = [name for name in paths if name.endswith(".css")]
        for name in names:  # also under the plain names, which error pages use
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
