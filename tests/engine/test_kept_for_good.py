"""Promise 1: results stay. The sandbox forgets every file, but last week's history still shows all of them."""

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from PIL import Image

from runs.engine import create_run
from runs.engine.create_run import LaunchRequest
from runs.models import App, Member, OutputFile, Run
from runs.schema_forms.answers import load_answers
from tests.support.cartoonify import known_app, press
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["local folder", "bucket"])
def _storage(request: pytest.FixtureRequest) -> None:
    """Run the test with each kind of storage."""
    if request.param == "bucket":
        request.getfixturevalue("store")


def press_reel(member: Member, app: App) -> Run:
    """Start a run that makes a picture and a video."""
    assert app.schema is not None
    answers: list[Any] = [
        {"name": p["name"], "key": p["key"], "id": p["id"], "type": p["type"], "value": value, "is_default": False}
        for p, value in zip(app.schema.parameters, ["A teapot in the rain", "Cinematic"], strict=True)
    ]
    token = create_run.new_form_token(member)
    return create_run.launch_run(member, LaunchRequest(app, app.schema, load_answers(answers), [0, 1], token))


@pytest.mark.usefixtures("_storage")
def test_a_week_later_every_picture_shows_and_every_film_plays(
    alice: Member, as_alice: Client, sandbox: SandboxDoor
) -> None:
    runs = [press(alice, known_app()), press_reel(alice, known_app("sandbox-quick-reel"))]
    work()
    assert {f.status for f in OutputFile.objects.all()} == {"saved"}
    assert OutputFile.objects.count() == 4

    sandbox.control("expire", all=True)
    Run.objects.update(created_at=timezone.now() - timedelta(days=7))

    cards = as_alice.get("/history/").content.decode()
    pages = [as_alice.get(run.get_absolute_url()).content.decode() for run in runs]
    pictures = {address for page in (cards, *pages) for address in re.findall(r'(?:src|poster)="(/files/[^"]+)"', page)}
    pictures |= {address for page in pages for address in re.findall(r'href="(/files/[^"]+/original[^"]*)"', page)}
    shown = films = 0
    for address in pictures:
        answer = as_alice.get(address)
        content = b"".join(answer)
        assert answer.status_code == 200, address
        if answer["Content-Type"].startswith("video/"):
            films += 1
            ranged = as_alice.get(address, headers={"Range": "bytes=100-"})
            assert (ranged.status_code, b"".join(ranged)) == (206, content[100:])
        else:
            Image.open(BytesIO(content)).load()
            shown += 1
    assert films == 1
    assert shown >= 6  # thumbnails and originals of three pictures
    assert not re.search(r'src(?:set)?="https?:', cards + "".join(pages))
