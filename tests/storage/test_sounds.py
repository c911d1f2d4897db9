"""Copies of sounds: no secret remains, wherever it was, and no sample changes."""

import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runs.storage.file_types import sniff
from runs.storage.metadata import CannotStrip
from runs.storage.sounds import STRIPPERS, flac, ogg, parts, strip
from tests.support.processes import ROOT
from tests.support.requirements import skip_or_fail
from tests.support.secret_files import (
    RECIPES,
    SECRET,
    SOUNDS,
    ape,
    flac_frames,
    id3v1,
    id3v2,
    info,
    medium,
    riff,
    sound,
    wav_with,
)

MUTATIONS = 25  # of each layout
TAGGED = [ending for ending in RECIPES if ending in ("mp3", "flac", "wav")]


@pytest.fixture(autouse=True)
def _ffmpeg() -> None:
    if not shutil.which("ffmpeg"):
        skip_or_fail("ffmpeg is not installed")


def stripped(content: bytes, folder: Path) -> bytes:
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    strip(source, target, sniff(content[:4096]).media_type)
    return target.read_bytes()


def samples(content: bytes) -> str:
    """Return a checksum of the decoded sound, which must have no errors."""
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", "pipe:0", "-map", "0:a", "-f", "streamhash", "pipe:1"]
    done = subprocess.run(command, input=content, capture_output=True, check=True, timeout=60)
    assert done.stderr == b""
    return done.stdout.decode()


# --- Sounds as they are -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("layout", SOUNDS)
def test_only_the_sound_is_left(layout: str, tmp_path: Path) -> None:
    content, left = SOUNDS[layout]()
    assert SECRET in content
    made = stripped(content, tmp_path)
    assert SECRET not in made
    assert made == left
    assert stripped(made, tmp_path) == made


@pytest.mark.parametrize("layout", SOUNDS)
def test_what_is_left_sounds_the_same(layout: str, tmp_path: Path) -> None:
    """Joined FLACs can't be compared, since ffmpeg decodes the seam as a broken frame."""
    plain = sound(layout.rpartition(".")[2])
    made = stripped(SOUNDS[layout]()[0], tmp_path)
    if "joined" not in layout and "footer" not in layout and "header" not in layout:
        assert samples(made) == samples(plain)
    elif not layout.endswith("flac"):
        assert samples(made) == samples(2 * plain)


@pytest.mark.parametrize("ending", TAGGED)
def test_a_usual_file_sounds_the_same(ending: str, tmp_path: Path) -> None:
    content = medium(ending)
    made = stripped(content, tmp_path)
    assert SECRET not in made
    assert samples(made) == samples(content)


@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("mp3", ["-q:a", "2"]),
        ("mp3", ["-b:a", "320k", "-ac", "2"]),
        ("mp3", ["-b:a", "8k", "-ar", "8000"]),
        ("mp3", ["-b:a", "48k", "-ar", "22050", "-write_xing", "0"]),
        ("aac", ["-ar", "16000", "-ac", "2"]),
        ("flac", ["-ac", "2", "-compression_level", "12"]),
        ("flac", ["-sample_fmt", "s32", "-ar", "96000"]),
        ("flac", ["-frame_size", "16", "-ar", "11025"]),
        ("flac", ["-frame_size", "65535", "-af", "apad=pad_dur=3"]),
        ("flac", ["-af", "volume=0"]),
        ("wav", ["-c:a", "pcm_u8", "-ar", "11025", "-t", "0.00009"]),
        ("wav", ["-c:a", "pcm_s24le", "-ac", "6"]),
        ("wav", ["-c:a", "pcm_f32le"]),
        ("wav", ["-c:a", "pcm_mulaw"]),
        ("wav", ["-c:a", "adpcm_ima_wav"]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_all_kinds_of_sound_stay(ending: str, options: list[str], tmp_path: Path) -> None:
    content = sound(ending, *options)
    assert sniff(content[:4096]).media_type in STRIPPERS
    made = stripped(content, tmp_path)
    assert samples(made) == samples(content)
    assert len(made) > len(content) * 0.9 or ending == "flac"


def test_a_streamed_wav_of_ffmpeg_stays(tmp_path: Path) -> None:
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-metadata", "title=SECRET", "-f", "wav", "pipe:1"]
    content = subprocess.run(command, input=sound("wav"), capture_output=True, check=True, timeout=60).stdout
    assert SECRET in content
    assert b"\xff\xff\xff\xff" in content
    assert stripped(content, tmp_path) == sound("wav")


def test_of_a_wav_cut_off_the_rest_stays(tmp_path: Path) -> None:
    plain = sound("wav")
    assert stripped(plain[:-100], tmp_path)[44:] == plain[44:-100]
    tagged = wav_with(info())
    assert stripped(tagged[:-10], tmp_path) == plain


def test_text_in_the_numbers_of_a_wav_is_left_out(tmp_path: Path) -> None:
    plain = sound("wav")
    longer = riff(b"fmt ", plain[20:36] + b"\x08\0SECRET!!") + riff(b"fact", bytes(4) + b"SECRET")
    made = stripped(plain[:12] + longer + plain[36:], tmp_path)
    assert SECRET not in made
    assert samples(made) == samples(plain)


def test_other_bytes_between_frames_are_left_out(tmp_path: Path) -> None:
    """The frame in front of them is left out, too, unless its end is certain."""
    odd = b"SECRET in no tag" + bytes(100)
    flacs = stripped(2 * (sound("flac") + odd), tmp_path)
    assert flacs.startswith(flac_frames(sound("flac"))[:-20_000])
    assert SECRET not in flacs
    for ending in ("mp3", "aac"):
        plain = sound(ending)
        made = stripped(2 * (plain + odd), tmp_path)
        assert 2 * len(plain) - 2000 < len(made) < 2 * len(plain)
        assert SECRET not in made


# --- Sounds that can't be copied --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: b"ID3\4\0\0\0\0\0\0", id="a tag alone"),
        pytest.param(lambda: id3v2() + sound("flac"), id="a flac behind a tag, which counts as an mp3"),
        pytest.param(lambda: id3v2() + sound("aac"), id="an aac behind a tag, which counts as an mp3"),
        pytest.param(lambda: id3v2()[:300] + id3v1(), id="a tag that says more"),
        pytest.param(lambda: b"ID3" + b"\xff\xfb" * 400_000, id="endless mp3 headers"),
        pytest.param(lambda: b"\xff\xf1\x50\x80\x00\x1f\xfc" * 10, id="frames of no length"),
        pytest.param(lambda: b"fLaC", id="a flac without anything"),
        pytest.param(lambda: sound("flac")[:200], id="a flac cut off in its first frame"),
        pytest.param(lambda: b"fLaC\0\0\0\x22" + bytes(34) + bytes(4) * 600_000, id="endless blocks"),
        pytest.param(lambda: b"fLaC\x80\0\0\x22" + bytes(34) + b"\xff\xf8" * 400_000, id="endless flac headers"),
        pytest.param(lambda: b"fLaC\0\0\0\x22" + bytes(34) + b"\x81\xff\xff\xff", id="a block beyond the end"),
        pytest.param(lambda: sound("wav")[:40], id="a wav without sound"),
        pytest.param(lambda: wav_with(b"")[:44], id="a wav cut off before its sound"),
        pytest.param(lambda: wav_with(b"", before=b"odd \xff\xff\xff\xff"), id="a chunk beyond the end"),
        pytest.param(lambda: b"RIFF\0\0\0\0WAVE" + b"odd \0\0\0\0" * 600_000, id="endless chunks"),
        pytest.param(lambda: wav_with(b"LIST\0\0\0\0" * 400, 0), id="too many chunks behind the sound"),
        pytest.param(lambda: wav_with(b"", 0), id="a sound without a size in a file with one"),
        pytest.param(lambda: wav_with(b"SECRET"), id="no chunk behind the sound"),
        pytest.param(lambda: wav_with(info()[:-9], 0, whole=0), id="a chunk cut off behind a streamed sound"),
        pytest.param(lambda: wav_with(ape()[:-9], 0, whole=0), id="a tag cut off behind a streamed sound"),
        pytest.param(lambda: wav_with(info().replace(b"LIST", b"LOST"), 0, whole=0), id="a streamed sound and titles"),
        pytest.param(lambda: sound("wav").replace(b"fmt \x10\0\0\0\1", b"fmt \x10\0\0\0\x55"), id="mp3 in a wav"),
        pytest.param(lambda: sound("wav").replace(b"fmt ", b"FMT "), id="no format"),
        pytest.param(lambda: sound("ogg"), id="a format that isn't stripped here"),
    ],
)
def test_what_cannot_be_stripped_is_refused(make: Callable[[], bytes], tmp_path: Path) -> None:
    with pytest.raises(CannotStrip):
        stripped(make(), tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(CannotStrip):
        strip(tmp_path / "a", tmp_path / "b", "audio/mpeg")


@pytest.mark.parametrize("ending", ["ogg", "opus"])
def test_joined_oggs_are_refused(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(sound(ending))
    ogg.demand_plain(path)
    path.write_bytes(sound(ending) + sound(ending).replace(b"OggS\0\2", b"OggS\0\0"))
    with pytest.raises(CannotStrip):
        ogg.demand_plain(path)


# --- Damage, work and memory ------------------------------------------------------------------------------------------
def damaged(whole: bytes, chance: random.Random, layout: str) -> bytes:
    """Return `whole` with random bytes, mostly near a secret, or with a piece cut out.

    In a WAV, whatever is behind the sound stays as it is: if the size is unknown, nothing else tells it from samples.
    """
    made = bytearray(whole)
    end = len(sound("wav")) if layout.endswith("wav") else len(whole)
    places = [at for at in range(12, end) if whole.startswith(SECRET, at)] or [12]
    for _ in range(chance.randrange(1, 20)):
        near = chance.choice(places) + chance.randrange(-60, 60)
        at = near if chance.random() < 0.6 else chance.randrange(12, end)
        if not whole.startswith(SECRET, max(0, at - 5)) and 12 <= at < end:
            made[at] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    if chance.random() < 0.4:
        start = chance.randrange(12, end)
        del made[start : min(end, start + chance.randrange(1, 3000))]
    return bytes(made)


@pytest.mark.parametrize("layout", SOUNDS)
def test_damaged_ones_end_as_copies_without_secrets_or_refusals(layout: str, tmp_path: Path) -> None:
    chance = random.Random(layout)
    whole = SOUNDS[layout]()[0]
    for _ in range(MUTATIONS):
        try:
            made = stripped(damaged(whole, chance, layout), tmp_path)
        except CannotStrip:
            continue
        assert SECRET not in made


def test_a_frame_is_whole_only_with_its_checksum() -> None:
    def remainder(content: bytes) -> int:
        rest = 0
        for byte in content:
            rest ^= byte << 8
            for _ in range(8):
                rest = rest << 1 ^ (0x18005 if rest & 0x8000 else 0)
        return rest

    chance = random.Random(0)
    for size in (*range(40), 1000, 5003):
        content = chance.randbytes(size)
        whole = content + struct.pack(">H", remainder(content))
        assert flac._is_whole(whole)
        for power in (0, 1, 14, 15, 16, size):
            assert not flac._is_whole((int.from_bytes(whole) ^ 1 << power).to_bytes(len(whole) + 1))


def test_a_large_honest_file_wastes_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LEAST_WASTE", 0)
    monkeypatch.setattr(parts, "WASTE", 0.1)  # bytes per byte of the file; the limit is 4
    plain = sound("flac", "-af", "aloop=loop=20:size=48000")
    assert len(plain) > 1_000_000
    assert stripped(plain, tmp_path) == flac_frames(plain)


# Runs in a separate process, since the sandbox draws pictures in a thread of the test process.
MEASURED_STRIP = """
import sys, tracemalloc
from pathlib import Path
from runs.storage.sounds import strip
tracemalloc.start()
strip(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("ending", ["mp3", "flac", "wav"])
def test_memory_stays_flat(ending: str, tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    many = {"mp3": 2400, "flac": 150, "wav": 1}[ending]
    whole = wav_with(bytes(20_000_000), 0xFFFFFFFF, whole=0xFFFFFFFF) if ending == "wav" else sound(ending) * many
    source.write_bytes(whole + ape())
    command = [sys.executable, "-c", MEASURED_STRIP, str(source), str(target), sniff(whole[:4096]).media_type]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert target.stat().st_size > 19_000_000
    assert int(done.stdout) < 10_000_000
