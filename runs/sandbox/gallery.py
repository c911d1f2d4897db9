"""Chooses the sandbox's files, and makes pictures and texts on first request and caches them on disk."""

import hashlib
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from runs.sandbox import pictures, texts, views
from runs.sandbox.catalogue import App
from runs.sandbox.job import Job, job_of
from runs.sandbox.lifecycle import Run
from runs.sandbox.state import World

# Increment this whenever the drawings change, so that outdated pictures in an old data folder are never served.
VERSION = 4
# Larger pictures are treated as missing, so that a decompression bomb can't bring down the sandbox.
MOST_PIXELS = 60_000_000
CUBE = "# A cube from the sandbox\n" + "".join(
    f"v {x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 1)
) + "f 1 2 4 3\nf 5 6 8 7\nf 1 2 6 5\nf 3 4 8 7\nf 1 3 7 5\nf 2 4 8 6\n"  # fmt: skip


@dataclass
class Gallery:
    """Makes only one file at a time, so that a burst of requests for pictures doesn't slow down the API."""

    world: World

    def __post_init__(self) -> None:
        self._drawing = threading.Lock()
        self._folder = self.world.folder / "drawn"
        self._folder.mkdir(parents=True, exist_ok=True)

    def output(self, run: Run, position: int, part: int, revision: int = 0) -> tuple[Path, str]:
        """Return the file and media type of one output.

        `part` is the number of the picture if the output has several, and `revision` is how many times the output has
        been remade.
        """
        kind = run.outputs[position]["type"]
        job = job_of(run, position, part, revision)
        extension, media_type = views.MEDIA.get(kind, views.OTHER_MEDIA)
        art = self._art(run.app_id)
        if kind == "video":
            return film(art), media_type
        if kind == "audio":
            return sound(job), media_type
        makers: dict[str, Callable[[], bytes]] = {
            "image": lambda: pictures.draw(job, art, self.open),
            "text": lambda: texts.write(job).encode("utf-8", "replace"),
        }
        return self._cached(job.key, extension, makers.get(kind, CUBE.encode)), media_type

    def thumbnail(self, app: App, extension: str) -> Path:
        art = self._art(app["appId"])
        if extension == "webm":
            return film(art)
        return self._cached(f"thumb {app['appId']} {art}", extension, lambda: pictures.thumbnail(app["appId"], art))

    def sample(self, name: str) -> Path:
        """Return the sample with this name. Any name works."""
        extension = name.rpartition(".")[2].lower()
        if extension in {"webm", "mp4"}:
            return film("")
        if extension in {"wav", "mp3"}:
            return sound(Job("sample", name, ""))
        return self._cached(f"sample {name}", "jpg", lambda: _jpeg(pictures.sample(name)))

    def _art(self, app_id: str) -> str:
        """Return the name of an app's artwork; "" if it has none."""
        return str(self.world.apps.get(app_id, {}).get("sandbox", {}).get("art", ""))

    def open(self, token: str) -> Image.Image | None:
        """Open an input picture, upright and in RGB. Return None if Pillow can't read it."""
        kind, _, name = token.partition(":")
        if kind == "sample":
            return pictures.sample(name)
        if name not in self.world.uploads:
            return None
        return pictures.open_upload(self.world.upload_path(name), MOST_PIXELS)

    def _cached(self, key: str, extension: str, make: Callable[[], bytes]) -> Path:
        name = hashlib.sha256(f"{VERSION} {key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        path = self._folder / f"{name}.{extension}"
        if not path.exists():
            with self._drawing:
                if not path.exists():
                    partial = path.with_suffix(".part")
                    partial.write_bytes(make())
                    partial.replace(path)
        return path


def film(art: str) -> Path:
    """Return the stored film of an app with this artwork, or the one of drifting hills."""
    path = pictures.MEDIA / "films" / f"{art}.webm"
    return path if path.exists() else path.with_name("hills.webm")


def sound(job: Job) -> Path:
    """Return the stored sound of the instrument that the inputs name; for other inputs, any of them."""
    path = pictures.MEDIA / "sounds" / f"{job.option('instrument').casefold().replace(' ', '-')}.wav"
    sounds = sorted(pictures.MEDIA.glob("sounds/*.wav"))
    return path if path in sounds else sounds[job.seed % len(sounds)]


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=86)
    return file.getvalue()
