"""Length, size and a still of films and sounds, by ffmpeg where it is installed. Nothing here is necessary.

The files are hostile: the demuxer is forced to what the first bytes said (no playlists, no scripts of references),
only the file itself may be opened, pictures are bounded, and the time is.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_PIXELS = 40_000_000
PROBE_SECONDS = 10
STILL_SECONDS = 20
STILL_WIDTH = 1200  # pixels at most
DEMUXERS = {"mov", "matroska", "mp3", "wav", "ogg", "flac", "aac"}


@dataclass(frozen=True)
class Probed:
    """What ffprobe could tell; None where it could not."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    has_picture: bool = True


UNKNOWN = Probed()


def probe(path: Path, demuxer: str) -> Probed:
    """Size in pixels and length in seconds of PATH; `UNKNOWN` without ffprobe or when it fails."""
    fields = "format=duration:stream=codec_type,width,height:stream_side_data=rotation"
    output = _run("ffprobe", ["-show_entries", fields, "-of", "json"], path, demuxer, PROBE_SECONDS)
    try:
        told = json.loads(output or "{}")
    except ValueError:
        return UNKNOWN
    streams = told.get("streams") or []
    if not streams:
        return UNKNOWN
    film = next((s for s in streams if s.get("codec_type") == "video" and s.get("width")), None)
    width, height = _turned(film) if film else (None, None)
    return Probed(width, height, _seconds(told.get("format", {}).get("duration")), film is not None)


def _turned(stream: dict[str, Any]) -> tuple[int, int]:
    turned = any(side.get("rotation") in {90, -90, 270, -270} for side in stream.get("side_data_list", []))
    width, height = int(stream["width"]), int(stream["height"])
    return (height, width) if turned else (width, height)


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1_000_000 else None


def still(path: Path, demuxer: str) -> bytes:
    """The first frame as PNG, at most 1200 pixels wide; empty without ffmpeg or when it fails."""
    scale = f"scale='min({STILL_WIDTH},iw)':-2"
    options = ["-frames:v", "1", "-an", "-sn", "-dn", "-vf", scale, "-c:v", "png", "-f", "image2pipe", "pipe:1"]
    return _run("ffmpeg", options, path, demuxer, STILL_SECONDS)


def _run(program: str, options: list[str], path: Path, demuxer: str, seconds: float) -> bytes:
    found = shutil.which(program)
    if found is None or demuxer not in DEMUXERS:
        return b""
    before = ["-v", "error", "-threads", "1", "-max_pixels", str(MAX_PIXELS)]
    source = ["-protocol_whitelist", "file", "-f", demuxer, "-i", f"file:{path.resolve()}"]
    if program == "ffmpeg":
        before += ["-nostdin"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, no shell, our own file names
            [found, *before, *source, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return b""
    return done.stdout if done.returncode == 0 else b""
