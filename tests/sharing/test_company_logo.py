"""The company's logo on guests' pages: what admins may choose, what is stored, and who gets it."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, PngImagePlugin
from pytest_django import DjangoCaptureOnCommitCallbacks

from runs.models import Entry, GuestLink, SharingRules, StoredFile
from runs.uploads.logos import LIMIT_BYTES
from tests.support.guest_links import path_of
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db
RULES = {"guests_allowed": "on", "link_makers": "maker", "longest_days": "90", "company": "Oak & Sons"}


def picture(kind: str = "PNG", size: tuple[int, int] = (900, 300)) -> bytes:
    made, info = BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", "secret words")
    Image.new("RGB", size, "#2a5db0").save(made, kind, **({"pnginfo": info} if kind == "PNG" else {}))
    return made.getvalue()


def save(admin: Client, content: bytes, name: str = "oak.png", **changes: str) -> Page:
    answer = admin.post("/manage/sharing/", RULES | changes | {"logo": SimpleUploadedFile(name, content)}, follow=True)
    return Page(answer.text)


def logo_on(page: Page) -> dict[str, str]:
    return page.first("img", css="company-logo").attributes


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_guests_see_the_logo_in_place_of_the_name(as_admin: Client, link: GuestLink, kind: str) -> None:
    save(as_admin, picture(kind))
    shown = logo_on(Page(Client().get(path_of(link)).text))
    assert shown == logo_on(Page(Client().get("/login/").text))
    assert (shown["alt"], shown["width"], shown["height"]) == ("Oak & Sons", "400", "133")
    stored = SharingRules.current().logo
    assert stored is not None
    with stored.file.open("rb") as file:
        content = file.read()
    assert stored.media_type == "image/webp"
    assert b"secret words" not in content
    sent = Client().get(f"/logo/{stored.public_id}/")
    assert (sent.status_code, sent.headers["Content-Type"], b"".join(sent)) == (200, "image/webp", content)
    assert sent.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert sent.headers["Content-Disposition"] == 'inline; filename="logo.webp"'  # not the name of the admin's file
    assert not sent.cookies


def test_a_logo_that_fails_in_an_unknown_way_is_refused_with_a_sentence(
    as_admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> object:
        raise ValueError("a decoder's own trouble")

    monkeypatch.setattr("runs.storage.media.inspect_in_web", fail)
    assert "This file can't be read. Choose another." in Page(save(as_admin, picture()).html).root.words
    assert SharingRules.current().logo is None


def test_a_replaced_or_removed_logo_is_gone(
    as_admin: Client, link: GuestLink, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    save(as_admin, picture())
    first = SharingRules.objects.get().logo
    assert first is not None
    with django_capture_on_commit_callbacks(execute=True):
        save(as_admin, picture(size=(200, 200)), "new.png")
    assert not StoredFile.objects.filter(pk=first.pk).exists()
    second = SharingRules.objects.get().logo
    assert second is not None
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):  # the second time from a page that still shows the logo
            as_admin.post("/manage/sharing/", RULES | {"no_logo": "on"})
    assert Client().get(f"/logo/{second.public_id}/").status_code == 404
    assert not StoredFile.objects.filter(pk=second.pk).exists()
    assert "company-logo" not in Client().get(path_of(link)).text
    changed = [entry.changes["logo"] for entry in Entry.objects.order_by("pk") if "logo" in entry.changes]
    assert changed == [[None, "oak.webp"], ["oak.webp", "new.webp"], ["new.webp", None]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "SVG files can't be used here."),
        (picture("GIF"), "Choose a PNG, JPEG or WebP image for the logo."),
        (picture()[:400], "This picture is damaged or incomplete"),
        (b"%PDF-1.7 not a picture", "picture"),
        (picture() + b"\0" * LIMIT_BYTES, "the limit here is 2 MB."),
    ],
)
def test_what_cannot_be_a_logo_is_refused_in_words(as_admin: Client, content: bytes, words: str) -> None:
    page = save(as_admin, content, "logo.png", company="Elm")
    assert words in flat(str(page.first("small", id="logo-help").words))
    assert page.first("input", id="company").attributes["value"] == "Elm"  # nothing typed is lost
    assert SharingRules.current().logo is None
    assert not StoredFile.objects.exists()


def test_a_logo_is_kept_although_another_value_is_wrong(as_admin: Client) -> None:
    page = save(as_admin, picture(), longest_days="0")
    assert "Enter a number of days" in page.root.words
    assert logo_on(page)["width"] == "400"


def test_without_a_company_name_the_logo_still_has_words(as_admin: Client, link: GuestLink) -> None:
    save(as_admin, picture(), company="")
    assert logo_on(Page(Client().get(path_of(link)).text))["alt"] == "Logo"
