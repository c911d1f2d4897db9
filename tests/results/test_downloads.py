"""Downloads: one zip, with file names that work everywhere and a sheet that says where the results came from."""

import csv
import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage
from django.test import Client
from pytest_django import Settings

from runs.models import Member, Output, OutputFile, Run, StoredFile
from runs.results import downloads
from runs.storage.store import StorageAway
from runs.words.csv_cells import safe
from tests.support.factories import make_app, make_run, make_stored

pytestmark = pytest.mark.django_db
HOSTILE = {
    "markup": "<script>alert(1)</script>",
    "long": "x" * 200,
    "long in three bytes": "靴" * 200,
    "from right to left": "\u202e\u05ea\u05d5\u05e6\u05d0\u05d4\u200f",
    "emoji": "👩🏽‍🎨✨",
    "dots": "../../etc/passwd",
    "blank": " ",
    "device": "CON",
    "formula": "=HYPERLINK(A1)",
}


def keep(output: Output, **fields: object) -> StoredFile:
    file = make_stored()
    StoredFile.objects.filter(pk=file.pk).update(**fields)
    file.refresh_from_db()
    place = output.files.count()
    OutputFile.objects.create(output=output, source_url="https://x.test/", status="saved", file=file, position=place)
    return file


def opened(client: Client, query: str) -> zipfile.ZipFile:
    answer = client.get(f"/download/?{query}")
    assert answer.status_code == 200
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert int(answer.headers["Content-Length"]) == len(content)
    return zipfile.ZipFile(io.BytesIO(content))


def rows_of(archive: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read("provenance.csv").decode("utf-8-sig"))))


@pytest.fixture
def run(alice: Member) -> Run:
    made = make_run(alice, make_app(), status="completed", title="Red shoe", credits_estimated="12.50")
    front, back = made.outputs.all()
    keep(front)
    Output.objects.filter(pk=back.pk).update(kind="text", text="Läuft, „gut“", remote_id="remote-2")
    return made


def test_all_of_a_run_with_its_sheet(as_alice: Client, run: Run, settings: Settings) -> None:
    archive = opened(as_alice, f"r={run.public_id}")

    day = f"{run.created_at:%Y-%m-%d}"
    names = [f"red-shoe_front_{day}.png", f"red-shoe_back_{day}.txt", "provenance.csv"]
    assert archive.namelist() == names
    assert archive.testzip() is None
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    file = StoredFile.objects.get()
    assert archive.read(names[0]) == file.file.read()
    assert archive.read(names[1]).decode() == "Läuft, „gut“"
    front, back = rows_of(archive)
    assert (front["File"], front["App"], front["Result"], front["Input: Style"]) == (
        names[0],
        "Cartoonify!",
        "Front",
        "Ghibli",
    )
    assert (front["Made by"], front["SHA-256"], front["Run on Lamina"]) == ("Alice", file.sha256, run.remote_id)
    assert front["Owned by"] == "Alice"
    assert front["Credits for the whole run (estimate)"] == "12.5"
    assert back["Result on Lamina"] == "remote-2"
    assert back["Page"] == settings.PORTAL_URL + run.outputs.all()[1].get_absolute_url()


def test_some_of_it_and_each_once(as_alice: Client, run: Run) -> None:
    front = run.outputs.all()[0].public_id

    assert len(opened(as_alice, f"f={front}&f={front}&f=unknown").namelist()) == 2
    assert len(opened(as_alice, f"f={front}&r={run.public_id}").namelist()) == 3


def test_nothing_of_others(as_alice: Client, as_bob: Client, bob: Member, run: Run) -> None:
    theirs = make_run(bob, run.app, status="completed", title="Not hers")
    keep(theirs.outputs.all()[0])

    assert as_bob.get(f"/download/?r={run.public_id}").status_code == 404
    names = opened(as_alice, f"r={run.public_id}&r={theirs.public_id}").namelist()
    assert not [name for name in names if "not-hers" in name]
    assert as_alice.get("/download/").status_code == 404


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names(as_alice: Client, alice: Member, words: str) -> None:
    outputs = [{"index": n, "label": words, "type": "image"} for n in range(2)]
    run = make_run(alice, make_app(words, outputs=outputs), status="completed", title=words)
    run.inputs.update(name=words, value=words)
    for output in run.outputs.all():
        keep(output)
        keep(output)

    archive = opened(as_alice, f"r={run.public_id}")

    names = archive.namelist()
    assert len({name.casefold() for name in names}) == 5
    for name in names:
        assert len(name.encode()) <= 255
        assert not set(name) & set('/\\<>:"|?*\u202e\u200f ')
        assert name.strip(". ")
        assert name == "provenance.csv" or name.endswith(".png")
    rows = rows_of(archive)
    assert [row["File"] for row in rows] == names[:-1]
    assert {row[f"Input: {words}"] for row in rows} == {safe(words)}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "|x", "%x"])  # noqa: RUF001
def test_no_cell_is_a_formula(cell: str) -> None:
    assert safe(cell).startswith("'")
    assert safe(cell).replace("'", "") == cell
    assert safe(f"a{cell.strip()}") == f"a{cell.strip()}"


def test_a_file_has_the_same_name_alone_and_in_the_zip(as_alice: Client, alice: Member, run: Run) -> None:
    """The name stays the same whatever the order, and even if the run gets a new title or the zip contains another run
    with the same name."""
    outputs = [{"index": n, "label": "Front", "type": "image"} for n in range(2)]
    twice = make_run(alice, make_app(outputs=outputs), status="completed", title="Red shoe")
    files = [keep(output) for output in twice.outputs.all() for _ in range(2)]
    day = f"{run.created_at:%Y-%m-%d}"
    names = [f"red-shoe_front{number}_{day}.png" for number in ("", "_2", "_3", "_4")]

    assert [named(as_alice, f"{file.original_url}&download=1") for file in files] == names
    assert opened(as_alice, f"r={twice.public_id}").namelist()[:-1] == names
    last = twice.outputs.all()[1].public_id
    assert opened(as_alice, f"f={last}").namelist()[:-1] == names[2:]
    assert len(set(opened(as_alice, f"r={twice.public_id}&r={run.public_id}").namelist())) == 7
    assert f'download="{names[2]}"' in as_alice.get(f"/results/{last}/").content.decode()

    Run.objects.filter(pk=twice.pk).update(title="Blue shoe")
    url = f"{files[1].original_url}&download=1"
    assert named(as_alice, url) == f"blue-shoe_front_2_{day}.png"
    assert as_alice.get(url).headers["Cache-Control"] == "private, no-cache"


def named(client: Client, url: str) -> str:
    return client.get(url).headers["Content-Disposition"].split('"')[1]


def test_the_sheet_says_when_nothing_is_real(as_alice: Client, run: Run, settings: Settings) -> None:
    keep(run.outputs.all()[0])
    for is_sandbox, note in ((True, "Made by the sandbox: not a real result."), (False, "")):
        settings.IS_SANDBOX = is_sandbox
        assert {row["Note"] for row in rows_of(opened(as_alice, f"r={run.public_id}"))} == {note}


def test_what_is_missing_is_named(as_alice: Client, run: Run, settings: Settings) -> None:
    settings.IS_SANDBOX = False
    front = run.outputs.all()[0]
    Path(keep(front).file.path).unlink()
    OutputFile.objects.create(output=front, source_url="https://x.test/b", status="failed", position=2)

    archive = opened(as_alice, f"r={run.public_id}")

    assert len(archive.namelist()) == 3
    missing = [row["Note"] for row in rows_of(archive) if not row["File"]]
    assert missing == [downloads.GONE, downloads.NOT_SAVED]


def test_too_much_is_refused_with_a_sentence(as_alice: Client, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", 100)

    answer = as_alice.get(f"/download/?r={run.public_id}")

    assert answer.status_code == 422
    assert "A download can hold at most" in answer.content.decode()


def test_more_names_than_one_download_takes_are_refused_and_none_is_dropped(
    as_alice: Client, alice: Member, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MAX_RESULTS", 2)
    empty = [make_run(alice, make_app(), status="failed", outputs_total=0) for _ in range(2)]
    Output.objects.filter(run__in=empty).delete()
    runs = "&".join(f"r={one.public_id}" for one in [run, *empty])

    answer = as_alice.get(f"/download/?{runs}")

    assert answer.status_code == 422
    assert "You selected 3 items, but a download can hold at most 2." in answer.content.decode()
    assert as_alice.get(f"/download/?f=a&f=b&f={run.outputs.all()[0].public_id}").status_code == 422
    assert as_alice.get(f"/download/?r={run.public_id}&r={run.public_id}&r={run.public_id}").status_code == 200


def test_nothing_saved_yet_is_said(as_alice: Client, alice: Member) -> None:
    run = make_run(alice, make_app(), status="running")

    answer = as_alice.get(f"/download/?r={run.public_id}")

    assert answer.status_code == 404
    assert "Nothing to download yet" in answer.content.decode()


def test_a_large_video_costs_no_memory(as_alice: Client, run: Run) -> None:
    file = StoredFile.objects.get()
    with Path(file.file.path).open("wb") as video:
        video.truncate(60_000_000)
    StoredFile.objects.update(size_bytes=60_000_000, kind="video", media_type="video/mp4")
    answer = as_alice.get(f"/download/?r={run.public_id}", HTTP_ACCEPT_ENCODING="gzip")

    tracemalloc.start()
    sizes = [len(block) for block in answer.streaming_content]  # type: ignore[attr-defined]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sum(sizes) == int(answer.headers["Content-Length"]) > 60_000_000
    assert peak < 5_000_000
    assert not answer.has_header("Content-Encoding")


def test_a_text_alone(as_alice: Client, run: Run) -> None:
    answer = as_alice.get(f"/results/{run.outputs.all()[1].public_id}/text")

    assert answer.content.decode() == "Läuft, „gut“"
    assert 'attachment; filename="red-shoe_back_' in answer.headers["Content-Disposition"]


def test_a_storage_that_is_away_is_said(as_alice: Client, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> bool:
        raise StorageAway

    monkeypatch.setattr(FileSystemStorage, "exists", away)

    answer = as_alice.get(f"/download/?r={run.public_id}")

    assert answer.status_code == 503
    assert "Nothing is lost" in answer.content.decode()


@pytest.mark.parametrize("begin", [";", ";  ", "\n", "\r\n", "\t", ';"', '; "" '])
@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "＝"])  # noqa: RUF001 - the wide form is meant
def test_no_formula_begins_where_cells_are_parted_otherwise(begin: str, mark: str) -> None:
    """Double-clicking the sheet may open it in a program that splits cells at semicolons."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(map(safe, ["a", f"words{begin}{mark}1+1", "b"]))
    for delimiter in ";\t":
        rows = csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter)
        assert not [cell for row in rows for cell in row if cell.lstrip(' "').startswith(mark)]


@pytest.mark.parametrize("words", ["a; b", "two\n\nlines", "10:30; 4-5", 'say "-" twice', "a = b"])
def test_other_words_stay_as_they_were(words: str) -> None:
    assert safe(words) == words
