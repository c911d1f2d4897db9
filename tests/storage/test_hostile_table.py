"""Hostile addresses and bodies, as results and as links pasted into a form. `-s` prints the table.

A decoy must not be contacted. Saved files are then requested the way a browser would request them.
"""

from dataclasses import dataclass

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from runs.engine import save_outputs
from runs.engine.save_outputs import FILES
from runs.models import Member, OutputFile, Upload
from runs.storage import claimed_fetch, fetch
from runs.uploads import file_limits, uploads
from runs.words.messages import say
from tests.support.factories import make_run
from tests.support.hostile_server import (
    PAGE,
    SVG,
    Decoy,
    HostileServer,
    bomb_png,
    kept_files,
    many_scans,
    nested_bomb,
    picture,
)
from tests.support.hostile_urls import HOSTILE_URLS

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")]

RUNS_IN_A_BROWSER = ("text/html", "image/svg", "xml", "javascript", "application/pdf")
SCRIPT = b"<script>alert(1)</script>"

# Each row: what it is, its path on the hostile server, whether anything is saved, and the message's code.
BODIES = [
    ("redirect to loopback", "/redirect?to=http://127.0.0.1:{port}/", False, "private_address|not_https"),
    ("redirect to a mapped address", "/redirect?to=https://[::ffff:127.0.0.1]:{port}/", False, "private_address"),
    ("redirect to another scheme", "/redirect?to=ftp://127.0.0.1:{port}/", False, "not_https"),
    ("redirects without end", "/loop", False, "too_many_redirects"),
    ("endless body", "/endless", False, "too_large_to_fetch"),
    ("endless chunks", "/endless-chunks", False, "too_large_to_fetch"),
    ("body that drips", "/drip", False, "too_slow"),
    ("headers that drip", "/drip-headers", False, "too_slow"),
    ("says more than it sends", "/says-more", False, "cut_off"),
    ("says less than it sends", "/says-less", False, "broken_picture"),
    ("says a terabyte", "/says-huge", False, "too_large_to_fetch"),
    ("compressed bomb", "/gzip-bomb", False, "too_large_to_fetch"),
    ("compressed bombs in each other", "/gzip-bombs-in-each-other", False, "too_large_to_fetch"),
    ("nothing at all", "/empty", False, "empty_at_address"),
    ("HTML dressed as PNG", "/page-as-png", False, "web_page_instead"),
    ("SVG dressed as PNG", "/svg-as-png", True, ""),
    ("picture of 900 million points", "/bomb.png", True, ""),
    ("JPEG of endless scans", "/scans.jpg", True, ""),
    ("broken picture", "/broken.png", False, "broken_picture"),
    ("GIF that is a script too", "/polyglot.gif", True, ""),
    ("PNG with a page behind it", "/polyglot.png", True, ""),
    ("JPEG with a page in its comment", "/polyglot.jpg", True, ""),
    ("PDF", "/a.pdf", True, ""),
    ("playlist that names local files", "/playlist.mp4", True, ""),
    ("film that is a page", "/page.mp4", True, ""),
    ("XHTML", "/page.xhtml", True, ""),
]


@dataclass
class Row:
    """One row of the table."""

    what: str
    contacted: str
    stored: str
    sees: str
    served: str = ""

    def __str__(self) -> str:
        return f"{self.what:36} {self.contacted:20} {self.stored:22} {self.served:34} {self.sees}"


def show(title: str, rows: list[Row]) -> None:
    print(f"\n{title}\n{Row('what', 'contacted', 'stored', 'the person sees', 'served as')}")  # noqa: T201
    print("\n".join(map(str, rows)))  # noqa: T201


def fill(server: HostileServer) -> None:
    nested_bomb()
    jpeg = picture(64, 48, "JPEG")
    comment = SCRIPT + PAGE
    marker = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    server.files |= {
        "/bomb.png": bomb_png(),
        "/scans.jpg": many_scans(300),
        "/broken.png": picture()[:90],
        "/polyglot.gif": picture(64, 48, "GIF") + b"/*" + SCRIPT,
        "/polyglot.png": picture() + PAGE,
        "/polyglot.jpg": jpeg[:2] + marker + jpeg[2:],
        "/a.pdf": b"%PDF-1.7 " + SCRIPT,
        "/playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "/page.mp4": b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + PAGE,
        "/page.xhtml": b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">' + SCRIPT + b"</html>",
    }


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    small = dict.fromkeys(fetch.LIMITS, 2_000_000)
    for module in (claimed_fetch, file_limits):
        monkeypatch.setattr(module, "LIMITS", small)


def serve(client: Client, address: str) -> tuple[str, bool]:
    """Return the content type and disposition that the file at `address` is served with, and whether that's
    dangerous."""
    answer = client.get(address)
    kind, shown = answer["Content-Type"], answer["Content-Disposition"].split(";")[0]
    is_fenced = "sandbox" in answer["Content-Security-Policy"] and answer["X-Content-Type-Options"] == "nosniff"
    is_danger = not is_fenced or (shown == "inline" and any(word in kind for word in RUNS_IN_A_BROWSER))
    return f"{kind}, {shown}", is_danger or (shown == "inline" and not kind.startswith(("image/", "video/", "audio/")))


def test_hostile_bodies(
    alice: Member,
    as_alice: Client,
    server: HostileServer,
    decoy: Decoy,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(server)
    rows: list[Row] = []
    wrong: list[Row] = []
    run = make_run(alice)
    for what, path, is_kept, codes in BODIES:
        server.hits.clear()
        monkeypatch.setattr(save_outputs, "FETCH_SECONDS", 1.0 if path.startswith("/drip") else 60.0)
        url = f"{server.url}{path.replace('{port}', str(decoy.port))}"
        file = OutputFile.objects.create(output=run.outputs.all()[0], source_url=url, position=len(rows))
        FILES.run()
        OutputFile.objects.filter(pk=file.pk).update(due_at=None)  # no further attempts: one is enough here
        file.refresh_from_db()
        served, is_danger = serve(as_alice, file.file.original_url) if file.file else ("", False)
        stored = f"{file.file.kind} .{file.file.name.rsplit('.')[-1]}" if file.file else "nothing"
        rows.append(
            Row(what, f"{len(server.hits)} asked, decoy {decoy.was_contacted():d}", stored, say(file.error), served)
        )
        is_said = file.error.code in codes.split("|")
        if is_danger or bool(file.file) != is_kept or not is_said or "decoy 1" in rows[-1].contacted:
            wrong.append(rows[-1])
    show("Results", rows)
    assert wrong == []
    kept = OutputFile.objects.exclude(file=None).select_related("file")
    names = sum(1 + sum(bool(f.file.thumb_url(w)) for w in (200, 400, 1200)) for f in kept if f.file)
    assert len(kept_files(settings)) == names  # no partial files, no leftovers


def test_hostile_links(alice: Member, decoy: Decoy, settings: Settings) -> None:
    settings.TRUSTED_FILE_ORIGINS = []
    rows = []
    for what, url in HOSTILE_URLS:
        address = url.replace("{port}", str(decoy.port))
        with pytest.raises(uploads.UploadRejected) as refused:
            uploads.receive_link(alice, address, ["image"])
        rows.append(Row(what, f"decoy {decoy.was_contacted():d}", "nothing", refused.value.sentence))
    show("Links pasted into a form", rows)
    assert not any("decoy 1" in row.contacted for row in rows)
    assert not Upload.objects.exists()
    assert kept_files(settings) == []


def test_hostile_files_from_a_disk(alice: Member, as_alice: Client, server: HostileServer, settings: Settings) -> None:
    fill(server)
    rows, dangers = [], []
    for path, body in {**server.files, "/page.png": PAGE, "/drawing.png": SVG}.items():
        try:
            upload = uploads.receive_file(alice, SimpleUploadedFile(path[1:], body), [])
        except uploads.UploadRejected as rejected:
            rows.append(Row(path, "", "nothing", rejected.sentence))
            continue
        assert upload.file is not None
        served, is_danger = serve(as_alice, upload.file.original_url)
        rows.append(Row(path, "", f"{upload.file.kind} .{upload.file.name.rsplit('.')[-1]}", "", served))
        dangers += [rows[-1]] if is_danger else []
    show("Files from a disk", rows)
    assert dangers == []
    assert {row.what for row in rows if row.stored != "nothing"} == {
        "/a.png", "/polyglot.gif", "/polyglot.png", "/polyglot.jpg", "/page.mp4"
    }  # fmt: skip


def test_small_pictures_carry_nothing_of_the_original(alice: Member, as_alice: Client, server: HostileServer) -> None:
    fill(server)
    for name in ("polyglot.gif", "polyglot.png", "polyglot.jpg"):
        file = uploads.receive_file(alice, SimpleUploadedFile(name, server.files[f"/{name}"]), []).file
        assert file is not None
        for width in (200, 400, 1200):
            content = b"".join(as_alice.get(file.thumb_url(width)))
            assert b"script" not in content.lower()
