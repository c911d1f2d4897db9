"""The compiled catalogues match their sources, and German is complete."""

import gettext
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client

from tests.translation.unmarked import unmarked

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "runs/locale").rglob("*.po"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parts[-3])
def test_what_is_compiled_is_what_was_translated(path: Path) -> None:
    wanted = {
        (entry.msgctxt, entry.msgid): entry.msgstr or tuple(entry.msgstr_plural.values())
        for entry in polib.pofile(str(path))
        if entry.translated() and not entry.obsolete
    }
    compiled = {
        (entry.msgctxt, entry.msgid): entry.msgstr or tuple(entry.msgstr_plural.values())
        for entry in polib.mofile(str(path.with_suffix(".mo")))
    }
    assert compiled == wanted, "run `make messages`"
    with path.with_suffix(".mo").open("rb") as file:
        gettext.GNUTranslations(file)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parts[-3])
def test_every_text_is_translated(path: Path) -> None:
    entries = [entry for entry in polib.pofile(str(path)) if not entry.obsolete]
    assert len(entries) > 20
    assert [entry.msgid for entry in entries if not entry.translated()] == []


def test_every_language_that_is_offered_has_a_catalogue() -> None:
    assert {path.parts[-3] for path in SOURCES} == {code for code, _ in settings.LANGUAGES} - {"en", "xx"}


def test_an_unmarked_text_is_found() -> None:
    assert unmarked("<p>Plain words</p><p>ÞŕéṽéŔ</p>") == ["Plain words"]
    assert unmarked('<button aria-label="Close">+</button>') == ["Close"]
    assert unmarked('<button data-busy="One moment" data-count="3 4" data-words="{count} ñóţ"></button>') == [
        "One moment"
    ]
    assert unmarked("<template><p>Sending</p></template>") == ["Sending"]
    assert unmarked("<p>A rose</p>", ["A rose"]) == []


@pytest.mark.django_db
def test_the_sign_in_page_is_german_for_a_german_browser() -> None:
    page = Client(HTTP_ACCEPT_LANGUAGE="de-AT,de;q=0.9,en;q=0.5").get("/login/")
    assert '<html lang="de"' in page.content.decode()
    assert page.headers["Content-Language"] == "de"
    assert "Accept-Language" in page.headers["Vary"]
