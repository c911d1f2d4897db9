"""The only process that opens untrusted pictures, videos and audio: `python -m runs.storage.picture_process`.

It is separate because a 135 KB picture can need gigabytes of memory, a 292 KB one can take half a minute, and decoders
sometimes crash. It has no access to Django or secrets. Its memory is limited, and so are the CPU time and total time of
each request. If a request takes longer, the kernel kills this process, and the caller carries on.

It reads one request per line and answers each with a line of JSON, followed by the thumbnails. It exits when its input
is closed. A request to open a file (JSON: path, kind, reader, max_points, is_tight) is answered with a `Look` (in
`picture_client`), and one to copy a file without its metadata (path, kind, media_type, target) with how that ended.
"""

import json
import os
import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

from runs.storage import ffmpeg, metadata, sounds, thumbnails
from runs.storage.metadata import CannotStrip
from runs.storage.sounds import ogg

MEMORY_BYTES = 400 * 1024 * 1024
PROCESSOR_SECONDS = 20  # CPU time limit for one picture; the largest take 8 s
COPY_SECONDS = 5  # CPU time limit for one copy without metadata; the largest take 2 s
SECONDS = 60  # total time limit for one file, including videos
NICENESS = 5  # so that serving pages takes priority

COPIES = ("copy", "ogg")  # kinds of requests that make or check copies for guests

type Small = Mapping[int, bytes]
type Answer = tuple[dict[str, Any], Small]


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # so that output from decoders doesn't get mixed up with our answers
    _bound()
    for line in requests:
        request = json.loads(line)
        with _time_limit(COPY_SECONDS if request["kind"] in COPIES else PROCESSOR_SECONDS):
            answer, small = _answer(request)
        answer["small"] = [[width, len(encoded)] for width, encoded in small.items()]
        answers.write(json.dumps(answer).encode() + b"\n" + b"".join(small.values()))
        answers.flush()


def _bound() -> None:
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)  # finish the current request; the process exits when its input is closed
    with suppress(OSError, ValueError):  # some systems don't support this limit
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


@contextmanager
def _time_limit(processor_seconds: int) -> Iterator[None]:
    """Kill the process with SIGXCPU or SIGALRM if the block uses too much CPU time or takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = int(used.ru_utime + used.ru_stime) + processor_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def _answer(request: dict[str, Any]) -> Answer:
    """Return the answer to a request. When a file was opened, the answer's `end` is "seen", "broken", "too_many_points"
    or "no_picture" (the file seems complete, but can't be opened)."""
    path, kind = Path(request["path"]), str(request["kind"])
    try:
        if kind in COPIES:
            return _copy(path, request), {}
        reader = str(request["reader"])
        if kind == "image":
            return _picture(path, reader, int(request["max_points"]), is_tight=bool(request["is_tight"]))
        return _film(path, reader, with_still=kind == "video")
    except Image.DecompressionBombError:
        return {"end": "too_many_points"}, {}
    except thumbnails.Broken as error:
        return {"end": "broken", "reason": str(error)[:300]}, {}
    except Exception as error:  # noqa: BLE001 - MemoryError or anything else a decoder raises
        return {"end": "no_picture", "reason": f"{type(error).__name__}: {error}"[:300]}, {}


def _picture(path: Path, reader: str, max_points: int, *, is_tight: bool) -> Answer:
    """Inspect a picture. If `is_tight`, memory may run out, in which case decoders report the picture as broken."""
    answer: dict[str, Any] = {"end": "no_picture"}
    try:
        opened = thumbnails.open_picture(path, reader, max_points)
        answer["width"], answer["height"] = opened.size
        shrunk = thumbnails.shrink(opened)
    except Image.DecompressionBombError:
        raise
    except (MemoryError, thumbnails.Broken) as error:
        if isinstance(error, thumbnails.Broken) and not is_tight:
            raise
        answer["reason"] = f"{type(error).__name__}: {error}"[:300]
        png = ffmpeg.still(path, ffmpeg.PICTURES.get(reader, ""), max_points + max_points // 50)  # ffmpeg rounds up
        if not png:
            return answer, {}
        shrunk = thumbnails.from_png(png)
    except Exception as error:  # noqa: BLE001 - the picture was decoded completely; only the thumbnails failed
        return answer | {"reason": f"{type(error).__name__}: {error}"[:300]}, {}
    return answer | {"end": "seen", "colour": shrunk.colour}, thumbnails.encode(shrunk)


def _copy(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Copy a picture or a sound without its metadata, or check a copy that ffmpeg made of an Ogg. The answer's `end` is
    "copied", "impossible" or "disk"."""
    try:
        if request["kind"] == "ogg":
            ogg.demand_plain(path)
        else:
            media_type = str(request["media_type"])
            strip = sounds.strip if media_type in sounds.STRIPPERS else metadata.strip
            strip(path, Path(request["target"]), media_type)
    except CannotStrip:
        return {"end": "impossible"}
    except OSError as error:
        return {"end": "disk", "errno": error.errno}
    return {"end": "copied"}


def _film(path: Path, reader: str, *, with_still: bool) -> Answer:
    probed = ffmpeg.probe(path, reader)
    answer: dict[str, Any] = {
        "end": "seen",
        "width": probed.width,
        "height": probed.height,
        "duration_seconds": probed.duration_seconds,
        "has_picture": probed.has_picture,
    }
    png = ffmpeg.still(path, reader) if with_still and probed.has_picture else b""
    if not png:
        return answer, {}
    try:
        shrunk = thumbnails.from_png(png)
        return answer | {"colour": shrunk.colour}, thumbnails.encode(shrunk)
    except Exception:  # noqa: BLE001 - a video doesn't need a still
        return answer, {}


if __name__ == "__main__":
    main()
