"""Removing metadata from pictures: no secret remains, no pixel changes, and everything the picture needs stays."""

import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageOps, ImageSequence

from runs.storage.file_types import sniff
from runs.storage.metadata import CannotStrip, details, parts, strip
from tests.support.hostile_server import picture
from tests.support.processes import ROOT
from tests.support.secret_files import AI, C2PA, LIST, PICTURES, SECRET, XMP, chunk, exif, png, segment, webp

pytestmark = pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file")
MUTATIONS = 60  # mutations of each kind


def stripped(content: bytes, folder: Path) -> bytes:
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    strip(source, target, sniff(content[:4096]).media_type)
    return target.read_bytes()


def frames(content: bytes) -> list[tuple[object, bytes]]:
    """Return the duration and pixels of each frame."""
    with Image.open(io.BytesIO(content)) as opened:
        return [
            (frame.info.get("duration"), frame.convert("RGBA").tobytes()) for frame in ImageSequence.Iterator(opened)
        ]


def loops(content: bytes) -> object:
    with Image.open(io.BytesIO(content)) as opened:
        return opened.info.get("loop")


@pytest.mark.parametrize("kind", PICTURES)
def test_no_secret_is_left_and_no_pixel_changes(kind: str, tmp_path: Path) -> None:
    content = PICTURES[kind]()
    assert SECRET in content

    made = stripped(content, tmp_path)

    assert SECRET not in made
    assert frames(made) == frames(content)
    assert loops(made) == loops(content)
    assert stripped(made, tmp_path) == made


@pytest.mark.parametrize("kind", PICTURES)
def test_the_ai_mark_stays_and_nothing_else_with_it(kind: str, tmp_path: Path) -> None:
    made = stripped(PICTURES[kind](), tmp_path)
    assert made.count(LIST + AI) == 1
    with Image.open(io.BytesIO(made)) as opened:
        opened.load()
        packet = opened.info.get("xmp", b"") or made  # Pillow doesn't read XMP from GIFs
    assert b'DigitalSourceType="' + LIST + AI + b'"' in (packet if isinstance(packet, bytes) else packet.encode())


@pytest.mark.parametrize("kind", [kind for kind in PICTURES if kind != "gif"])
def test_colours_and_orientation_stay(kind: str, tmp_path: Path) -> None:
    content = PICTURES[kind]()
    made = stripped(content, tmp_path)
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(made)) as after:
        assert after.info["icc_profile"] == before.info["icc_profile"]
        assert dict(after.getexif()) == {0x0112: 6}
        assert after.getexif().get_ifd(0x8769) == {}
        assert ImageOps.exif_transpose(after).tobytes() == ImageOps.exif_transpose(before).tobytes()


@pytest.mark.parametrize("content", [png(has_mark=False), picture(64, 48, "JPEG")], ids=["png", "jpeg"])
def test_nothing_is_added_where_there_was_nothing(content: bytes, tmp_path: Path) -> None:
    made = stripped(content, tmp_path)
    assert b"xmp" not in made.lower()
    assert LIST not in made


def test_a_mark_in_a_manifest_alone_counts(tmp_path: Path) -> None:
    plain = picture(64, 48, "JPEG")
    made = stripped(plain[:2] + segment(0xEB, C2PA) + plain[2:], tmp_path)
    assert made.count(LIST + AI) == 1


@pytest.mark.parametrize("word", [b"SECRETWORD", b"trainedAlgorithmicMediaSECRET", b""])
def test_an_unknown_mark_is_removed(word: bytes, tmp_path: Path) -> None:
    plain = picture(64, 48, "JPEG")
    told = b"http://ns.adobe.com/xap/1.0/\0" + XMP.replace(AI, word)
    made = stripped(plain[:2] + segment(0xE1, told) + plain[2:], tmp_path)
    assert SECRET not in made
    assert b"xmp" not in made.lower()


def test_a_profiles_name_and_trailing_data_are_removed(tmp_path: Path) -> None:
    plain = png(has_mark=False)
    at = plain.index(b"iCCP") - 4
    size = int.from_bytes(plain[at : at + 4], "big")
    profile = zlib.decompress(plain[at + 8 : at + 8 + size].partition(b"\0")[2][1:])
    told = b"SECRET name\0\0" + zlib.compress(profile + b"SECRET within", 0) + b"SECRET behind"

    made = stripped(plain[:at] + chunk(b"iCCP", told) + plain[at + 12 + size :], tmp_path)

    with Image.open(io.BytesIO(made)) as opened:
        assert opened.info["icc_profile"] == profile
    assert SECRET not in made


def test_a_jpeg_that_ends_within_its_picture_is_ended(tmp_path: Path) -> None:
    plain = picture(64, 48, "JPEG")
    made = stripped(plain.removesuffix(b"\xff\xd9"), tmp_path)
    assert made.endswith(b"\xff\xd9")
    assert frames(made) == frames(plain)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(picture(64, 48, "TIFF"), id="a format nobody strips"),
        pytest.param(picture(64, 48)[:60], id="cut off"),
        pytest.param(picture(64, 48)[:-12], id="without an end"),
        pytest.param(picture(64, 48)[:33] + chunk(b"CgBI", b"") + picture(64, 48)[33:], id="a critical chunk unknown"),
        pytest.param(picture(64, 48)[:33] + chunk(b"prVt", b"") * 600_000 + picture(64, 48)[33:], id="endless chunks"),
        pytest.param(b"\xff\xd8" + segment(0xFE, b"") * 600_000 + picture(64, 48, "JPEG")[2:], id="endless segments"),
        pytest.param(b"\xff\xd8\xff\xfe\xff\xff", id="a length beyond the end"),
        pytest.param(picture(64, 48, "GIF")[:-6], id="a gif cut off"),
        pytest.param(b"RIFF\xff\xff\xff\xffWEBPVP8X\xff\xff\xff\xff", id="a webp that says more"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_cannot_be_stripped_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(CannotStrip):
        stripped(content, tmp_path)


def test_the_limit_on_parts_is_what_refuses_them(tmp_path: Path) -> None:
    few = parts.MOST_PARTS // 1000
    stripped(picture(64, 48)[:33] + chunk(b"prVt", b"") * few + picture(64, 48)[33:], tmp_path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_in_either_byte_order(order: str) -> None:
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, 8, 0)
    assert details.orientation_of(head + struct.pack(f"{order}IH", 8, 1) + entry) == 8
    assert details.orientation_of(exif().removeprefix(b"Exif\0\0")) == 6
    for odd in (b"", head, head + b"\xff" * 4, head + struct.pack(f"{order}IH", 8, 9) + entry[:6]):
        assert details.orientation_of(odd) == 1


@pytest.mark.parametrize("kind", PICTURES)
def test_damaged_ones_end_as_copies_or_refusals(kind: str, tmp_path: Path) -> None:
    chance = random.Random(kind)
    whole = PICTURES[kind]()
    for _ in range(MUTATIONS):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 20)):
            damaged[chance.randrange(12, len(damaged))] = chance.randrange(256)
        if chance.random() < 0.3:
            del damaged[chance.randrange(12, len(damaged)) :]
        try:
            stripped(bytes(damaged), tmp_path)
        except CannotStrip:
            continue


# Runs in a separate process, since the sandbox draws pictures in a thread of the test process.
MEASURED_STRIP = """
import sys, tracemalloc
from pathlib import Path
from runs.storage.metadata import strip
tracemalloc.start()
strip(Path(sys.argv[1]), Path(sys.argv[2]), "image/png")
print(tracemalloc.get_traced_memory()[1])
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    large = picture(64, 48)[:33] + chunk(b"prVt", bytes(20_000_000)) + picture(64, 48)[33:-12]
    large += chunk(b"IDAT", bytes(20_000_000)) + picture(64, 48)[-12:]
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_bytes(large)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED_STRIP, source, target], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert target.stat().st_size > 20_000_000
    assert int(done.stdout) < 10_000_000


def test_a_plain_webp_keeps_nothing_else(tmp_path: Path) -> None:
    plain = picture(64, 48, "WEBP")
    with_more = plain + b"EXIF" + (10).to_bytes(4, "little") + b"SECRET exf"
    with_more = with_more[:4] + (len(with_more) - 8).to_bytes(4, "little") + with_more[8:]
    assert stripped(with_more, tmp_path) == plain
    assert stripped(webp(), tmp_path) != plain
