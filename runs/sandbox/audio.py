"""Audio results: a few seconds of soft chords as a WAV file."""

import array
import io
import math
import wave

from runs.sandbox.drawing.job import Job

AUDIO_SECONDS = 5.0
RATE = 16_000  # samples per second
# Soft sevenths and ninths, in semitones above the root.
CHORDS = [(0, 7, 11, 16), (-4, 3, 8, 12), (-2, 5, 10, 14), (-7, 0, 5, 9)]


def make(job: Job) -> bytes:
    """Return AUDIO_SECONDS of mono 16-bit WAV. The inputs determine the root note and the chords."""
    chance = job.random()
    root = 196.0 * 2 ** (chance.randrange(-3, 5) / 12)
    chords = chance.sample(CHORDS, 3)
    samples = array.array("f", bytes(4 * int(RATE * AUDIO_SECONDS)))
    for number, chord in enumerate(chords):
        for step, semitones in enumerate(chord):
            start = number * AUDIO_SECONDS / 3.4 + step * 0.14
            _pluck(samples, start, root * 2 ** (semitones / 12), 0.13)
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


def _pluck(samples: array.array[float], start: float, hertz: float, volume: float) -> None:
    """Add one soft note: a sine with a quiet octave, fast attack, slow decay."""
    first = int(start * RATE)
    step = 2 * math.pi * hertz / RATE
    for n in range(min(int(RATE * 2.2), len(samples) - first)):
        envelope = min(1.0, n / 400) * math.exp(-n / (RATE * 0.7))
        samples[first + n] += volume * envelope * (math.sin(step * n) + 0.25 * math.sin(2 * step * n))
