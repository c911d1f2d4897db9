"""Copy only what is heard of a sound file, without decoding it, so that no sample changes.

Titles, covers and prompts can be in front of the sound, behind it, or in its middle where files were joined. ffmpeg
takes many of them for sound and copies them. So we look for audio frames instead of for metadata: whatever isn't part
of a whole frame is left out, whether or not we know what it is.
"""

from collections.abc import Callable, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path

from runs.storage.file_types import AAC, FLAC, MP3, WAV
from runs.storage.metadata.parts import CannotStrip
from runs.storage.sounds import flac, framed, wav
from runs.storage.sounds.parts import Sound

__all__ = ["STRIPPERS", "strip"]

STRIPPERS: Mapping[str, Callable[[Sound], None]] = {
    MP3.media_type: framed.strip_mp3,
    AAC.media_type: framed.strip_aac,
    FLAC.media_type: flac.strip,
    WAV.media_type: wav.strip,
}


def strip(source: Path, target: Path, media_type: str) -> None:
    """Copy the sound at `source` to the new file `target` without metadata; `media_type` is the type detected from its
    content.

    Takes time that grows with the size of the file. Raises `CannotStrip` if a retry can't help, and OSError for disk
    problems.
    """
    if media_type not in STRIPPERS or not source.stat().st_size:
        raise CannotStrip
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data, target.open("xb") as out:
        STRIPPERS[media_type](Sound(data, out))
