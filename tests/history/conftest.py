"""Enough time for searches, however busy this machine is."""

import pytest

from runs.history import query_timeout, selection, views, widen

SECONDS = 60.0


@pytest.fixture(autouse=True)
def _no_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        (query_timeout, "SEARCH_SECONDS"),
        (selection, "COUNT_SECONDS"),
        (views, "WITH_APPS_SECONDS"),
        (widen, "ASIDE_SECONDS"),
    ):
        monkeypatch.setattr(module, name, SECONDS)
