"""The guest page: what it shows, what it never reveals, and a plain page for each reason a link can't be opened."""

import logging
import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core.files.storage import FileSystemStorage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from lamina_portal.logs import MaskSecretPaths
from runs.models import GuestLink, Member, Run, SharingRules, StoredFile
from runs.sharing import guests, links
from runs.storage.store import StorageAway
from tests.sharing.guest_page import file_paths, page_of, today
from tests.support.factories import make_kept, make_run, make_stored
from tests.support.guest_links import path_of
from tests.support.html import flat
from tests.support.page import Page

pytestmark = pytest.mark.django_db
BROWSER = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1"
}
SECRETS = ("Spring shoes", "Ghibli", "Cartoonify", "cartoonify")


# --- What it shows ----------------------------------------------------------------------------------------------------
def test_in_a_sandbox_a_guest_is_told(link: GuestLink, settings: Settings) -> None:
    assert "Sandbox: nothing here is real" in page_of(link)
    settings.IS_SANDBOX = False
    assert "Sandbox" not in page_of(link)


def test_a_guest_sees_the_chosen_results_and_nothing_else(link: GuestLink) -> None:
    page = page_of(link, audience="Kim at Acme", message="Which one?")
    for words in ("Made for walking.", "Front", "Alice", "Kim at Acme", "Which one?"):
        assert words in page
    for secret in SECRETS:
        assert secret not in page
    assert "<script" not in page
    assert "download" not in page


def test_only_what_was_chosen(run: Run, alice: Member) -> None:
    page = page_of(links.make_link(alice, [run.outputs.all()[1]]))
    assert "Made for walking." in page
    assert file_paths(page) == []


def test_inputs_and_app_are_shown_where_the_sender_says_so(link: GuestLink) -> None:
    page = page_of(link, shows_app=True)
    assert "Cartoonify!" in page
    assert "Ghibli" not in page
    page = page_of(link, shows_inputs=True, shows_app=False)
    assert "Ghibli" in page
    assert "Cartoonify" not in page


def test_inputs_of_several_runs_are_told_apart(link: GuestLink, run: Run, alice: Member) -> None:
    second = make_run(alice, run.app, status="completed")
    make_kept(second)
    both = links.make_link(alice, [*run.outputs.all(), second.outputs.all()[0]])
    page = flat(page_of(both, shows_inputs=True))
    assert re.findall("<summary>.*?<bdi>(.*?)</bdi>", page) == ["Front 1, Back", "Front 2"]
    (alone,) = Page(page_of(link, shows_inputs=True)).find("summary")
    assert not alone.find("bdi")


def test_a_picture_that_may_not_be_downloaded_is_only_seen(link: GuestLink) -> None:
    small, large = file_paths(page_of(link))
    original = re.sub(r"/\d+$", "/original", large)
    assert [Client().get(path).headers["Content-Type"] for path in (small, large)] == ["image/webp"] * 2
    assert Client().get(original).status_code == 404
    assert Client().get(f"{large}?download=1").status_code == 404
    assert Client().get(f"{path_of(link)}download/").status_code == 404


@pytest.mark.parametrize(("may_download", "variant"), [(False, "1200"), (True, "original")])
def test_a_picture_leads_to_itself_as_large_as_the_sender_allows(
    link: GuestLink, may_download: bool, variant: str
) -> None:
    page = page_of(link, may_download=may_download)
    (full,) = re.findall(r'<a class="guest-full" href="([^"]+)"', page)
    assert full.endswith(f"/{variant}")
    assert Client().get(full).status_code == 200
    assert "inline" in Client().get(full).headers["Content-Disposition"]


def test_behind_a_passphrase_a_picture_carries_its_proof(link: GuestLink) -> None:
    GuestLink.objects.filter(pk=link.pk).update(passphrase=make_password("green apples"))
    page = Client().post(path_of(link), {"passphrase": "green apples"}).content.decode()
    (full,) = re.findall(r'<a class="guest-full" href="([^"]+)"', page)
    assert Client().get(full).status_code == 200
    assert Client().get(full.partition("?")[0]).status_code == 403


@pytest.mark.parametrize("has_passphrase", [False, True])
def test_a_guest_reads_the_language_their_browser_asks_for(link: GuestLink, has_passphrase: bool) -> None:
    GuestLink.objects.filter(pk=link.pk).update(passphrase=make_password("green apples") if has_passphrase else "")
    for language in ("en", "de"):
        answer = Client().get(path_of(link), headers={"Accept-Language": language})
        assert Page(answer.text).first("html").attributes["lang"] == language
        assert "Accept-Language" in answer.headers["Vary"]
        assert not answer.cookies


@pytest.mark.parametrize(("count", "is_many"), [(2, False), (3, True)])
def test_three_pictures_hang_in_two_columns(run: Run, alice: Member, count: int, is_many: bool) -> None:
    results = [run.outputs.all()[0], run.outputs.all()[1]]  # a picture and some text; text doesn't count
    for _ in range(count - 1):
        more = make_run(alice, run.app, status="completed")
        make_kept(more)
        results.append(more.outputs.all()[0])
    assert ("guest is-many" in page_of(links.make_link(alice, results))) is is_many


def test_a_guest_is_told_that_the_storage_is_away(link: GuestLink, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> bool:
        raise StorageAway

    page_of(link, may_download=True)
    monkeypatch.setattr(FileSystemStorage, "exists", away)

    answer = Client().get(f"{path_of(link)}download/")

    assert answer.status_code == 503
    assert "Nothing is lost" in answer.content.decode()


def test_films_play_piece_by_piece(link: GuestLink, run: Run) -> None:
    StoredFile.objects.filter(results__output__run=run).update(kind="video", media_type="video/mp4")
    page = page_of(link)
    film = next(path for path in file_paths(page) if path.endswith("original"))
    assert f'<source src="{film}" type="video/mp4">' in page
    answer = Client().get(film, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.headers["Content-Length"]) == (206, "10")


def test_a_file_that_cannot_be_shown_is_only_named_when_it_may_be_had(link: GuestLink, run: Run) -> None:
    StoredFile.objects.filter(results__output__run=run).update(kind="other", media_type="image/svg+xml")
    (place,) = Page(page_of(link)).find(css="guest-file")
    assert not place.find("bdi")  # the file isn't named
    page = page_of(link, may_download=True)
    assert [name.words for name in Page(page).first(css="guest-file").find("bdi")] == [f"shared_front_{today()}.png"]
    assert Client().get(file_paths(page)[-1]).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("passphrase", ["", "green apples"])
def test_a_text_alone_can_be_downloaded_if_the_sender_allows_it(run: Run, alice: Member, passphrase: str) -> None:
    text = run.outputs.all()[1]
    link = links.make_link(alice, [text])
    path = f"{path_of(link)}results/{text.public_id}/text"
    page_of(link, passphrase=make_password(passphrase) if passphrase else "")

    def download() -> list[dict[str, str]]:
        page = Page(Client().post(path_of(link), {"passphrase": passphrase}).text)
        return [a.attributes for a in page.find("a", css="guest-download")]

    assert download() == []
    assert Client().get(path).status_code == (403 if passphrase else 404)
    page_of(link, may_download=True)
    (offered,) = download()
    assert offered["href"].partition("?")[0] == path
    assert offered["download"] == f"shared_back_{today()}.txt"
    answer = Client().get(offered["href"])
    assert answer.content == b"Made for walking."
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{offered["download"]}"'
    assert (Client().get(path).status_code == 403) is bool(passphrase)
    links.revoke(link, alice)
    assert Client().get(offered["href"]).status_code == 410


def test_a_picture_has_no_text_to_download(link: GuestLink, run: Run) -> None:
    page_of(link, may_download=True)
    assert Client().get(f"{path_of(link)}results/{run.outputs.all()[0].public_id}/text").status_code == 404


def test_the_chat_s_picture_is_a_jpeg_at_an_absolute_address(link: GuestLink) -> None:
    page = page_of(link)
    assert f'<meta property="og:image" content="http://127.0.0.1:8000{path_of(link)}preview.jpg">' in page
    assert '<meta property="og:title" content="1 image and 1 text from Alice">' in page
    answer = Client().get(f"{path_of(link)}preview.jpg")
    assert (answer.headers["Content-Type"], answer.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    page = page_of(link, passphrase=make_password("open sesame"))
    assert "og:" not in page
    assert Client().get(f"{path_of(link)}preview.jpg").status_code == 404


# --- What it never reveals --------------------------------------------------------------------------------------------
def test_no_cookie_no_script_no_trace(link: GuestLink) -> None:
    page = page_of(link, may_download=True)
    for path in (path_of(link), f"{path_of(link)}nowhere/at/all", "/s/made-up/", *file_paths(page)):
        answer = Client().get(path)
        assert not answer.cookies, path
        assert answer.headers["X-Robots-Tag"].startswith("noindex")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] in ("private, no-store", "private, no-cache")
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_neighbour_is_never_shown(link: GuestLink, run: Run, alice: Member) -> None:
    neighbour = make_kept(make_run(alice, run.app, status="completed"))
    other = make_kept(run, make_stored((50, 40)), position=1)  # another result of the run, not chosen for the link
    link.chosen.filter(output__position=1).delete()
    for kept in (neighbour, other):
        assert kept.file is not None
        for variant in ("original", "400"):
            assert Client().get(f"{path_of(link)}files/{kept.file.public_id}/{variant}").status_code == 404
            assert Client().get(f"/files/{kept.file.public_id}/{variant}").status_code != 200


def test_what_went_in_is_served_only_where_it_is_shown(link: GuestLink, run: Run, alice: Member) -> None:
    photo = make_stored((60, 40))
    upload = alice.uploads.create(file=photo, status="ready", name="secret.png")
    given = run.inputs.create(position=1, name="Photo", type="url", value=[])
    given.links.create(upload=upload, position=0)
    path = f"{path_of(link)}files/{photo.public_id}/400"
    assert Client().get(path).status_code == 404
    assert path in page_of(link, shows_inputs=True)
    assert Client().get(path).status_code == 200
    assert "secret.png" not in Client().get(path).headers["Content-Disposition"]


def test_guests_get_no_way_into_the_portal(link: GuestLink, run: Run) -> None:
    client = Client()
    client.get(path_of(link))
    assert client.get(f"/runs/{run.public_id}/").status_code == 302
    assert not re.findall(r'href="/(?!s/|static/|help/accessibility/)[^"]*"', page_of(link))


def test_secret_addresses_never_stand_in_a_log_line(link: GuestLink, caplog: pytest.LogCaptureFixture) -> None:
    token = path_of(link).split("/")[2]
    caplog.handler.addFilter(MaskSecretPaths())
    with caplog.at_level(logging.DEBUG):
        GuestLink.objects.update(revoked_at=timezone.now())
        Client().get(path_of(link))
        Client().delete(path_of(link))
        Client().get(f"{path_of(link)}files/made-up/original")
        Client().get(f"/s/{token}")
        logging.getLogger("gunicorn.access").info('"GET /s/%s/?p=x HTTP/1.1" 200', token)
    lines = [caplog.handler.format(record) for record in caplog.records]
    assert any("/s/•••" in line for line in lines)
    assert not [line for line in lines if token in line and "django.db" not in line]


# --- Pages for links that don't open ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"revoked_at": timezone.now()}, "This link was revoked"),
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "This link has expired"),
    ],
)
def test_a_dead_link_says_why_and_nothing_of_what_it_showed(
    link: GuestLink, fields: dict[str, object], words: str
) -> None:
    files = file_paths(page_of(link))
    known = {path: Client().get(path).headers["ETag"] for path in files}
    page = page_of(link, audience="Kim at Acme", message="Which one?", **fields)
    assert Page(page).first("h1").words == words
    assert "ask <bdi>alice</bdi>" in page.casefold()
    for secret in (*SECRETS, "Front", "Kim at Acme", "Which one?", "Made for walking."):
        assert secret not in page
    assert Client().get(path_of(link)).status_code == 410
    for path, etag in known.items():  # browsers revalidate cached files, and find out that they're gone
        assert Client().get(path, headers={"If-None-Match": etag}).status_code == 410
    assert Client().get(f"{path_of(link)}preview.jpg").status_code == 410


def test_a_cached_file_is_checked_but_not_sent_again(link: GuestLink) -> None:
    path = file_paths(page_of(link))[0]
    answer = Client().get(path)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert Client().get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_an_address_that_is_none_tells_nothing(link: GuestLink) -> None:
    answer = Client().get("/s/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert Page(page).first("h1").words == "This link doesn't work"
    assert "Alice" not in page


def test_results_in_the_bin_are_no_longer_shared(link: GuestLink, run: Run) -> None:
    files = file_paths(page_of(link))
    Run.objects.filter(pk=run.pk).update(deleted_at=timezone.now())
    page = page_of(link)
    assert Page(page).first("h1").words == "No longer shared"
    assert "Made for walking." not in page
    assert {Client().get(path).status_code for path in files} == {404}
    Run.objects.filter(pk=run.pk).update(deleted_at=None)
    assert "Made for walking." in page_of(link)


def test_no_link_opens_while_guests_are_not_allowed(link: GuestLink) -> None:
    rules = SharingRules.objects.create(guests_allowed=False)
    page = page_of(link)
    assert Page(page).first("h1").words == "Closed to guests for now"
    assert "Made for walking." not in page
    rules.delete()
    assert "Made for walking." in page_of(link)


def test_many_wrong_addresses_are_slowed_down_and_real_links_go_on(link: GuestLink) -> None:
    statuses = [Client().get(f"/s/made-up-{n}/").status_code for n in range(guests.MAX_UNKNOWN + 1)]
    assert (statuses[0], statuses[-1]) == (404, 429)
    assert Client().get(path_of(link)).status_code == 200
