"""Every response has the security headers, however early the request is refused."""

from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http.response import HttpResponseBase
from django.test import Client
from pytest_django import Settings

from runs.models import Member
from runs.uploads import upload_handler
from runs.web import body_limits
from runs.web.body_limits import SMALL_BYTES
from tests.support.factories import PICTURE, make_app, make_run

pytestmark = pytest.mark.django_db
MB = 1_000_000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
TOKEN = "a" * 32  # if this cookie is sent, Django reads the form to compare the tokens
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-store",
    "Strict-Transport-Security": "max-age=60",
}


@pytest.fixture
def browser(settings: Settings) -> Client:
    """A stranger's browser on a portal that uses https."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 60
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.defaults["HTTP_ORIGIN"] = "https://testserver"
    client.cookies["csrftoken"] = TOKEN
    return client


@pytest.fixture
def member(browser: Client, alice: Member) -> Client:
    """The same browser, signed in."""
    browser.force_login(alice)
    return browser


def headers_missing(answer: HttpResponseBase, *, is_secure: bool = True) -> list[str]:
    """Return the names of the security headers that are missing from `answer` or have the wrong value."""
    wanted = dict(HEADERS)
    if not is_secure:
        del wanted["Strict-Transport-Security"]  # browsers ignore it without https
    wrong = [name for name, value in wanted.items() if answer.headers.get(name) != value]
    return wrong if "default-src 'none'" in answer.headers.get("Content-Security-Policy", "") else [*wrong, "CSP"]


@pytest.mark.parametrize(
    ("status", "method", "path", "meta"),
    [
        (400, "GET", "/runs/%00/", {}),
        (400, "GET", "/apps/?q=%00", {}),
        (400, "GET", "/login/", {"HTTP_HOST": "evil.example"}),
        (301, "GET", "/history", {}),
        (302, "GET", "/history/", {}),
        (404, "GET", "/nowhere/", {}),
        (415, "POST", "/login/", {"CONTENT_TYPE": f"{FORM}; charset=latin-1"}),
        (403, "POST", "/login/", {"body": b"a=b"}),
        (411, "POST", "/login/", {"HTTP_TRANSFER_ENCODING": "chunked"}),
        (413, "POST", "/login/", {"body": bytes(SMALL_BYTES + 1)}),
        (401, "POST", "/me/", {"body": bytes(SMALL_BYTES + 1)}),
        (401, "POST", "/uploads/", {"CONTENT_TYPE": MULTIPART, "body": PART + b"x\r\n--b--\r\n"}),
        (404, "POST", "/hooks/lamina/made-up/", {"CONTENT_TYPE": "application/json", "body": b"{}"}),
    ],
)
def test_a_strangers_refused_request(
    browser: Client, status: int, method: str, path: str, meta: dict[str, str | bytes]
) -> None:
    answer = browser.generic(method, path, secure=True, **of_body(**meta))  # type: ignore[arg-type]
    assert (answer.status_code, headers_missing(answer)) == (status, [])


def of_body(*, body: bytes = b"", **meta: str | bytes) -> dict[str, object]:
    """Return the WSGI variables of a request with `body`."""
    return {"CONTENT_TYPE": FORM, "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))} | meta


def test_a_request_without_https(browser: Client) -> None:
    answer = browser.get("/history/")
    assert (answer.status_code, headers_missing(answer, is_secure=False)) == (301, [])


def nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limits, "_free_bytes", lambda: 100_000_000)


def fills_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = iter([200_000_000])
    monkeypatch.setattr(body_limits, "_free_bytes", lambda: next(rooms, 99_000_000))


def drains_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_handler, "DRAINED_BYTES", MB)
    monkeypatch.setattr(upload_handler, "HEADERS_BYTES", 0)


def as_it_is(_: pytest.MonkeyPatch) -> None:
    pass


@pytest.mark.parametrize("is_page", [True, False])
@pytest.mark.parametrize(
    ("status", "arrange", "file"),
    [
        (507, nearly_full, b"\x89PNG\r\n\x1a\n"),
        (507, fills_up, b"\x89PNG\r\n\x1a\n"),
        (413, drains_little, b"words"),
        (403, as_it_is, b"\x89PNG\r\n\x1a\n"),  # the file is read to the end, but the form's token is missing
    ],
)
def test_an_upload_that_is_stopped(
    member: Client,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    arrange: Callable[[pytest.MonkeyPatch], None],
    file: bytes,
    is_page: bool,
) -> None:
    arrange(monkeypatch)
    answer = member.post(
        make_app(parameters=[PICTURE]).get_absolute_url(),
        {"p0_file": SimpleUploadedFile("a.png", file + bytes(3 * MB))},
        secure=True,
        headers={"Sec-Fetch-Mode": "navigate" if is_page else "cors"},
    )
    assert (answer.status_code, headers_missing(answer)) == (status, [])


@pytest.mark.parametrize(("status", "size"), [(503, 100), (413, 2 * MB + 1)])
def test_a_delivery(browser: Client, alice: Member, status: int, size: int) -> None:
    path = f"/hooks/lamina/{make_run(alice).hook_token}/"
    answer = browser.post(path, bytes(size), content_type="application/json", secure=True)
    assert (answer.status_code, headers_missing(answer)) == (status, [])
