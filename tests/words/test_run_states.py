"""Run states as shown to people, in the reader's language."""

import pytest
from django.utils import translation

from runs.models import Run
from runs.words.run_states import STATES, WAITS, state_of


def test_states_and_waits_are_read_in_the_language_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """This also works for modules that read the words at import time."""
    with translation.override("de"):
        monkeypatch.setattr("django.utils.translation._trans.pgettext", lambda _context, word: f"German {word}")
        monkeypatch.setattr("django.utils.translation._trans.gettext", lambda word: f"German {word}")
        assert state_of(Run(status="failed")).word == "German Failed"
        assert str(STATES["ready"]) == "German Ready"
        assert str(WAITS[Run.Wait.FILES]).startswith("German")
    monkeypatch.undo()
    assert state_of(Run(status="failed")).word == "Failed"
