"""Files with a secret in every possible place, and with everything that guests' copies must keep."""

import io
import struct
import subprocess
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageCms

SECRET = b"SECRET"  # every secret starts with this
AI = b"trainedAlgorithmicMedia"
LIST = b"http://cv.iptc.org/newscodes/digitalsourcetype/"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description>SECRET xmp</dc:description>'
    b"<Iptc4xmpExt:DigitalSourceType>" + LIST + AI + b"</Iptc4xmpExt:DigitalSourceType>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
C2PA = b"\0\0\1\0jumb\0\0\0\x1ejumdc2pa SECRET manifest qdigitalSourceTypexF" + LIST + AI
COPYRIGHT = "No copyright, use freely".encode("utf-16-be")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROFILE = PROFILE.replace(COPYRIGHT, b"SECRET in the text of a profile".ljust(len(COPYRIGHT)))
TURNED = 6


def exif() -> bytes:
    """Return Exif data that rotates the picture and has a description, a user comment and a maker note."""
    made = Image.Exif()
    made[0x0112] = TURNED
    made[0x010E] = "SECRET exif description"
    made.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0SECRET user comment"
    made.get_ifd(0x8769)[0x927C] = b"SECRET maker note"
    return made.tobytes()


def drawing(number: int = 0, mode: str = "RGB") -> Image.Image:
    """Return an image with many colours, so that changed pixels stand out."""
    made = Image.radial_gradient("L").resize((97, 61)).rotate(40 * number)
    return Image.merge("RGB", (made, made.rotate(90), made.rotate(180))).convert(mode)


# --- PNG --------------------------------------------------------------------------------------------------------------
def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_secrets(number: int, *, has_mark: bool) -> bytes:
    """Return chunks of every kind that can hold text."""
    told = b"SECRET png %d " % number
    return b"".join(
        (
            chunk(b"tEXt", b"parameters\0" + told + b"tEXt"),
            chunk(b"tEXt", b"prompt\0" + told + b"workflow"),
            chunk(b"zTXt", b"Comment\0\0" + zlib.compress(told + b"zTXt")),
            chunk(b"zTXt", told + b"keyword\0\0" + zlib.compress(b"x")),
            chunk(b"iTXt", b"Description\0\0\0en\0\0" + told + b"iTXt"),
            chunk(b"iTXt", b"Description\0\1\0en\0\0" + zlib.compress(told + b"packed")),
            chunk(b"tIME", b"\x07\xea\x01\x01\x01\x01\x01"),
            chunk(b"sPLT", told + b"palette\0\x08" + bytes(6)),
            chunk(b"caBX", C2PA if has_mark else told),
            chunk(b"prVt", told + b"private"),
            chunk(b"gAMA", told + b"in a chunk of numbers"),
        )
    )


def png(*, is_animated: bool = False, has_mark: bool = True) -> bytes:
    """Return a PNG with secrets before and after its pixels, and after its end."""
    plain = io.BytesIO()
    more = {"save_all": True, "append_images": [drawing(1), drawing(2)], "duration": 80} if is_animated else {}
    drawing().save(plain, "PNG", icc_profile=PROFILE, dpi=(72, 72), **more)
    data = plain.getvalue()
    pixels = data.index(b"IDAT") - 4
    mark = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP) if has_mark else b""
    before = png_secrets(0, has_mark=has_mark) + chunk(b"eXIf", exif().removeprefix(b"Exif\0\0"))
    behind = png_secrets(1, has_mark=has_mark)
    return data[:pixels] + before + data[pixels:-12] + behind + mark + data[-12:] + b"SECRET behind the end"


# --- JPEG -------------------------------------------------------------------------------------------------------------
def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def jpeg(*, is_progressive: bool = False, mode: str = "RGB") -> bytes:
    """Return a JPEG with secrets in every segment outside the picture, and after its end."""
    plain = io.BytesIO()
    drawing(mode=mode).save(plain, "JPEG", quality=90, icc_profile=PROFILE, progressive=is_progressive, exif=exif())
    data = plain.getvalue()
    told = b"".join(
        (
            segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\1\2SECRET"),  # a preview of two pixels
            segment(0xE0, b"JFXX\0\x10SECRET preview"),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40 + b"SECRET long xmp"),
            segment(0xE2, b"MPF\0SECRET other pictures"),
            segment(0xE3, b"SECRET app3"),
            segment(0xEB, b"JP\0\1\0\0\0\1" + C2PA),
            segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\x1a\x1c\x02\x78\0\x14SECRET iptc caption"),
            segment(0xEE, b"Adobe\0d\0\0\0\0\1SECRET behind adobe") if mode == "RGB" else b"",
            segment(0xEF, b"SECRET app15"),
            segment(0xFE, b"SECRET comment"),
        )
    )
    end = data.rindex(b"\xff\xd9")
    scans = data[2:end]
    return b"\xff\xd8" + told + scans + segment(0xFE, b"SECRET before the end") + data[end:] + b"SECRET behind"


# --- WebP and GIF -----------------------------------------------------------------------------------------------------
def riff(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(*, is_animated: bool = False) -> bytes:
    """Return a WebP with secrets in its chunks, in its frames' chunks, and after its end."""
    plain = io.BytesIO()
    more = {"save_all": True, "append_images": [drawing(1)], "duration": 80} if is_animated else {}
    drawing().save(plain, "WEBP", lossless=True, icc_profile=PROFILE, exif=exif(), xmp=XMP, **more)
    content = plain.getvalue()[12:]
    if is_animated:  # adds a chunk to the first frame
        at = content.index(b"ANMF")
        (size,) = struct.unpack_from("<I", content, at + 4)
        frame = content[at + 8 : at + 8 + size] + riff(b"XTRA", b"SECRET in a frame")
        content = content[:at] + riff(b"ANMF", frame) + content[at + 8 + size + size % 2 :]
    content += riff(b"SECR", b"SECRET unknown chunk") + riff(b"C2PA", C2PA)
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content + b"SECRET behind"


def gif() -> bytes:
    """Return an animated GIF with secrets in comments, an application block, a profile and XMP, and after its end."""
    plain = io.BytesIO()
    frames = [drawing(number).convert("P") for number in range(3)]
    frames[0].save(
        plain, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0, comment=b"SECRET comment"
    )
    data = plain.getvalue()
    first = data.index(b"\x21\xff\x0bNETSCAPE2.0")
    own = b"\x21\xff\x0bSECRETAPP01\x0cSECRET words\0" + b"\x21\x01\x0c" + bytes(12) + b"\x0bSECRET text\0"
    parts = [PROFILE[at : at + 255] for at in range(0, len(PROFILE), 255)]
    profile = b"\x21\xff\x0bICCRGBG1012" + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"
    xmp = b"\x21\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(0xFF, -1, -1)) + b"\0"
    return data[:first] + own + profile + xmp + data[first:] + b"SECRET behind"


# --- Video and audio --------------------------------------------------------------------------------------------------
TITLES = ("title", "comment", "description", "artist", "lyrics")
FILM = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1"]
SOUND = ["-f", "lavfi", "-i", "sine=duration=1"]
CHAPTER = ";FFMETADATA1\ntitle=SECRET title\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=SECRET chapter\n"
RECIPES: dict[str, list[str]] = {
    "mp4": [*FILM, *SOUND, "-c:v", "libx264", "-c:a", "aac"],
    "mov": [*FILM, *SOUND, "-c:v", "libx264", "-c:a", "aac"],
    "webm": [*FILM, *SOUND, "-c:v", "libvpx", "-c:a", "libvorbis"],
    "mkv": [*FILM, *SOUND, "-c:v", "libvpx", "-c:a", "libvorbis"],
    "mp3": [*SOUND, "-id3v2_version", "3", "-write_id3v1", "1"],
    "wav": [*SOUND],
    "ogg": [*SOUND, "-c:a", "libvorbis"],
    "flac": [*SOUND],
    "m4a": [*SOUND, "-c:a", "aac"],
}


@cache  # making such a file takes a second
def medium(ending: str) -> bytes:
    """Return a video or audio file with secrets in titles, comments and chapters; Matroska also gets a secret
    attachment."""
    with TemporaryDirectory() as folder:
        return _medium(ending, Path(folder))


def _medium(ending: str, folder: Path) -> bytes:
    chapters, attached, made = folder / "chapters.txt", folder / "attached.txt", folder / f"made.{ending}"
    chapters.write_text(CHAPTER)
    attached.write_text("SECRET attachment")
    inputs = RECIPES[ending].count("-i")
    told = [part for title in TITLES for part in ("-metadata", f"{title}=SECRET {title}")]
    more = ["-attach", str(attached), "-metadata:s:t", "mimetype=text/plain"] if ending == "mkv" else []
    arguments = [*RECIPES[ending][: inputs * 4], "-i", str(chapters)]
    mapped = [part for number in range(inputs) for part in ("-map", str(number))]
    streams = [part for kind in "va" for part in (f"-metadata:s:{kind}", "title=SECRET stream")]
    arguments += [*mapped, "-map_chapters", str(inputs), *RECIPES[ending][inputs * 4 :], *told, *streams, *more]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, str(made)], check=True, timeout=60)
    return made.read_bytes()


# --- Sounds with secrets where ffmpeg takes them for sound ------------------------------------------------------------
PLAIN: dict[str, list[str]] = {
    "mp3": ["-c:a", "libmp3lame", "-id3v2_version", "0"],
    "aac": ["-c:a", "aac", "-f", "adts"],
    "flac": ["-c:a", "flac"],
    "wav": ["-c:a", "pcm_s16le"],
    "ogg": ["-c:a", "libvorbis"],
    "opus": ["-c:a", "libopus"],
}


@cache
def sound(ending: str, *options: str) -> bytes:
    """Return a second of noise without metadata, or with the metadata in `options`."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / f"made.{ending}"
        noise = ["-f", "lavfi", "-i", "anoisesrc=duration=1:amplitude=0.3:seed=7:sample_rate=48000"]
        plain = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
        command = ["ffmpeg", "-v", "error", *noise, *plain, *PLAIN[ending], *options, str(made)]
        subprocess.run(command, check=True, timeout=60)
        return made.read_bytes()


def id3v2(*, has_footer: bool = False) -> bytes:
    """Return an ID3v2 tag with a title and a cover, in which there is another MP3."""
    cover = b"\0image/jpeg\0\3\0SECRET cover" + sound("mp3") + b"\xff\xfb\x90\x00SECRET in no frame" * 9
    contents = {b"TIT2": b"\3SECRET title", b"TXXX": b"\1" + "SECRET\0ÿþ".encode("utf-16"), b"APIC": cover}
    frames = b"".join(
        name + bytes((0, len(content) >> 14, len(content) >> 7 & 127, len(content) & 127, 0, 0)) + content
        for name, content in contents.items()
    )
    size = bytes((len(frames) >> 21 & 127, len(frames) >> 14 & 127, len(frames) >> 7 & 127, len(frames) & 127))
    rest = b"\4\0" + (b"\x10" if has_footer else b"\0") + size
    return b"ID3" + rest + frames + (b"3DI" + rest if has_footer else b"")


def id3v1() -> bytes:
    return b"TAG" + b"SECRET title".ljust(30, b"\0") + b"SECRET artist".ljust(94, b"\0") + b"\xff"


def ape(version: int = 2000, *, has_header: bool = False) -> bytes:
    """Return an APE tag; version 1000 never has a header."""
    value = b"SECRET comment in an APE tag"
    item = struct.pack("<II", len(value), 0) + b"Comment\0" + value
    flags = 1 << 31 if has_header else 0

    def edge(more: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", version, len(item) + 32, 1, flags | more) + bytes(8)

    return (edge(1 << 29) if has_header else b"") + item + edge(0)


def lyrics() -> bytes:
    told = b"LYRICSBEGININD0000200LYR00013SECRET lyrics"
    return told + b"%06dLYRICS200" % len(told) + id3v1()


def flac_blocks() -> bytes:
    """Return a FLAC with a secret in a metadata block of every kind: padding, application, comment, cue sheet, picture
    and one that nobody knows."""
    plain, comment, media_type = sound("flac"), b"TITLE=SECRET title", b"image/png"
    picture = struct.pack(">II", 3, len(media_type)) + media_type + struct.pack(">I", 6) + SECRET
    contents = {
        1: SECRET,
        2: b"SECRET application",
        4: struct.pack("<I", 6) + SECRET + struct.pack("<II", 1, len(comment)) + comment,
        5: b"SECRET cue sheet".ljust(432, b"\0"),
        6: picture + struct.pack(">IIIII", 1, 1, 24, 0, 6) + SECRET,
        9: SECRET,
    }
    told = b"".join(bytes((kind,)) + struct.pack(">I", len(told))[1:] + told for kind, told in contents.items())
    return plain[:4] + b"\0" + plain[5:42] + told + plain[42:]


def flac_frames(content: bytes) -> bytes:
    """Return the FLAC without its metadata blocks, except for the first, which describes the stream."""
    at, head = 4, b""
    while not head or not head[0] & 0x80:
        head = content[at : at + 4]
        at += 4 + int.from_bytes(head[1:], "big")
    return content[:4] + b"\x80" + content[5:42] + content[at:]


def wav_with(behind: bytes, size: int | None = None, before: bytes = b"", whole: int | None = None) -> bytes:
    """Return a WAV with more chunks, whose sound says it has `size` bytes, and which says it has `whole` itself."""
    plain = sound("wav")
    at = plain.index(b"data")
    told = plain[at + 4 : at + 8] if size is None else struct.pack("<I", size)
    content = plain[12:at] + before + b"data" + told + plain[at + 8 :] + behind
    return b"RIFF" + struct.pack("<I", 4 + len(content) if whole is None else whole) + b"WAVE" + content


def info() -> bytes:
    return riff(b"LIST", b"INFO" + riff(b"INAM", b"SECRET title") + riff(b"ICMT", b"SECRET comment"))


# For each layout, a sound with secrets and what must be left of it
SOUNDS: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "joined.mp3": lambda: (2 * (id3v2() + sound("mp3")), 2 * sound("mp3")),
    "joined-with-all.mp3": lambda: (2 * (id3v2() + sound("mp3") + lyrics()), 2 * sound("mp3")),
    "footer.mp3": lambda: (2 * (id3v2(has_footer=True) + sound("mp3")), 2 * sound("mp3")),
    "ape1.mp3": lambda: (sound("mp3") + ape(1000), sound("mp3")),
    "ape2.mp3": lambda: (sound("mp3") + ape(), sound("mp3")),
    "ape2-and-id3v1.mp3": lambda: (sound("mp3") + ape() + id3v1(), sound("mp3")),
    "ape2-with-header.mp3": lambda: (2 * (sound("mp3") + ape(has_header=True)), 2 * sound("mp3")),
    "lyrics.mp3": lambda: (sound("mp3") + lyrics(), sound("mp3")),
    "id3v2-behind.mp3": lambda: (sound("mp3") + id3v2(), sound("mp3")),
    "joined.aac": lambda: (2 * (sound("aac") + id3v2()), 2 * sound("aac")),
    "cut-and-joined.aac": lambda: (sound("aac") + sound("aac")[:200] + id3v2() + sound("aac"), 2 * sound("aac")),
    "ape.aac": lambda: (sound("aac") + ape() + id3v1(), sound("aac")),
    "blocks.flac": lambda: (flac_blocks(), flac_frames(sound("flac"))),
    "id3v1.flac": lambda: (flac_blocks() + id3v1(), flac_frames(sound("flac"))),
    "ape.flac": lambda: (flac_blocks() + ape(), flac_frames(sound("flac"))),
    "id3v2-behind.flac": lambda: (flac_blocks() + id3v2(), flac_frames(sound("flac"))),
    "joined.flac": lambda: (2 * flac_blocks(), flac_frames(sound("flac")) + flac_frames(sound("flac"))[42:]),
    "chunks.wav": lambda: (wav_with(info(), before=info() + riff(b"bext", b"SECRET")), wav_with(b"")),
    "streamed.wav": lambda: (wav_with(info(), 0xFFFFFFFF, info()), wav_with(b"")),
    "size-0.wav": lambda: (wav_with(riff(b"bext", b"SECRET") + info() + riff(b"id3 ", id3v2()), 0), wav_with(b"")),
    "size-too-large.wav": lambda: (wav_with(info(), 10_000_000), wav_with(b"")),
    "size-over-a-chunk.wav": lambda: (wav_with(info(), len(sound("wav")) - 44 + 40), wav_with(b"")),
    "id3v1.wav": lambda: (wav_with(info() + id3v1(), 0xFFFFFFFF), wav_with(b"")),
    "ape.wav": lambda: (wav_with(ape(), 0, whole=0), wav_with(b"")),
}


PICTURES: dict[str, Callable[[], bytes]] = {
    "png": png,
    "animated.png": lambda: png(is_animated=True),
    "jpg": jpeg,
    "progressive.jpg": lambda: jpeg(is_progressive=True),
    "cmyk.jpg": lambda: jpeg(mode="CMYK"),
    "grey.jpg": lambda: jpeg(mode="L"),
    "webp": webp,
    "animated.webp": lambda: webp(is_animated=True),
    "gif": gif,
}
