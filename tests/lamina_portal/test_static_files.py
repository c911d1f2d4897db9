"""Files after `collectstatic`: their names contain hashes, even where modules import them, and stylesheets and modules
contain their parts."""

import gzip
import re
import shutil
from pathlib import Path

import brotli
import pytest
from django.core.files.storage import FileSystemStorage

from lamina_portal.joined_files import JoinedModules, small_module, small_sheet
from lamina_portal.static_files import PortalStaticFilesStorage
from tests.support.processes import ROOT

HASHED = r"\./\w+\.[0-9a-f]{12}\.js"
IMPORTS = re.compile(r"""(?:\bfrom |\bimport\(|^import )"([^"]+)\"""", re.M)
SOURCES = [path.name for path in (ROOT / "static").glob("*.js")]
FILES = JoinedModules({name: (FileSystemStorage(ROOT / "static"), name) for name in SOURCES}).files


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected") / "static"
    collect(ROOT / "static", folder)
    return folder


def collect(source: Path, folder: Path) -> None:
    """Do what `collectstatic` does: copy the files, then hash, join and compress them."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    storage = PortalStaticFilesStorage(location=folder, base_url="/static/")
    done = list(storage.post_process({name: (FileSystemStorage(source), name) for name in names}))
    assert [entry for entry in done if isinstance(entry[2], Exception)] == []


def hashed(folder: Path, name: str) -> list[Path]:
    stem, _, kind = name.partition(".")
    return [path for path in folder.glob(f"{stem}.*.{kind}") if re.search(r"\.[0-9a-f]{12}\.", path.name)]


def test_every_import_of_a_module_names_a_file_by_its_hash(collected: Path) -> None:
    assert {"portal.js", "app_form.js"} < FILES
    for module in FILES:
        (path,) = hashed(collected, module)
        for name in IMPORTS.findall(path.read_text()):
            assert re.fullmatch(HASHED, name), f"{module} imports {name}"
            assert (collected / name).is_file()


def test_the_loader_imports_all_modules_and_they_import_it(collected: Path) -> None:
    """The imports are circular, so all our modules share one hash; each third-party file has a hash of its own."""
    (loader,) = hashed(collected, "portal.js")
    names = set(IMPORTS.findall(loader.read_text()))
    assert len(names) == len(FILES) - 1
    assert {name.split(".")[-2] for name in names} == {loader.name.split(".")[1]}
    for name in names:
        assert f"./{loader.name}" in IMPORTS.findall((collected / name).read_text())


def test_a_module_contains_its_parts(collected: Path) -> None:
    """A module contains the parts that only it imports; `portal.js` contains what all other modules import from it."""
    for whole, part in (("portal.js", "live.js"), ("portal.js", "helpers.js"), ("app_form.js", "app_files.js")):
        assert hashed(collected, part) == []
        (path,) = hashed(collected, whole)
        text = path.read_text()
        exported = re.findall(r"^export const \w+", (ROOT / "static" / part).read_text(), re.M)
        assert len(exported) > 1
        for start in exported:
            assert start in text
        assert f"./{part}" not in text
    (sharing,) = hashed(collected, "sharing.js")
    assert len(re.findall(r'\blook\b.* from "\./portal\.', sharing.read_text())) == 1


def test_what_has_not_changed_is_not_compressed_again(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "static"
    source.mkdir()
    (source / "portal.js").touch()  # without it, there are no modules to join
    for name in ("same.txt", "changed.txt", "broken.txt"):
        (source / name).write_text(name * 100)
    collect(source, folder)
    compressed = [folder / "same.txt.br", folder / "same.txt.gz", *folder.glob("same.*.txt.*")]
    assert len(compressed) == 4
    before = [path.stat().st_ctime_ns for path in compressed]
    (source / "changed.txt").write_text("another text" * 100)
    (folder / "broken.txt.gz").write_bytes((folder / "broken.txt.gz").read_bytes()[:-9])

    collect(source, folder)

    assert [path.stat().st_ctime_ns for path in compressed] == before
    assert brotli.decompress((folder / "changed.txt.br").read_bytes()) == b"another text" * 100
    assert gzip.decompress((folder / "changed.txt.gz").read_bytes()) == b"another text" * 100
    assert gzip.decompress((folder / "broken.txt.gz").read_bytes()) == b"broken.txt" * 100


def test_files_are_small_but_say_the_same() -> None:
    sheet = (
        '/* a */ @media (width > 2px) { a, b { color : red; &:hover { content: "; /* x */ " } } }\n/* b */ b > i { }'
    )
    said = '@media (width > 2px){a,b{color :red;&:hover{content:"; /* x */ "}}}b > i{}'
    assert small_sheet(sheet) == said
    module = '/** @type {A} */\nconst a = /** @type {B} */ (b); // c\n\n\t// d\n\tconst e = "f // g";\n/* h\n i */\n'
    assert small_module(module) == 'const a = (b);\nconst e = "f // g";\n'


def test_a_module_that_changes_changes_the_names_of_all(collected: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "static", source)
    (source / "copy.js").write_text((source / "copy.js").read_text() + "\n// one more line\n")
    folder = tmp_path / "static"
    collect(source, folder)
    assert hashed(folder, "portal.js")[0].name != hashed(collected, "portal.js")[0].name
    assert hashed(folder, "portal.css")[0].name == hashed(collected, "portal.css")[0].name


def test_a_stylesheet_is_one_file(collected: Path) -> None:
    """The copy without a hash in its name, which error pages use, has the same content."""
    (sheet,) = hashed(collected, "portal.css")
    text = sheet.read_text()
    assert text == (collected / "portal.css").read_text()
    for part in ("vendor/pico/pico.css", "base/tokens.css", "base/utilities.css"):
        assert small_sheet((ROOT / "static" / part).read_text()) in text
    assert re.findall(r"@layer (\w+)\{", text)[0] == "pico"
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
    before = {
        path: path.read_bytes() for path in collected.rglob("*") if path.is_file() and path.suffix not in (".gz", ".br")
    }
    collect(ROOT / "static", collected)
    assert {path: path.read_bytes() for path in before} == before
    assert len(hashed(collected, "portal.css")) == 1
