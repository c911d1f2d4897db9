"""Read the duration, size and first frame of videos and audio files, and copy videos and some audio files without
their metadata; `sounds` copies the others. All of this needs ffmpeg, which is optional.

The worker makes the copies; everything else happens in the picture process (`picture_process`). The files may be
hostile, so we choose the demuxer by their first bytes (never one for playlists or scripts that refer to other files),
and ffmpeg may open only the file itself. Pixels, memory and time are limited.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from runs.background.prctl import die_with_parent

MAX_PIXELS = 40_000_000
MAX_BYTES = 512 * 1024 * 1024  # limit on memory, not counting file mappings; an 8K video needs 438 MiB
PROBE_SECONDS = 10
STILL_SECONDS = 20
STILL_WIDTH = 1200  # maximum width in pixels
COPY_SECONDS = 500.0
# In bytes. Most of it is for mapped libraries and buffers; the actual copying takes hardly any.
COPY_ADDRESS_SPACE = 1_500_000_000
GROWTH, SMALL_BYTES = 1.2, 10_000_000  # a copy is about as large as its source, but its index may be larger
DEMUXERS = {"mov", "matroska", "mp3", "wav", "ogg", "flac", "aac"}
# Formats that take ffmpeg much less memory than Pillow: Pillow's name for the format, and ffmpeg's demuxer
PICTURES = {"WEBP": "webp_pipe", "AVIF": "mov"}

# The copy's container format, by the source's file extension.
MUXERS = {"mp4": "mp4", "mov": "mov", "m4a": "mp4", "webm": "webm", "mkv": "matroska", "ogg": "ogg"}


class CopyFailed(Exception):
    """ffmpeg couldn't make a copy, or took too long."""


@dataclass(frozen=True)
class Probed:
    """What ffprobe found. Values that couldn't be determined are None."""

    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    has_picture: bool = True


UNKNOWN = Probed()


def probe(path: Path, demuxer: str) -> Probed:
    """Return the dimensions (in pixels) and duration of `path`; `UNKNOWN` if ffprobe is missing or fails."""
    fields = "format=duration:stream=codec_type,width,height:stream_side_data=rotation"
    output = _run("ffprobe", ["-show_entries", fields, "-of", "json"], path, demuxer, PROBE_SECONDS)
    try:
        report = json.loads(output or "{}")
    except ValueError:
        return UNKNOWN
    streams = report.get("streams") or []
    if not streams:
        return UNKNOWN
    film = next((s for s in streams if s.get("codec_type") == "video" and s.get("width")), None)
    width, height = _turned(film) if film else (None, None)
    return Probed(width, height, _seconds(report.get("format", {}).get("duration")), film is not None)


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


def still(path: Path, demuxer: str, max_points: int = MAX_PIXELS) -> bytes:
    """Return the first frame as a PNG, at most 1200 pixels wide; empty if ffmpeg is missing or fails."""
    scale = f"scale='min({STILL_WIDTH},iw)':-2"
    options = ["-frames:v", "1", "-an", "-sn", "-dn", "-vf", scale, "-c:v", "png", "-f", "image2pipe", "pipe:1"]
    return _run("ffmpeg", options, path, demuxer, STILL_SECONDS, max_points)


def is_there() -> bool:
    """Return whether ffmpeg is installed on this host."""
    return shutil.which("ffmpeg") is not None


def copy_without_metadata(
    source: Path, target: Path, demuxer: str, extension: str, on_pause: Callable[[], None]
) -> None:
    """Copy only the video and audio streams of `source` to the new file `target`, without re-encoding them. Titles,
    comments, chapters, subtitles, covers and attachments are left out.

    `on_pause` is called about once a second and may raise to stop. Raises `CopyFailed`.
    """
    ffmpeg = shutil.which("ffmpeg")
    muxer = MUXERS.get(extension)
    if ffmpeg is None or demuxer not in DEMUXERS or muxer is None:
        raise CopyFailed
    command = [ffmpeg, "-v", "error", "-nostdin", "-threads", "1", "-protocol_whitelist", "file", "-f", demuxer]
    command += ["-i", f"file:{source.resolve()}", "-map", "0:V?", "-map", "0:a?", "-sn", "-dn", "-c", "copy"]
    command += ["-map_metadata", "-1", "-map_metadata:s", "-1", "-map_chapters", "-1"]
    command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"]
    command += {"mp4": ["-movflags", "+faststart"], "mov": ["-movflags", "+faststart"]}.get(muxer, [])
    most = int(source.stat().st_size * GROWTH) + SMALL_BYTES
    _wait_for([*command, "-f", muxer, f"file:{target}"], on_pause, most)
    if not target.exists() or not target.stat().st_size:
        raise CopyFailed


def _wait_for(command: list[str], on_pause: Callable[[], None], max_bytes: int) -> None:
    """Run `command`, which may write files of at most `max_bytes`. Kill it if it takes too long or `on_pause` raises.

    Raises `CopyFailed`.
    """
    ends_at = time.monotonic() + COPY_SECONDS
    with subprocess.Popen(  # noqa: S603 - a fixed program, no shell, our own file names
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGKILL),
    ) as process:
        try:
            _limit(process.pid, max_bytes)
            while True:
                try:
                    status = process.wait(1.0)
                    break
                except subprocess.TimeoutExpired:
                    on_pause()
                    if time.monotonic() > ends_at:
                        raise CopyFailed from None
        except BaseException:
            process.kill()
            raise
    if status:
        raise CopyFailed


def _limit(pid: int, max_bytes: int) -> None:
    """Limit how much memory a process may use, and how large its files may get. On systems that don't support this
    (macOS), only the process's time is limited."""
    limit = getattr(resource, "prlimit", None)
    if limit is None:
        return
    for what, most in ((resource.RLIMIT_AS, COPY_ADDRESS_SPACE), (resource.RLIMIT_FSIZE, max_bytes)):
        try:
            limit(pid, what, (most, most))
        except (ProcessLookupError, PermissionError):
            return  # the process has already ended


def _run(
    program: str, options: list[str], path: Path, demuxer: str, seconds: float, max_points: int = MAX_PIXELS
) -> bytes:
    executable = shutil.which(program)
    if executable is None or demuxer not in DEMUXERS | set(PICTURES.values()):
        return b""
    before = ["-v", "error", "-threads", "1", "-max_pixels", str(max_points)]
    source = ["-protocol_whitelist", "file", "-f", demuxer, "-i", f"file:{path.resolve()}"]
    if program == "ffmpeg":
        before += ["-nostdin"]
    try:
        result = subprocess.run(  # noqa: S603 - fixed programs, no shell, our own file names
            [executable, *before, *source, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
            preexec_fn=partial(_bound, os.getpid()),
        )
    except (subprocess.SubprocessError, OSError):
        return b""
    return result.stdout if result.returncode == 0 else b""


def _bound(parent_pid: int) -> None:
    """Limit the memory of the new process, and make it end when the picture process ends.

    We limit private memory instead of address space, because the libraries alone take 400 MiB of address space.
    """
    die_with_parent(parent_pid, signal.SIGKILL)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_BYTES, MAX_BYTES))
