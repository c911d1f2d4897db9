"""Removing metadata from pictures: no secret remains, no pixel changes, and everything the picture needs stays."""

import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps, ImageSequence

from runs.storage.file_types import sniff
from runs.storage.metadata import CannotStrip, details, parts, strip
from tests.support.hostile_server import picture
from tests.support.processes import ROOT
from tests.support.secret_files import (
    AI,
    C2PA,
    LIST,
    PICTURES,
    PROFILE,
    SECRET,
    XMP,
    chunk,
    drawing,
    exif,
    png,
    segment,
    webp,
)

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


def in_srgb(opened: Image.Image) -> bytes:
    """Return a drawing whose colours the picture's profile has converted."""
    profile = io.BytesIO(opened.info["icc_profile"])
    made = ImageCms.profileToProfile(drawing(), profile, ImageCms.createProfile("sRGB"))
    assert made is not None
    return made.tobytes()


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
        assert in_srgb(after) == in_srgb(before)
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


def with_profile(profile: bytes, name: bytes = b"icc", behind: bytes = b"") -> bytes:
    told = name + b"\0\0" + zlib.compress(profile, 0) + behind
    return picture(64, 48)[:33] + chunk(b"iCCP", told) + picture(64, 48)[33:]


def test_a_profiles_texts_and_what_is_behind_it_are_left_out(tmp_path: Path) -> None:
    assert SECRET in PROFILE
    content = with_profile(PROFILE + b"SECRET within", b"SECRET name", b"SECRET behind")
    made = stripped(content, tmp_path)
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(made)) as after:
        assert in_srgb(after) == in_srgb(before)
    assert SECRET not in made


def test_a_profile_of_other_colours_converts_them_as_before(tmp_path: Path) -> None:
    """In this one, red and green are swapped, and blue's curve is shared with theirs."""
    at, green = PROFILE.index(b"rXYZ"), PROFILE.index(b"gXYZ")
    swapped = bytearray(PROFILE)
    swapped[at : at + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    content = with_profile(bytes(swapped))
    made = stripped(content, tmp_path)
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(made)) as after:
        assert in_srgb(after) == in_srgb(before) != drawing().tobytes()


@pytest.mark.parametrize(
    ("at", "value"),
    [
        pytest.param(PROFILE.index(b"rXYZ") + 8, struct.pack(">I", 400), id="a colour that reaches into a text"),
        pytest.param(128, struct.pack(">I", 30), id="more tags than it has"),
        pytest.param(0, struct.pack(">I", 100_000), id="longer than it is"),
        pytest.param(16, b"SECR", id="of unknown colours"),
        pytest.param(PROFILE.index(b"para"), b"text", id="a text as a colour"),
    ],
)
def test_a_broken_profile_is_left_out(at: int, value: bytes, tmp_path: Path) -> None:
    made = stripped(with_profile(PROFILE[:at] + value + PROFILE[at + len(value) :]), tmp_path)
    assert b"iCCP" not in made
    assert SECRET not in made


def test_a_jpeg_that_ends_within_its_picture_is_ended(tmp_path: Path) -> None:
    plain = picture(64, 48, "JPEG")
    made = stripped(plain.removesuffix(b"\xff\xd9"), tmp_path)
    assert made.endswith(b"\xff\xd9")
    assert frames(made) == frames(plain)


def with_more_in(marker: bytes) -> bytes:
    """Return a JPEG with text at the end of its first segment with this marker."""
    plain = picture(64, 48, "JPEG")
    at = plain.index(marker) + 2
    size = int.from_bytes(plain[at : at + 2])
    return plain[:at] + (size + 6).to_bytes(2) + plain[at + 2 : at + size] + SECRET + plain[at + size :]


def over_text(marker: bytes) -> bytes:
    """Return a JPEG with text in the numbers of its first segment with this marker."""
    plain = picture(64, 48, "JPEG")
    at = plain.index(marker) + 22
    return plain[:at] + b"SECRET \0" + plain[at + 8 :]


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
        pytest.param(picture(64, 48)[:-12] + chunk(b"IDAT", SECRET) + picture(64, 48)[-12:], id="behind pixels"),
        pytest.param(picture(64, 48, "GIF")[:-2] + b"\6SECRET\0;", id="behind the pixels of a gif"),
        pytest.param(with_more_in(b"\xff\xdb"), id="behind a table of a jpeg"),
        pytest.param(with_more_in(b"\xff\xc4"), id="behind the codes of a jpeg"),
        pytest.param(with_more_in(b"\xff\xc0"), id="behind the size of a jpeg"),
        pytest.param(with_more_in(b"\xff\xda"), id="behind the header of a jpeg's scan"),
        pytest.param(over_text(b"\xff\xdb"), id="text as a table of a jpeg"),
        pytest.param(over_text(b"\xff\xc4"), id="text as codes of a jpeg"),
        pytest.param(webp().replace(b"VP8L", b"VP8L\xff", 1), id="pixels of a webp that reach into text"),
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
    packer = zlib.compressobj(0)
    packed = packer.compress(bytes(20_000_000)) + packer.flush()
    large = large[: large.index(b"IDAT") - 4] + chunk(b"IDAT", packed) + picture(64, 48)[-12:]
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
