"""Finding an app by its name or current description, in upper or lower case and with or without accents."""

import pytest
from django.test import Client
from pytest_django import Settings

from runs import catalog
from runs.models import App
from tests.support.sandbox_door import SandboxDoor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def caption(sandbox: SandboxDoor, settings: Settings) -> App:
    """An app with an accent in its name, read from the sandbox with a few others."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    sandbox.control("list", most=9)  # the last of these is "sandbox-caption"
    catalog.refresh_catalog()
    return App.objects.get(remote_id="sandbox-caption")


def test_an_app_is_found_with_missing_or_extra_accents(as_alice: Client, caption: App) -> None:
    assert "é" in caption.name

    for words in ("legendes", "LÉGENDES", "lègéndes", "captions legend"):
        assert as_alice.get("/apps/", {"q": words}).context["apps"] == [caption], words
    none = as_alice.get("/apps/", {"q": "LÈGE zebra"}).context
    assert none["apps"] == []
    assert none["partly"] == [caption]


def test_a_changed_description_replaces_the_old_one(caption: App) -> None:
    for words in ("old words", "older words"):
        App.objects.filter(pk=caption.pk).update(description=words, search_text=f"{caption.search_text} {words}")
        catalog.refresh_catalog()

    assert App.objects.get(pk=caption.pk).search_text == caption.search_text
