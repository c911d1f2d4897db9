"""Fixtures: an app with three fields, and a picture for the last field."""

import pytest

from runs.models import App, Member, Upload
from tests.support.factories import PICTURE, PROMPT, STYLE, make_app, make_stored

NEEDED_PICTURE = {**PICTURE, "default": None}


@pytest.fixture
def app() -> App:
    return make_app(parameters=[STYLE, PROMPT, NEEDED_PICTURE])


@pytest.fixture
def photo(alice: Member) -> Upload:
    return Upload.objects.create(member=alice, file=make_stored(), status="ready", name="shoe.png")
