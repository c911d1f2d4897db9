"""Makes video results without a video encoder: Pillow saves frames as lossy WebP, and their VP8 data goes into a WebM
file."""

import io
import struct
from collections.abc import Sequence

from PIL import Image

from runs.sandbox.drawing import reel
from runs.sandbox.drawing.job import Job
from runs.sandbox.drawing.posters import Open

VIDEO_SIZE, VIDEO_SECONDS = (360, 640), 2.5
FRAMES_A_SECOND = 12


def make(job: Job, open_picture: Open) -> bytes:
    """Return a playable WebM of VIDEO_SECONDS at VIDEO_SIZE. Every frame is a key frame."""
    count = round(VIDEO_SECONDS * FRAMES_A_SECOND)
    pictures = reel.frames(job, open_picture, VIDEO_SIZE, count)
    return webm([vp8_frame(picture) for picture in pictures], VIDEO_SIZE, FRAMES_A_SECOND)


def vp8_frame(picture: Image.Image) -> bytes:
    """Return the VP8 bitstream of one picture: the content of the `VP8 ` chunk in a lossy WebP file."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, "WEBP", quality=62, method=1)
    data = file.getvalue()
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        if name == b"VP8 ":
            return data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    raise ValueError("Pillow wrote no lossy WebP")


def webm(frames: Sequence[bytes], size: tuple[int, int], frames_a_second: int) -> bytes:
    """Mux key frames into one WebM file, with one cluster per second. Times are in milliseconds."""
    header = element(
        0x1A45DFA3,
        number(0x4286, 1), number(0x42F7, 1), number(0x42F2, 4), number(0x42F3, 8),
        element(0x4282, b"webm"), number(0x4287, 2), number(0x4285, 2),
    )  # fmt: skip
    duration = 1000 * len(frames) / frames_a_second
    info = element(
        0x1549A966,
        number(0x2AD7B1, 1_000_000), element(0x4489, struct.pack(">d", duration)),
        element(0x4D80, b"sandbox"), element(0x5741, b"sandbox"),
    )  # fmt: skip
    picture = element(0xE0, number(0xB0, size[0]), number(0xBA, size[1]))
    default_duration = number(0x23E383, 1_000_000_000 // frames_a_second)
    track = element(
        0xAE,
        number(0xD7, 1), number(0x73C5, 1), number(0x83, 1), number(0x9C, 0),
        element(0x86, b"V_VP8"), default_duration, picture,
    )  # fmt: skip
    tracks = element(0x1654AE6B, track)
    clusters = [
        _cluster(frames[first : first + frames_a_second], first, frames_a_second)
        for first in range(0, len(frames), frames_a_second)
    ]
    return header + element(0x18538067, info, tracks, *clusters, _cues(info, tracks, clusters))


def _cluster(frames: Sequence[bytes], first: int, frames_a_second: int) -> bytes:
    start = 1000 * first // frames_a_second
    blocks = []
    for offset, frame in enumerate(frames):
        time = 1000 * (first + offset) // frames_a_second - start
        # A block starts with its track (1), its time relative to the cluster, and the flag 0x80, which marks a key
        # frame.
        blocks.append(element(0xA3, b"\x81" + struct.pack(">h", time) + b"\x80" + frame))
    return element(0x1F43B675, number(0xE7, start), *blocks)


def _cues(info: bytes, tracks: bytes, clusters: Sequence[bytes]) -> bytes:
    """Return the index that lets a player seek: the position of each cluster in the segment."""
    points, place = [], len(info) + len(tracks)
    for second, cluster in enumerate(clusters):
        positions = element(0xB7, number(0xF7, 1), number(0xF1, place))
        points.append(element(0xBB, number(0xB3, 1000 * second), positions))
        place += len(cluster)
    return element(0x1C53BB6B, *points)


def element(identifier: int, *parts: bytes) -> bytes:
    """Return an EBML element with an 8-byte length."""
    body = b"".join(parts)
    name = identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")
    return name + (0x01 << 56 | len(body)).to_bytes(8, "big") + body


def number(identifier: int, value: int) -> bytes:
    return element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
