"""Fields of a type that the portal doesn't know: admins learn which fields, in which app, since when, and what people
see."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from runs import catalog
from runs.models import App
from tests.support.factories import make_app
from tests.support.page import Page
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


def test_admins_are_told_of_unknown_fields_until_they_are_gone(as_admin: Client, sandbox: SandboxDoor) -> None:
    app = make_app("Colour Lab", remote_id="card-unknown-input")
    assert "doesn't know" not in as_admin.get("/manage/").text

    catalog.refresh_app(app.pk)
    first = App.objects.get(pk=app.pk).unknown_fields
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        catalog.refresh_app(app.pk)

    assert App.objects.get(pk=app.pk).unknown_fields == first  # still dated from when they were first seen
    assert [(field["label"], field["type"]) for field in first][:2] == [("Hue", "colour_wheel"), ("Where", "geo-point")]
    body = as_admin.get("/manage/").text
    assert "People see a text box with a note" in body
    row = next(row for row in Page(body).find("tr") if "Hue" in row.words)
    assert "colour_wheel" in row.words
    assert row.find(css="moment")  # when it was first seen, to the second
    assert row.first("a").attributes["href"] == App.objects.get(pk=app.pk).get_absolute_url()
