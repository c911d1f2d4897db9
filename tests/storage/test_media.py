"""Detecting file types by content, and making thumbnails."""

import random
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from runs.models.file import THUMBNAIL_WIDTHS
from runs.sandbox.gallery import film as stored_film
from runs.storage import thumbnails
from runs.storage.file_types import SERVED_INLINE, sniff
from runs.storage.media import NotMedia, inspect
from runs.storage.store import clean_name
from tests.support.hostile_server import PAGE, SVG, bomb_png, many_scans, picture
from tests.support.messages import says

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed; it is optional")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize(
    ("format", "media_type", "extension"),
    [
        ("PNG", "image/png", "png"),
        ("JPEG", "image/jpeg", "jpg"),
        ("WEBP", "image/webp", "webp"),
        ("GIF", "image/gif", "gif"),
        ("BMP", "image/bmp", "bmp"),
        ("TIFF", "image/tiff", "tiff"),
        ("AVIF", "image/avif", "avif"),
    ],
)
def test_pictures_are_known_by_content(format: str, media_type: str, extension: str, path: Path) -> None:
    path.write_bytes(picture(64, 48, format))

    media = inspect(path)

    assert (media.kind, media.media_type, media.extension) == ("image", media_type, extension)
    assert (media.width, media.height) == (64, 48)
    red, green, blue = bytes.fromhex(media.colour.removeprefix("#"))
    assert red > 150 > 90 > max(green, blue)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ", "video/quicktime"),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "video/x-matroska"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x00" + bytes(413) + b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"fLaC\x00\x00\x00\x22", "audio/flac"),
        (b"\x00\x00\x00\x18ftypM4A \x00\x00\x02\x00M4A mp42", "audio/mp4"),
        (b"\xff\xf1\x50\x80\x02\x1f\xfc", "audio/aac"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "application/octet-stream"),
        (b"\xff\xfe<\x00h\x00t\x00m\x00l\x00", "application/octet-stream"),  # this is UTF-16, not an MPEG frame
        (b"\xff\xfb\x90\x00" + b"<script>" * 100, "application/octet-stream"),
        (b"BM<script>alert(1)</script>and more", "application/octet-stream"),
        (b"#EXTM3U\nhttp://127.0.0.1/secret", "application/octet-stream"),
        (b"%PDF-1.7", "application/octet-stream"),
        (PAGE, "application/octet-stream"),
        (SVG, "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_decide(head: bytes, media_type: str) -> None:
    assert sniff(head).media_type == media_type


@pytest.mark.parametrize("hostile", [PAGE, SVG, b"GIF89b" + PAGE, b"\x00" * 100 + PAGE])
def test_pages_and_drawings_are_downloads_only(hostile: bytes, path: Path) -> None:
    path.write_bytes(hostile)
    media = inspect(path)
    assert media.kind == "other"
    assert media.media_type not in SERVED_INLINE


def test_a_picture_that_is_also_a_page_stays_a_picture(path: Path) -> None:
    path.write_bytes(picture(format="GIF") + PAGE)
    assert inspect(path).media_type == "image/gif"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_a_picture_that_was_cut_off_is_refused(format: str, path: Path) -> None:
    noise = Image.frombytes("RGB", (200, 200), random.Random(1).randbytes(120_000))
    target = BytesIO()
    noise.save(target, format)
    path.write_bytes(target.getvalue()[: len(target.getvalue()) * 2 // 3])

    with pytest.raises(NotMedia, check=says("broken_picture")) as refused:
        inspect(path)

    assert not refused.value.is_lasting


def test_a_broken_picture_is_refused(path: Path) -> None:
    for position in (60, -16):  # the first changes the data, the second only the last checksum
        body = bytearray(picture(300, 300))
        body[position] ^= 0xFF
        path.write_bytes(body)
        with pytest.raises(NotMedia, check=says("broken_picture")):
            inspect(path)


@pytest.mark.parametrize("side", [8_400, 10_000, 30_000, 2_000_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_before_it_is_unpacked(side: int, path: Path) -> None:
    path.write_bytes(bomb_png(side, side))
    with pytest.raises(NotMedia, check=says("too_many_points")) as refused:
        inspect(path)
    assert refused.value.is_lasting


def test_small_pictures_of_noise_keep_their_byte_limits(path: Path) -> None:
    noise = Image.frombytes("RGB", (1500, 2000), random.Random(1).randbytes(9_000_000))
    noise.save(path, "PNG", compress_level=1)

    small = inspect(path).small

    assert set(small) == set(thumbnails.MAX_BYTES) == set(THUMBNAIL_WIDTHS)
    for width, encoded in small.items():
        assert len(encoded) <= thumbnails.MAX_BYTES[width]
        with Image.open(BytesIO(encoded)) as opened:
            assert opened.format == "WEBP"
            assert width / 3 < opened.width <= width


def test_orientation_is_applied_and_metadata_is_gone(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x010F] = "Secret Camera"
    path.write_bytes(picture(640, 480, "JPEG", exif=exif, comment=b"Secret comment"))

    media = inspect(path)

    assert (media.width, media.height) == (480, 640)
    with Image.open(BytesIO(media.small[400])) as small:
        assert small.height > small.width
        assert not small.getexif()
    assert b"Secret" not in b"".join(media.small.values())


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
def test_pictures_of_every_mode_get_small_ones(mode: str, path: Path) -> None:
    picture_of_mode = Image.linear_gradient("L").convert("RGB").convert("I" if mode == "I;16" else mode)
    if mode == "I;16":
        picture_of_mode = picture_of_mode.convert("I;16")
    format = "PNG" if mode in {"1", "L", "LA", "P", "RGBA", "I;16"} else "TIFF"
    picture_of_mode.save(path, format)

    media = inspect(path)

    assert media.colour
    assert set(media.small) == {200, 400, 1200}


def test_a_transparent_picture_stays_transparent(path: Path) -> None:
    Image.new("RGBA", (300, 300), (0, 200, 0, 0)).save(path, "PNG")
    assert inspect(path).colour == ""
    with Image.open(BytesIO(inspect(path).small[200])) as small:
        assert small.convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_an_animation_shows_its_first_frame(path: Path) -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("#ff0000", "#00ff00")]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])
    assert inspect(path).colour == "#ff0000"


def test_very_tall_and_very_small_pictures(path: Path) -> None:
    for size in ((3, 9_000), (9_000, 3), (1, 1)):
        path.write_bytes(picture(*size))
        media = inspect(path)
        assert (media.width, media.height) == size
        for width, encoded in media.small.items():
            with Image.open(BytesIO(encoded)) as small:
                assert small.width <= width


@pytest.fixture
def film(path: Path) -> Path:
    path.write_bytes(stored_film("").read_bytes())
    return path


def test_a_video_is_a_video_without_ffmpeg_too(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    media = inspect(film)
    assert (media.kind, media.media_type, media.width) == ("video", "video/webm", None)
    assert media.small == {}


@needs_ffmpeg
def test_a_video_has_size_length_and_a_still(film: Path) -> None:
    media = inspect(film)
    assert (media.width, media.height) == (360, 640)
    assert media.duration_seconds == pytest.approx(2.5, abs=0.2)
    assert set(media.small) == {200, 400, 1200}
    assert media.colour.startswith("#")


@needs_ffmpeg
def test_a_broken_video_is_saved_without_a_still(film: Path) -> None:
    film.write_bytes(film.read_bytes()[:80])
    media = inspect(film)
    assert (media.kind, media.width) == ("video", None)
    assert media.small == {}


@pytest.mark.parametrize(
    ("given", "extension", "kept"),
    [
        ("cat.png", "png", "cat.png"),
        ("cat.exe", "png", "cat.png"),
        ("photo.of.cat", "jpg", "photo.of.jpg"),
        ("../../etc/passwd", "bin", "passwd.bin"),
        ("C:\\temp\\cat.png", "png", "cat.png"),
        ("图片 猫.PNG", "png", "图片 猫.png"),
        ("قطة.png", "png", "قطة.png"),
        ("cat\u202egnp.exe", "png", "catgnp.png"),
        ("a\x00b\nc.png", "png", "ab c.png"),
        ('what "is" this?.png', "png", "what _is_ this_.png"),
        ("....", "png", "file.png"),
        ("", "png", "file.png"),
        ("x" * 500, "png", "x" * 120 + ".png"),
    ],
)
def test_file_names_are_readable_and_have_the_true_ending(given: str, extension: str, kept: str) -> None:
    assert clean_name(given, extension) == kept


def test_a_picture_that_takes_hours_to_decode_is_not_opened(path: Path) -> None:
    path.write_bytes(many_scans(300))
    with pytest.raises(NotMedia, check=says("too_many_scans")) as refused:
        inspect(path)
    assert refused.value.is_lasting

    hidden = b"\xff\xfe\x00\x06\xff\xd9\xff\xd9"  # a comment that looks like the end of the file
    start = many_scans(0)[:-2]
    path.write_bytes(start + hidden + many_scans(300)[len(start) :])
    with pytest.raises(NotMedia, check=says("too_many_scans")):
        inspect(path)


def test_a_photo_with_a_video_appended_is_a_photo(path: Path) -> None:
    path.write_bytes(picture(64, 48, "JPEG", progressive=True) + b"\xff\xda" * 1000)
    assert (inspect(path).kind, inspect(path).width) == ("image", 64)
