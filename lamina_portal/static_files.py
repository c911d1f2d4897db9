"""Stores static files: minified, joined into a few files, and with a content hash in each file name.

Imports in our modules use these names too. A stylesheet lists its parts with ordinary CSS imports: `@import
url("base/tokens.css") layer(tokens);`. Browsers could load the stylesheet and our modules as they are, with one request
for each part, but `collectstatic` joins the parts (see `joined_files.py`).

All our modules share one hash of their combined content. `portal.js` and the other modules import each other, so a
module's name can't contain a hash of its own content. Sharing one hash also means that a page never mixes modules from
two versions.

`collectstatic` runs whenever the portal starts. Compressing takes most of its time, so files that haven't changed since
the last start aren't compressed again.
"""

import gzip
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import brotli
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

from lamina_portal.joined_files import MODULE, JoinedModules, JoinedStylesheets, Paths


class PortalStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """The portal's static files, as `collectstatic` stores them for whitenoise."""

    support_js_module_import_aggregation = True
    _modules_hash = ""

    def create_compressor(self, **options: Any) -> "KeepingCompressor":
        return KeepingCompressor(**options)

    def file_hash(self, name: str | None, content: Any = None) -> str | None:
        if self._modules_hash and MODULE.fullmatch(name or ""):  # `name` is None for the manifest's hash
            return self._modules_hash
        found: str | None = super().file_hash(name, content)
        return found

    def post_process(self, paths: Paths, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        if dry_run:
            return
        sheets, modules = JoinedStylesheets(paths), JoinedModules(paths)
        names = [name for name in paths if name.endswith(".css")]
        for name in names:  # store them under their plain names too, which error pages use
            self.delete(name)
            self.save(name, sheets.open(name))
        sources = sha256()
        for name, text in sorted(modules.sources.items()):
            sources.update(name.encode() + b"\0" + text.encode() + b"\0")
        self._modules_hash = sources.hexdigest()[:12]
        whole = {name: paths[name] for name in paths if name not in modules.sources}
        joined: Paths = {name: (sheets, name) for name in names} | {name: (modules, name) for name in modules.files}
        yield from super().post_process(whole | joined, dry_run=dry_run, **options)


class KeepingCompressor(Compressor):  # type: ignore[misc] # whitenoise has no types
    """Compresses files, but reuses existing compressed files if the content hasn't changed."""

    def compress(self, path: str) -> list[str]:
        kept = [f"{path}.br", f"{path}.gz"]
        if _is_made_from(Path(path).read_bytes(), *map(Path, kept)):
            return kept
        made: list[str] = super().compress(path)
        return made


def _is_made_from(content: bytes, with_brotli: Path, with_gzip: Path) -> bool:
    """Return whether both compressed files exist and contain `content`."""
    try:
        return (
            brotli.decompress(with_brotli.read_bytes()) == content
            and gzip.decompress(with_gzip.read_bytes()) == content
        )
    except (OSError, EOFError, zlib.error, brotli.error):  # missing, or only half written
        return False
