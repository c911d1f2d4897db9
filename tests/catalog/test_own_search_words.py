"""Our own search for apps: the apps that best match what people say they need come first, and long lists are split into
parts."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from runs.catalog.views import PAGE
from tests.support.factories import make_app

pytestmark = pytest.mark.django_db

APPS = {
    "Product Reel": ("Turns photos into a short vertical film.", "video"),
    "Background Removal": ("Cuts out the subject of a picture.", "image"),
    "Schuhfoto": ("Katalogbilder von Schuhen, von oben und von der Seite.", "image"),
    "Voice Over": ("Reads a script aloud in a natural voice.", "audio"),
    "Shop Writer": ("Writes the description of a product.", "text"),
}


@pytest.fixture
def _apps() -> None:
    for name, (description, kind) in APPS.items():
        make_app(name, description=description, makes={kind: 1}, makes_text=f" {kind} ")


@pytest.mark.parametrize(
    ("q", "name"),
    [
        ("videos of products", "Product Reel"),
        ("prodcut vidoe", "Product Reel"),
        ("Produktvideo", "Product Reel"),
        ("Hintergrund entfernen", "Background Removal"),
        ("removing backgrounds", "Background Removal"),
        ("Bilder von Schuhen", "Schuhfoto"),
        ("shoe pictures", "Schuhfoto"),
        ("read my script", "Voice Over"),
        ("describe a product for a shop", "Shop Writer"),
        ("shop zeppelin writer", "Shop Writer"),
    ],
)
@pytest.mark.usefixtures("_apps")
def test_what_is_meant_comes_first(as_alice: Client, q: str, name: str) -> None:
    context = as_alice.get("/apps/", {"q": q}).context

    assert next(app.name for app in [*context["apps"], *context["partly"]]) == name


@pytest.mark.usefixtures("_apps")
def test_what_matched_is_marked(as_alice: Client) -> None:
    body = as_alice.get("/apps/", {"q": "natural voices"}).content.decode()

    assert "<mark>Voice</mark> Over" in body
    assert "in a <mark>natural</mark> <mark>voice</mark>." in body


def test_an_admin_is_not_sent_to_an_admin(as_alice: Client, as_admin: Client) -> None:
    make_app("Studio")

    assert "Tell an admin what's missing" in as_alice.get("/apps/", {"q": "xylophone"}).content.decode()
    body = as_admin.get("/apps/", {"q": "xylophone"}).content.decode()
    assert "ell an admin" not in body
    assert "See all apps" in body


def test_a_long_list_comes_in_parts(as_alice: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(PAGE + 5):
        make_app(f"App {number:03}", position=number)
    first = as_alice.get("/apps/")
    assert f"{PAGE + 5} apps" in first.content.decode()
    assert len(first.context["apps"]) == PAGE
    assert "Back to the first page" not in first.content.decode()

    with django_assert_max_num_queries(12):
        second = as_alice.get(first.context["more_url"])
    assert next(app.name for app in second.context["apps"]) == f"App {PAGE:03}"
    assert "Back to the first page" in second.content.decode()
    more = as_alice.get(first.context["more_url"], headers={"HX-Request": "true", "HX-Target": "app-more"})
    assert more.content.decode().count("<li>") == 5
    assert "<h1>" not in more.content.decode()
    assert len(as_alice.get("/apps/", {"after": "x"}).context["apps"]) == PAGE


def test_audio_is_a_kind_to_choose_once_an_app_makes_it(as_alice: Client) -> None:
    def kinds() -> list[str]:
        return [label for label, *_rest in as_alice.get("/apps/").context["chips"]]

    make_app("Posters")
    assert kinds() == ["All", "Images", "Videos", "Texts", "Starred"]
    assert as_alice.get("/apps/?makes=audio").context["chips"][3] == ("Audio", "/apps/?makes=audio", True, "")

    jingle = make_app("Jingles", makes={"audio": 1}, makes_text=" audio ")
    assert kinds() == ["All", "Images", "Videos", "Audio", "Texts", "Starred"]
    page = as_alice.get("/apps/?makes=audio")
    assert page.context["apps"] == [jingle]


@pytest.mark.usefixtures("_apps")
def test_apps_with_some_of_the_words_are_offered_as_the_closest(as_alice: Client) -> None:
    body = as_alice.get("/apps/", {"q": "script for our croissants"}).text

    assert "No apps match all of these words. This one comes closest:" in body
    assert "No apps found for" not in body
    assert "No apps found for" in as_alice.get("/apps/", {"q": "for our croissants"}).text


@pytest.mark.usefixtures("_apps")
@pytest.mark.parametrize(
    ("q", "names"), [("zeppelin", []), ("qwxyz vbnm", []), ("the subjetive", ["Background Removal"])]
)
def test_only_apps_with_a_similar_word_are_suggested(as_alice: Client, q: str, names: list[str]) -> None:
    page = as_alice.get("/apps/", {"q": q})

    assert [app.name for app in page.context["nearest"]] == names
    assert page.text.count('class="card app-card"') == len(names)
    assert ("closest match" in page.text) is bool(names)
    assert ("No app on the list comes close." in page.text) is (not names)


def test_without_an_app_of_a_kind_none_is_suggested(as_alice: Client) -> None:
    make_app("Posters")

    page = as_alice.get("/apps/?makes=audio")

    assert "No app can make this yet" in page.text
    assert 'class="card app-card"' not in page.text
