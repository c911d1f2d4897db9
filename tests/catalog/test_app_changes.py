"""What changed in an app's form on Lamina: each change is stored with its field and its date."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from runs import catalog
from runs.models import App, AppChange, Member
from tests.support.app_settings import locked, set_rules
from tests.support.factories import make_app
from tests.support.html import flat
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE: list[dict[str, Any]] = [
    {"key": "idea", "id": "1", "name": "Idea", "type": "text", "default": "A cat"},
    {"key": "look", "id": "2", "name": "Look", "type": "options", "options": ["Red", "Blue"], "default": "Red"},
    {"key": "shot", "id": "3", "name": "Shot", "type": "text", "default": ""},
    {"key": "old", "id": "4", "name": "Old", "type": "text", "default": ""},
]
AFTER: list[dict[str, Any]] = [
    {"key": "idea", "id": "9", "name": "Your idea", "type": "text"},
    {"key": "look", "id": "2", "name": "Look", "type": "options", "options": ["Blue", "Green"], "default": "Blue"},
    {"key": "shot", "id": "3", "name": "Shot", "type": "url", "default": ""},
    {"key": "new", "id": "5", "name": "New", "type": "text", "default": ""},
]


def test_every_change_is_kept_with_its_field(sandbox: SandboxDoor) -> None:
    app = _stored(sandbox, BEFORE)
    assert not AppChange.objects.exists()  # the first version doesn't count as a change

    _stored(sandbox, AFTER)
    _stored(sandbox, AFTER)

    assert [(change.kind, change.field, change.detail) for change in app.changes.all()] == [
        ("renamed", "Your idea", {"from": "Idea", "to": "Your idea"}),
        ("needed", "Your idea", {}),
        ("options_added", "Look", {"options": ["Green"], "count": 1}),
        ("options_gone", "Look", {"options": ["Red"], "count": 1}),
        ("retyped", "Shot", {"from": "text", "to": "url"}),
        ("added", "New", {}),
        ("gone", "Old", {}),
    ]


def test_another_sample_is_told_since_a_locked_picture_without_a_file_uses_it(
    sandbox: SandboxDoor, as_admin: Client, admin_member: Member
) -> None:
    picture = {"key": "logo", "name": "Logo", "type": "url", "accept": "image", "multiple": False}
    app = _stored(sandbox, [{**picture, "default": "https://x.test/a.png?signed=1"}])
    set_rules(app, admin_member, p0=locked())
    page = as_admin.get(reverse("runs:manage-app", args=[app.slug, app.public_id])).text
    assert "the app's current sample, which may change on Lamina" in flat(page)

    _stored(sandbox, [{**picture, "default": "https://x.test/a.png?signed=2"}])
    assert not AppChange.objects.exists()  # the picture didn't change
    app = _stored(sandbox, [{**picture, "default": "https://x.test/b.png?signed=3"}])

    page = as_admin.get(reverse("runs:manage-app", args=[app.slug, app.public_id])).text
    assert "“Logo” has a different sample file, which is used if no file is added." in flat(page)


def test_fields_of_one_name_are_not_mistaken_for_each_other(sandbox: SandboxDoor) -> None:
    twice = [{"id": one, "name": "Idea", "type": "text", "default": ""} for one in ("1", "2")]
    app = _stored(sandbox, twice)
    _stored(sandbox, [twice[1]])
    assert [(change.kind, change.field) for change in app.changes.all()] == [("gone", "Idea")]


def _stored(sandbox: SandboxDoor, parameters: list[dict[str, Any]]) -> App:
    """Give the app these parameters on Lamina, let the portal read them, and return the app as stored."""
    sandbox.control("apps", app={"appId": "poster", "name": "Poster", "parameters": parameters})
    app = App.objects.filter(remote_id="poster").first() or make_app("Poster", parameters, remote_id="poster")
    catalog.refresh_app(app.pk)
    return App.objects.get(pk=app.pk)
