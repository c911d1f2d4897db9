"""Joins stylesheets with their imports, and small modules with the modules that import them, so that browsers load
fewer files.

Both classes return the text that browsers get: all the parts in one, without comments or indentation.
"""

import posixpath
import re
from collections.abc import Iterable
from functools import cached_property

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

Paths = dict[str, tuple[Storage, str]]  # the storage and path of each source file, by name
LOADER = "portal.js"
MODULE = re.compile(r"\w+\.js")  # matches only our own modules; third-party modules are in folders
IMPORTED_SHEET = re.compile(r'^@import url\("(?P<url>[\w./-]+\.css)"\) layer\((?P<layer>\w+)\);$', re.M)
IMPORTED_MODULE = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"\./(?P<module>\w+\.js)";\n', re.M)
LOADED_MODULE = re.compile(r'\bimport\("\./(\w+\.js)"\)')
SHEET_GAP = re.compile(r'(?P<kept>"(?:[^"\\]|\\.)*")|(?:/\*.*?\*/|\s)+', re.S)
SHEET_EDGE = re.compile(r'(?P<kept>"(?:[^"\\]|\\.)*")| ?(?P<edge>[{};,]) ?|(?P<colon>:) ')
# Matches only comments on their own lines, JSDoc type casts, and end-of-line comments without quotes, so that nothing
# inside a string is mistaken for a comment.
MODULE_COMMENT = re.compile(
    r"^[ \t]*/\*.*?\*/|^[ \t]*//[^\n]*|(?<=[\s(])/\*\* @\w[^*]*\*/ ?|[ \t]// [^\n\"'`]*$", re.M | re.S
)


def small_sheet(text: str) -> str:
    """Return the stylesheet `text` without comments or unnecessary spaces."""
    text = SHEET_GAP.sub(lambda found: found["kept"] or " ", text)
    text = SHEET_EDGE.sub(lambda found: found["kept"] or found["edge"] or found["colon"], text)
    return text.replace(";}", "}").strip()


def small_module(text: str) -> str:
    """Return `text` (one of our modules, formatted by Biome) without comments, indentation or empty lines."""
    lines = MODULE_COMMENT.sub("", text).splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.strip())


class JoinedFiles(Storage):
    """Storage that returns, for each file in `paths`, the text that `joined` builds for it."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths

    def _open(self, name: str, mode: str = "rb") -> "ContentFile[bytes]":
        return ContentFile(self.joined(name).encode(), name)

    def source(self, name: str) -> str:
        storage, path = self.paths[name]
        with storage.open(path) as file:
            text: str = file.read().decode()
            return text

    def joined(self, name: str) -> str:
        raise NotImplementedError


class JoinedStylesheets(JoinedFiles):
    """Stylesheets, with each import replaced by the stylesheet that it imports."""

    def joined(self, name: str) -> str:
        return small_sheet(self._whole(name))

    def _whole(self, name: str) -> str:
        def part(found: re.Match[str]) -> str:
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), found["url"]))
            return f"@layer {found['layer']} {{\n{self._whole(inner)}}}"

        return IMPORTED_SHEET.sub(part, self.source(name))


class JoinedModules(JoinedFiles):
    """Our modules. A module that only one other module imports is merged into that module, and `portal.js` contains all
    the modules it imports, directly or indirectly.

    The modules in one file share a namespace, so no two of them may define the same name; a test checks this.
    """

    @cached_property
    def sources(self) -> dict[str, str]:
        return {name: self.source(name) for name in self.paths if MODULE.fullmatch(name)}

    @cached_property
    def imports(self) -> dict[str, list[str]]:
        """The static imports of each module."""
        return {
            name: [found["module"] for found in IMPORTED_MODULE.finditer(text)] for name, text in self.sources.items()
        }

    @cached_property
    def homes(self) -> dict[str, str]:
        """Each module's home: the module whose file it ends up in."""
        homes = dict.fromkeys(self._reach(LOADER), LOADER)
        loaded = set(LOADED_MODULE.findall("".join(self.sources.values())))
        for name in self.sources:
            importers = [other for other, names in self.imports.items() if name in names]
            is_part = len(importers) == 1 and name not in loaded
            homes.setdefault(name, importers[0] if is_part else name)
        return homes

    @property
    def files(self) -> set[str]:
        return set(self.homes.values())

    def _reach(self, name: str) -> list[str]:
        """Return `name`, preceded by all the modules it imports (directly or indirectly), in the order that browsers
        run them."""
        found: list[str] = []
        for inner in self.imports[name]:
            found += [one for one in self._reach(inner) if one not in found]
        return [*found, name]

    def joined(self, name: str) -> str:
        parts = [one for one in self._reach(name) if self.homes[one] == name]
        body = "".join(small_module(IMPORTED_MODULE.sub("", self.sources[part])) for part in parts)
        return f"{self._imports_of(parts)}{body}"

    def _imports_of(self, parts: Iterable[str]) -> str:
        """Return the lines that import what `parts` need from other files."""
        names: dict[str, set[str]] = {}
        for part in parts:
            for found in IMPORTED_MODULE.finditer(self.sources[part]):
                if found["module"] not in parts:
                    used = {name.strip() for name in (found["names"] or "").split(",")}
                    names.setdefault(self.homes[found["module"]], set()).update(used - {""})
        return "".join(f'import {{ {", ".join(sorted(used))} }} from "./{home}";\n' for home, used in names.items())
