"""Files after `collectstatic`: their names contain a hash, also where modules and stylesheets import them."""

import re
from pathlib import Path

import pytest

from tests.support.processes import Home

IMPORTS = re.compile(r"""(?:\bfrom |\bimport\(|\bimport|@import url\()\s*["'](?P<name>[^"']+)["']""")
HASH = re.compile(r"\.[0-9a-f]{12}\.(?:js|css)$")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("collected"))
    home.collect_static()
    (folder,) = home.folder.rglob("static")
    return folder


@pytest.mark.parametrize("kind", ["js", "css"])
def test_every_import_names_a_file_by_its_hash(collected: Path, kind: str) -> None:
    imports = [
        (path.parent / name)
        for path in collected.glob(f"*.{kind}")
        if HASH.search(path.name)
        for name in IMPORTS.findall(path.read_text())
    ]
    assert len(imports) > 10
    assert [path for path in imports if not HASH.search(path.name) or not path.is_file()] == []


def test_every_file_is_compressed(collected: Path) -> None:
    large = [path for path in collected.rglob("*.*.js") if path.stat().st_size > 1000]
    assert large
    assert [path for path in large if not path.with_name(f"{path.name}.br").is_file()] == []
