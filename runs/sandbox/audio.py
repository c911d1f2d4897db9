"""Audio results: a few seconds of soft chords as a WAV file."""

import array
import io
import math
import wave

from runs.sandbox.drawing.job import Job

AUDIO_SECONDS = 5.0
RATE = 16_000  # samples per second
# Chords with soft sevenths and ninths, in semitones above the root.
CHORDS = [(0, 7, 11, 16), (-4, 3, 8, 12), (-2, 5, 10, 14), (-7, 0, 5, 9)]
DARK_CHORDS = [(0, 7, 10, 15), (-4, 3, 7, 12), (-7, 0, 3, 8), (-2, 5, 8, 14)]
# For each instrument: how long a note rings (in seconds), and how loud its overtone is.
INSTRUMENTS = {"marimba": (0.32, 0.4), "guitar": (0.8, 0.35), "music box": (0.6, 0.6), "organ": (2.5, 0.5)}
PACES = {"slow": 1.35, "fast": 0.62}  # factors for the time between notes


def make(job: Job) -> bytes:
    """Return a mono 16-bit WAV file that lasts AUDIO_SECONDS. The inputs determine its notes, instrument and tempo."""
    chance = job.random()
    root = 196.0 * 2 ** (chance.randrange(-3, 5) / 12)
    is_dark = job.option("mood").casefold() in {"mysterious", "proud"}
    chords = chance.sample(DARK_CHORDS if is_dark else CHORDS, 3)
    ring, overtone = INSTRUMENTS.get(job.option("instrument").casefold(), (0.7, 0.25))
    apart = 0.14 * PACES.get(job.option("tempo").casefold(), 1.0)
    samples = array.array("f", bytes(4 * int(RATE * AUDIO_SECONDS)))
    for number, chord in enumerate(chords):
        for step, semitones in enumerate(chord):
            start = number * AUDIO_SECONDS / 3.4 + step * apart
            _pluck(samples, start, root * 2 ** (semitones / 12), 0.13, ring, overtone)
    fade = int(RATE * 0.6)
    for n in range(fade):
        samples[-1 - n] *= n / fade
    loud = array.array("h", (max(-32767, min(32767, int(32767 * math.tanh(value)))) for value in samples))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(loud.tobytes())
    return file.getvalue()


def _pluck(
    samples: array.array[float], start: float, hertz: float, volume: float, ring: float, overtone: float
) -> None:
    """Add one soft note: a sine with a quieter octave, fast attack, and a decay of `ring` seconds."""
    first = int(start * RATE)
    step = 2 * math.pi * hertz / RATE
    for n in range(min(int(RATE * 2.2), len(samples) - first)):
        envelope = min(1.0, n / 400) * math.exp(-n / (RATE * ring))
        samples[first + n] += volume * envelope * (math.sin(step * n) + overtone * math.sin(2 * step * n))
