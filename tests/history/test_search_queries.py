"""Forty searches in people's own words, collected before this search was built. For 38 of them, the right app or run is
among the first three results. Half are for apps in the sandbox, half for runs, and 15 are German. They include typos
and vary word endings and word order."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from runs import sandbox
from runs.models import App, Member, Run
from runs.words.app_index import app_words
from runs.words.fold import fold
from tests.support.factories import make_app, make_run

pytestmark = pytest.mark.django_db

ASKED = json.loads((Path(__file__).parent / "search_queries.json").read_text())
CATALOG = json.loads((Path(sandbox.__path__[0]) / "catalog.json").read_text())
FIRST = 3
FOUND = 38


@pytest.fixture
def apps() -> dict[str, App]:
    """The sandbox's apps by name."""
    made = {}
    for position, told in enumerate(CATALOG):
        outputs, description = told["outputs"], told.get("description") or ""
        makes = Counter(output["type"] for output in outputs)
        app = make_app(
            told["name"],
            outputs=outputs,
            description=description,
            makes=dict(makes),
            makes_text=f" {' '.join(makes)} ",
            position=position,
        )
        words = [description, *(output["label"] for output in outputs), *makes]
        App.objects.filter(pk=app.pk).update(search_text=app_words(app.name, " ".join(words)))
        made[app.name] = app
    return made


@pytest.fixture
def runs(apps: dict[str, App]) -> list[Run]:
    """Runs that their makers have shared, newest first."""
    now, members = timezone.now(), {}
    for number, name in enumerate(sorted({told["by"] for told in ASKED["runs"]})):
        members[name] = Member.objects.create(email=f"person{number}@example.com", name=name, password="!")
    return [
        make_run(
            members[told["by"]],
            apps[told["app"]],
            status="completed",
            title=told["title"] or "",
            search_text=fold("\n".join([told["title"] or "", told["app"], *map(str, told["inputs"].values())])),
            shared_at=now,
            created_at=now - timedelta(hours=number),
        )
        for number, told in enumerate(ASKED["runs"])
    ]


def first(client: Client, asked: dict[str, Any]) -> list[str]:
    """Return the public ids of the first few results for the query `asked`."""
    if asked["wants"] == "app":
        context = client.get("/apps/", {"q": asked["words"]}).context
        return [app.public_id for app in [*context["apps"], *context["partly"]]][:FIRST]
    context = client.get("/history/", {"q": asked["words"], "tab": "team"}).context
    return [card.run.public_id for _, cards in context["groups"] for card in cards][:FIRST]


def test_what_people_ask_for_is_among_the_first_three(as_alice: Client, apps: dict[str, App], runs: list[Run]) -> None:
    missed = []
    for asked in ASKED["queries"]:
        meant = apps[asked["app"]] if asked["wants"] == "app" else runs[asked["run"]]
        if meant.public_id not in first(as_alice, asked):
            missed.append(asked["words"])

    assert len(ASKED["queries"]) == 40
    assert len(ASKED["queries"]) - len(missed) >= FOUND, missed
