"""Detect the type of a file from its first bytes. File names and HTTP headers are ignored."""

from dataclasses import dataclass

HEAD_BYTES = 4096

MP4_BRANDS = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"mp41", b"mp42", b"mp4v", b"M4V ", b"M4VH",
              b"M4VP", b"MSNV", b"dash", b"3gp4", b"3gp5", b"3gp6", b"3g2a", b"f4v ", b"mmp4"}  # fmt: skip
HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}
# Bit rates of MPEG-1 layer III, in kbit/s
MP3_SIZES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
MP3_SIZES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # the same for MPEG-2 and 2.5
MP3_RATES = (44100, 48000, 32000)


@dataclass(frozen=True)
class Sniffed:
    """A detected file type. `kind` is image, video, audio or other. `media_type` is the type the file is served as,
    never one that a browser would run, such as SVG or HTML. `reader` names the decoder, for Pillow or ffmpeg."""

    kind: str
    media_type: str
    extension: str
    reader: str = ""


OTHER = Sniffed("other", "application/octet-stream", "bin")
SVG = Sniffed("other", "application/octet-stream", "svg")
HTML = Sniffed("other", "application/octet-stream", "html")
HEIC = Sniffed("other", "application/octet-stream", "heic")
PDF = Sniffed("other", "application/octet-stream", "pdf")
PNG = Sniffed("image", "image/png", "png", "PNG")
JPEG = Sniffed("image", "image/jpeg", "jpg", "JPEG")
GIF = Sniffed("image", "image/gif", "gif", "GIF")
WEBP = Sniffed("image", "image/webp", "webp", "WEBP")
BMP = Sniffed("image", "image/bmp", "bmp", "BMP")
TIFF = Sniffed("image", "image/tiff", "tiff", "TIFF")
AVIF = Sniffed("image", "image/avif", "avif", "AVIF")
MP4 = Sniffed("video", "video/mp4", "mp4", "mov")
MOV = Sniffed("video", "video/quicktime", "mov", "mov")
WEBM = Sniffed("video", "video/webm", "webm", "matroska")
MKV = Sniffed("video", "video/x-matroska", "mkv", "matroska")
MP3 = Sniffed("audio", "audio/mpeg", "mp3", "mp3")
WAV = Sniffed("audio", "audio/wav", "wav", "wav")
OGG = Sniffed("audio", "audio/ogg", "ogg", "ogg")
FLAC = Sniffed("audio", "audio/flac", "flac", "flac")
M4A = Sniffed("audio", "audio/mp4", "m4a", "mov")
AAC = Sniffed("audio", "audio/aac", "aac", "aac")

SERVED_INLINE = {
    s.media_type for s in (PNG, JPEG, GIF, WEBP, BMP, TIFF, AVIF, MP4, MOV, WEBM, MKV, MP3, WAV, OGG, FLAC, M4A, AAC)
}
PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"OggS\x00", OGG),
    (b"fLaC", FLAC),
    (b"ID3", MP3),
    (b"%PDF-", PDF),
)


def sniff(head: bytes) -> Sniffed:
    """Detect kind, media type and extension from `head`: the first few thousand bytes of a file, or the whole file if
    it is shorter."""
    for prefix, sniffed in PREFIXES:
        if head.startswith(prefix):
            return sniffed
    if head[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12], OTHER)
    if head[:2] == b"BM" and len(head) >= 26 and head[6:10] == bytes(4):
        return BMP
    if head[:4] == b"\x1a\x45\xdf\xa3":
        name = head[:512].partition(b"\x42\x82")[2][:24]  # the DocType element: a length of 1 to 8 bytes, then the name
        return WEBM if b"webm" in name else MKV if b"matroska" in name else OTHER
    if head[4:8] == b"ftyp":
        return _by_brand(head)
    if head[4:8] in {b"moov", b"mdat", b"wide"}:
        return MOV
    if len(head) > 6 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return AAC
    return MP3 if _is_mp3(head) else _by_text(head)


def _by_brand(head: bytes) -> Sniffed:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[i : i + 4] for i in range(16, size - 3, 4))}
    if major in {b"avif", b"avis"} or (major in HEIC_BRANDS and brands & {b"avif", b"avis"}):
        return AVIF
    if major in HEIC_BRANDS:
        return HEIC
    if major == b"qt  ":
        return MOV
    if major in {b"M4A ", b"M4B "}:
        return M4A
    return MP4 if brands & MP4_BRANDS else OTHER


def mp3_frame_bytes(head: bytes) -> int:
    """Return the size in bytes of the MPEG layer III audio frame that starts with `head`, header included; 0 if none
    does."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in {0, 15} or rate == 3:
        return 0
    if version == 3:
        size = 144_000 * MP3_SIZES[bits] // MP3_RATES[rate]
    else:
        size = 72_000 * MP3_SIZES_2[bits] // (MP3_RATES[rate] // (2 if version == 2 else 4))
    return size + (head[2] >> 1 & 1)


def _is_mp3(head: bytes) -> bool:
    """Return whether `head` starts with an MPEG layer III audio frame, followed by another. The two bytes that begin a
    frame aren't enough to be sure."""
    size = mp3_frame_bytes(head)
    following = head[size:]
    return bool(size) and (len(following) < 2 or (following[0] == 0xFF and following[1] & 0xE6 == 0xE2))


def _by_text(head: bytes) -> Sniffed:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in text[:2000] and text.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")):
        return SVG
    is_page = text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script"))
    return HTML if is_page else OTHER
