"""Files after `collectstatic`: hashed names, in module imports too, and each stylesheet in one piece."""

import re
import shutil
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

from lamina_portal.static_files import PortalStaticFilesStorage
from tests.support.processes import ROOT

HASHED = r"\./\w+\.[0-9a-f]{12}\.js"
IMPORTS = re.compile(r"""(?:\bfrom |\bimport\(|^import )"([^"]+)\"""", re.M)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected") / "static"
    collect(ROOT / "static", folder)
    return folder


def collect(source: Path, folder: Path) -> None:
    """Do what `collectstatic` does: copy, then hash, join and compress."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    storage = PortalStaticFilesStorage(location=folder, base_url="/static/")
    done = list(storage.post_process({name: (FileSystemStorage(source), name) for name in names}))
    assert [entry for entry in done if isinstance(entry[2], Exception)] == []


def hashed(folder: Path, name: str) -> list[Path]:
    stem, _, kind = name.partition(".")
    return [path for path in folder.glob(f"{stem}.*.{kind}") if re.search(r"\.[0-9a-f]{12}\.", path.name)]


def test_every_import_of_a_module_names_a_file_by_its_hash(collected: Path) -> None:
    modules = [path.name for path in (ROOT / "static").glob("*.js")]
    assert "portal.js" in modules
    for module in modules:
        (path,) = hashed(collected, module)
        found = IMPORTS.findall(path.read_text())
        assert len(found) == len(IMPORTS.findall((ROOT / "static" / module).read_text()))
        for name in found:
            assert re.fullmatch(HASHED, name), f"{module} imports {name}"
            assert (collected / name).is_file()


def test_the_loader_imports_all_modules_and_they_import_it(collected: Path) -> None:
    """The imports are circular, so all our modules have the same hash; third-party files have their own."""
    (loader,) = hashed(collected, "portal.js")
    names = set(IMPORTS.findall(loader.read_text()))
    assert len(names) == len(list((ROOT / "static").glob("*.js"))) - 1
    assert {name.split(".")[-2] for name in names} == {loader.name.split(".")[1]}
    for name in names:
        assert f"./{loader.name}" in IMPORTS.findall((collected / name).read_text())


def test_a_module_that_changes_changes_the_names_of_all(collected: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "static", source)
    (source / "copy.js").write_text((source / "copy.js").read_text() + "\n// one more line\n")
    folder = tmp_path / "static"
    collect(source, folder)
    assert hashed(folder, "portal.js")[0].name != hashed(collected, "portal.js")[0].name
    assert hashed(folder, "portal.css")[0].name == hashed(collected, "portal.css")[0].name


def test_a_stylesheet_is_one_file(collected: Path) -> None:
    """The plain name, which error pages use, has the same content."""
    (sheet,) = hashed(collected, "portal.css")
    text = sheet.read_text()
    assert text == (collected / "portal.css").read_text()
    for part in ("vendor/pico/pico.css", "base/tokens.css", "base/utilities.css"):
        assert (ROOT / "static" / part).read_text() in text
    assert re.findall(r"@layer (\w+) \{", text)[0] == "pico"
    for path in collected.glob("*.css"):
        assert "@import" not in path.read_text(), path.name


def test_a_part_that_changes_changes_the_name_of_the_whole(collected: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "static", source)
    with (source / "base" / "tokens.css").open("a") as tokens:
        tokens.write(":root { --one-more: 0; }\n")
    folder = tmp_path / "static"
    collect(source, folder)
    assert hashed(folder, "portal.css")[0].name != hashed(collected, "portal.css")[0].name
    assert hashed(folder, "portal.js")[0].name == hashed(collected, "portal.js")[0].name


def test_collecting_again_changes_nothing(collected: Path) -> None:
    before = {path: path.read_bytes() for path in collected.rglob("*") if path.is_file() and path.suffix != ".gz"}
    collect(ROOT / "static", collected)
    assert {path: path.read_bytes() for path in before} == before
    assert len(hashed(collected, "portal.css")) == 1
