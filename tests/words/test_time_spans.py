"""Ages and durations as shown to people: whole phrases with the right plural, in the reader's language."""

from datetime import timedelta

import pytest
from django.utils import timezone

from runs.words.time_spans import age_words, brief_age_words, span_words, usual_words

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "words", "brief"),
    [
        (0, "just now", "just now"),
        (59, "just now", "just now"),
        (5 * MINUTE, "5 min ago", "5 min"),
        (2 * HOUR, "2 h ago", "2 h"),
        (DAY, "1 day ago", "1 day"),
        (6 * DAY, "6 days ago", "6 days"),
        (7 * DAY, "1 week ago", "1 week"),
        (65 * DAY, "2 months ago", "2 months"),
        (800 * DAY, "2 years ago", "2 years"),
    ],
)
def test_ages(seconds: int, words: str, brief: str) -> None:
    now = timezone.now()
    at = now - timedelta(seconds=seconds)
    assert (age_words(at, now), brief_age_words(at, now)) == (words, brief)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(42, "42 s"), (60, "1 min"), (80, "1 min 20 s"), (HOUR, "1 h"), (HOUR + 2 * MINUTE + 9, "1 h 2 min")],
)
def test_spans(seconds: int, words: str) -> None:
    assert span_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("usual", "slow", "words"),
    [
        (20, 20, "usually about 20 s"),
        (2, 9, "usually 2 to 9 s"),
        (120, 180, "usually 2 to 3 min"),
        (40, 150, "usually 40 s to 2 min 30 s"),
        (3000, 4200, "usually 50 min to 1 h 10 min"),
    ],
)
def test_usual_times(usual: float, slow: float, words: str) -> None:
    assert usual_words(usual, slow) == words


def test_an_unknown_time_says_nothing() -> None:
    assert usual_words(None, 3) == ""
