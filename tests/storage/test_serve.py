"""Files as served to browsers: ranges, caching, names, and no content that a browser would execute."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.test import RequestFactory
from pytest_django import Settings

from runs.models import StoredFile
from runs.storage import store
from runs.storage.media import Media, inspect
from runs.storage.serve import content_disposition, file_response
from runs.storage.store import NewFile
from tests.support.hostile_server import PAGE, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored(tmp_path: Path) -> StoredFile:
    path = tmp_path / "x"
    path.write_bytes(picture(300, 200))
    return store.store(NewFile(path, inspect(path), "ab" * 32, path.stat().st_size), "shoe.png")


@pytest.fixture
def page(tmp_path: Path) -> StoredFile:
    path = tmp_path / "x"
    path.write_bytes(PAGE)
    return store.store(NewFile(path, inspect(path), "cd" * 32, len(PAGE)), "result.png")


def get(stored: StoredFile, variant: str = "original", query: str = "", **headers: str) -> HttpResponseBase:
    return file_response(RequestFactory().get(f"/x{query}", headers=headers), stored, variant)


def body(response: HttpResponseBase) -> bytes:
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    response.close()
    return bytes(content)


def test_the_whole_file(stored: StoredFile) -> None:
    response = get(stored)
    whole = picture(300, 200)
    assert (response.status_code, body(response)) == (200, whole)
    assert response.headers == {
        "ETag": f'"{("ab" * 32)[:32]}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Security-Policy": (
            "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
        ),
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "bytes",
        "Content-Type": "image/png",
        "Content-Disposition": 'inline; filename="shoe.png"',
        "Content-Length": str(len(whole)),
    }


@pytest.mark.parametrize("variant", ["200", "thumb_200", "400", "1200"])
def test_small_pictures_have_their_own_tags(variant: str, stored: StoredFile) -> None:
    response = get(stored, variant)
    width = variant.removeprefix("thumb_")
    assert response["ETag"] == f'"{("ab" * 32)[:32]}-{width}"'
    assert (response["Content-Type"], response["Content-Disposition"]) == ("image/webp", 'inline; filename="shoe.webp"')
    assert body(response)[8:12] == b"WEBP"


@pytest.mark.parametrize("variant", ["300", "thumb_", "../x", "file", "", "-200"])
def test_there_is_nothing_else(variant: str, stored: StoredFile) -> None:
    with pytest.raises(Http404):
        get(stored, variant)


def test_what_is_missing_is_not_found(stored: StoredFile, page: StoredFile) -> None:
    with pytest.raises(Http404):
        get(page, "200")
    default_storage.delete(stored.file.name or "")
    with pytest.raises(Http404):
        get(stored)


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=0-", 0, None), ("bytes=10-19", 10, 20), ("bytes=5-99999999", 5, None),
     ("bytes=-7", -7, None), ("bytes=-99999999", 0, None)],
)  # fmt: skip
def test_a_range(asked: str, start: int, end: int | None, stored: StoredFile) -> None:
    whole = picture(300, 200)
    wanted = whole[start:end]
    first = start if start >= 0 else len(whole) + start

    response = get(stored, Range=asked)

    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{first + len(wanted) - 1}/{len(whole)}"
    assert response["Content-Length"] == str(len(wanted))
    assert body(response) == wanted


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_end(asked: str, stored: StoredFile) -> None:
    response = get(stored, Range=asked)
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(picture(300, 200))}"
    assert body(response) == b""


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "bytes=9-3", "lines=1-2", "bytes=", "bytes=-", "bytes=a-b", "\u0661"]
)
def test_an_invalid_range_is_ignored(asked: str, stored: StoredFile) -> None:
    assert get(stored, Range=asked).status_code == 200


def test_a_range_of_a_file_that_changed_is_the_whole(stored: StoredFile) -> None:
    assert get(stored, Range="bytes=0-1", **{"If-Range": '"other"'}).status_code == 200
    assert get(stored, Range="bytes=0-1", **{"If-Range": "Wed, 21 Oct 2026 07:28:00 GMT"}).status_code == 200
    assert get(stored, Range="bytes=0-1", **{"If-Range": get(stored)["ETag"]}).status_code == 206


@pytest.mark.parametrize("tag", ["{}", "W/{}", '"x", {}', "*"])
def test_a_file_the_browser_has_is_not_sent_again(tag: str, stored: StoredFile) -> None:
    etag = get(stored)["ETag"]
    response = get(stored, **{"If-None-Match": tag.format(etag)})
    assert (response.status_code, body(response), response["ETag"]) == (304, b"", etag)
    assert get(stored, "200", **{"If-None-Match": etag}).status_code == 200


def test_asking_for_the_head_sends_no_body(stored: StoredFile) -> None:
    response = file_response(RequestFactory().head("/x"), stored)
    assert (response.status_code, body(response)) == (200, b"")
    assert response["Content-Length"] == str(len(picture(300, 200)))


def test_a_page_is_a_download_whatever_it_is_called(page: StoredFile) -> None:
    response = get(page)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="result.html"'


def test_a_wrong_type_in_a_row_is_not_trusted(page: StoredFile) -> None:
    for media_type in ("text/html", "image/svg+xml", "application/xhtml+xml", "image/png\r\nX: y"):
        page.media_type = media_type
        response = get(page)
        assert response["Content-Type"] == "application/octet-stream"
        assert response["Content-Disposition"].startswith("attachment")


def test_a_picture_can_be_downloaded(stored: StoredFile) -> None:
    assert get(stored, query="?download=1")["Content-Disposition"] == 'attachment; filename="shoe.png"'


def test_files_are_not_compressed_on_the_way(stored: StoredFile) -> None:
    request: Any = RequestFactory().get("/x", headers={"Accept-Encoding": "gzip"})
    response: Any = GZipMiddleware(lambda r: file_response(r, stored))(request)
    assert not response.has_header("Content-Encoding")
    assert response["Content-Length"] == str(len(picture(300, 200)))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("shoe.png", 'inline; filename="shoe.png"'),
        ("schuh größe.png", "inline; filename=\"schuh groe.png\"; filename*=UTF-8''schuh%20gr%C3%B6%C3%9Fe.png"),
        ("猫.png", "inline; filename=\"file.png\"; filename*=UTF-8''%E7%8C%AB.png"),
        ('a";b.png', "inline; filename=\"a__b.png\"; filename*=UTF-8''a%22%3Bb.png"),
        ("a\r\nX: y.png", 'inline; filename="aX: y.png"'),
        ("a\u202egnp.exe", 'inline; filename="agnp.exe"'),
        ("100%25.png", "inline; filename=\"100_25.png\"; filename*=UTF-8''100%2525.png"),
        ("", 'inline; filename="file"'),
    ],
)
def test_names_of_any_script_are_safe_in_the_header(name: str, header: str) -> None:
    assert content_disposition(name, is_inline=True) == header


def test_the_same_content_has_the_same_name_by_hash(tmp_path: Path) -> None:
    media = Media("other", "application/octet-stream", "bin")
    names = set()
    for _ in range(2):
        path = tmp_path / "x"
        path.write_bytes(b"same")
        names.add(store.store(NewFile(path, media, "ef" * 32, 4), "x").file.name)
    assert len(names) == 2  # the first file isn't overwritten


def test_nginx_sends_the_file_if_configured(stored: StoredFile, page: StoredFile, settings: Settings) -> None:
    settings.PORTAL_ACCEL_PREFIX = "/kept-files/"
    response = get(stored, Range="bytes=0-1")
    assert (response.status_code, body(response)) == (200, b"")
    assert response["X-Accel-Redirect"] == f"/kept-files/{stored.file.name}"
    assert (response["Content-Type"], response["Content-Disposition"]) == ("image/png", 'inline; filename="shoe.png"')
    assert "Content-Length" not in response
    assert get(page)["Content-Disposition"].startswith("attachment")
    assert get(stored, **{"If-None-Match": response["ETag"]}).status_code == 304
