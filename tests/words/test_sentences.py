"""Amounts and times as shown to people: whole phrases with the right plural, in the reader's language."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from runs.models import Run
from runs.words.sentences import (
    STATES,
    WAITS,
    about_credits,
    age_words,
    brief_age_words,
    makes_words,
    span_words,
    state_of,
    usual_words,
)

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


@pytest.mark.parametrize(
    ("expected", "low", "high", "words"),
    [
        ("1", None, None, "about 1 credit"),
        ("0.5", None, None, "about 0.5 credits"),
        ("4250", "4250", "4250", "about 4,250 credits"),
        ("12", "8", "20", "about 12 credits (8\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}20)"),
    ],
)
def test_credits(expected: str, low: str | None, high: str | None, words: str) -> None:
    bounds = [Decimal(bound) if bound else None for bound in (low, high)]
    assert about_credits(Decimal(expected), *bounds) == words


def test_unknown_amounts_say_nothing() -> None:
    assert (about_credits(None), usual_words(None, 3), makes_words({})) == ("", "", "")


def test_states_and_waits_are_read_in_the_language_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """This also works for modules that read them at import time."""
    with translation.override("de"):
        monkeypatch.setattr("django.utils.translation._trans.pgettext", lambda _context, word: f"German {word}")
        monkeypatch.setattr("django.utils.translation._trans.gettext", lambda word: f"German {word}")
        assert state_of(Run(status="failed")).word == "German Failed"
        assert str(STATES["ready"]) == "German Ready"
        assert str(WAITS[Run.Wait.FILES]).startswith("German")
    monkeypatch.undo()
    assert state_of(Run(status="failed")).word == "Failed"
