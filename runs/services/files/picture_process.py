"""The one place that opens foreign pictures, films and sounds: `python -m runs.services.files.picture_process`.

A process of its own, because a picture of 135 KB may want gigabytes and one of 292 KB half a minute, and because
decoders crash. It knows neither Django nor any secret. Its address space is bounded, and each request has a limit of
processor time and one of time; who goes beyond them is killed by the kernel, and whoever asked goes on.

It reads one request a line (JSON: path, kind, reader, max_points, is_tight) and answers each with a line of JSON
(`Answer` in `pictures`) and the small pictures behind it. It ends when its input does.
"""

import json
import math
import os
import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

from runs.services.files import ffmpeg, thumbnails

MEMORY_BYTES = 400 * 1024 * 1024
PROCESSOR_SECONDS = 20  # for one picture; the largest ones take 8
SECONDS = 60  # for one file, films included
NICENESS = 5  # pages come first

type Small = Mapping[int, bytes]
type Answer = tuple[dict[str, Any], Small]


def main() -> None:
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)  # a decoder that prints must not speak in our name
    _bound()
    for line in requests:
        with _time_limit():
            told, small = _answer(json.loads(line))
        told["small"] = [[width, len(encoded)] for width, encoded in small.items()]
        answers.write(json.dumps(told).encode() + b"\n" + b"".join(small.values()))
        answers.flush()


def _bound() -> None:
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)  # it ends with its input: what is under way is finished first
    with suppress(OSError, ValueError):  # a system that knows no such limit
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


@contextmanager
def _time_limit() -> Iterator[None]:
    """SIGXCPU or SIGALRM ends the process when the block takes too much processor time, or too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    until = math.ceil(used.ru_utime + used.ru_stime) + PROCESSOR_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def _answer(request: dict[str, Any]) -> Answer:
    """END is "seen", "broken", "too_many_points" or "no_picture" (whole as far as we know, but not to be opened)."""
    path, reader = Path(request["path"]), str(request["reader"])
    try:
        if request["kind"] == "image":
            return _picture(path, reader, int(request["max_points"]), is_tight=bool(request["is_tight"]))
        return _film(path, reader, with_still=request["kind"] == "video")
    except Image.DecompressionBombError:
        return {"end": "too_many_points"}, {}
    except thumbnails.Broken as error:
        return {"end": "broken", "reason": str(error)[:300]}, {}
    except Exception as error:  # noqa: BLE001 - MemoryError and whatever else a decoder raises
        return {"end": "no_picture", "reason": f"{type(error).__name__}: {error}"[:300]}, {}


def _picture(path: Path, reader: str, max_points: int, *, is_tight: bool) -> Answer:
    """IS_TIGHT: it may need more memory than there is, and then decoders say "broken"."""
    told: dict[str, Any] = {"end": "no_picture"}
    try:
        opened = thumbnails.open_picture(path, reader, max_points)
        told["width"], told["height"] = opened.size
        shrunk = thumbnails.shrink(opened)
    except (MemoryError, thumbnails.Broken) as error:
        if isinstance(error, thumbnails.Broken) and not is_tight:
            raise
        told["reason"] = f"{type(error).__name__}: {error}"[:300]
        png = ffmpeg.still(path, ffmpeg.PICTURES.get(reader, ""), max_points + max_points // 50)  # it rounds up
        if not png:
            return told, {}
        shrunk = thumbnails.from_png(png)
    except Exception as error:  # noqa: BLE001 - it was decoded to its end; only the small picture cannot be made
        return told | {"reason": f"{type(error).__name__}: {error}"[:300]}, {}
    return told | {"end": "seen", "colour": shrunk.colour}, thumbnails.encode(shrunk)


def _film(path: Path, reader: str, *, with_still: bool) -> Answer:
    probed = ffmpeg.probe(path, reader)
    told: dict[str, Any] = {
        "end": "seen",
        "width": probed.width,
        "height": probed.height,
        "duration_seconds": probed.duration_seconds,
        "has_picture": probed.has_picture,
    }
    png = ffmpeg.still(path, reader) if with_still and probed.has_picture else b""
    if not png:
        return told, {}
    try:
        shrunk = thumbnails.from_png(png)
        return told | {"colour": shrunk.colour}, thumbnails.encode(shrunk)
    except Exception:  # noqa: BLE001 - a film without a still is a film
        return told, {}


if __name__ == "__main__":
    main()
