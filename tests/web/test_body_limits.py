"""People without an account can make the portal read at most 64 KB of fields per request, and no files."""

from collections.abc import Iterator
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from runs.models import Member, Run
from runs.web.body_limits import SMALL_BYTES
from tests.support.access_rows import ROWS, Row
from tests.support.access_world import World
from tests.support.clients import client_of, run_out
from tests.support.factories import make_app, make_run
from tests.support.raw_http import Server, push, serving

pytestmark = pytest.mark.django_db(transaction=True)

MB = 1_000_000
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
POSTED = [row for row in ROWS if row.method == "post"]
TOKEN = "a" * 32  # if this cookie is sent, Django reads the form to compare the tokens
COOKIE = f"csrftoken={TOKEN}"


class Counted(BytesIO):
    """A body that counts how much of it was read."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


def send(client: Client, path: str, body: bytes, kind: str, method: str = "POST", **meta: str) -> tuple[int, int, str]:
    """Return the status, how many bytes of `body` were read, and the response's text."""
    counted = Counted(body)
    extra: dict[str, object] = {"wsgi.input": counted, "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind, **meta}
    answer = client.generic(method, path, **extra)  # type: ignore[arg-type]
    return answer.status_code, counted.taken, b"".join(answer).decode()


def address(world: World, row: Row) -> str:
    path: str = reverse(row.name, args=row.path(world))
    return path if row.name != "runs:webhook" else "/hooks/lamina/made-up/"


@pytest.fixture
def world(make_member: object) -> World:
    return World(make_member)  # type: ignore[arg-type]


def test_nothing_is_read_of_a_strangers_large_body_at_any_address(world: World) -> None:
    wrong = []
    for row in POSTED:
        for method in ("POST", "PUT"):
            for kind, first in ((FORM, b""), (MULTIPART, PART)):
                client = Client(enforce_csrf_checks=True)
                client.cookies["csrftoken"] = TOKEN
                status, taken, _ = send(client, address(world, row), first + bytes(MB), kind, method)
                wrong += [f"{method} {row.name} {kind}: {status}, {taken} bytes"] if taken or status < 400 else []
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("path", "meta", "status"),
    [
        ("/nowhere/", {}, 404),
        ("/login", {}, 301),
        ("/login/", {"HTTP_HOST": "evil.example"}, 400),
        ("/runs/%00/", {}, 400),
        ("/login/", {"CONTENT_TYPE": f"{FORM}; charset=latin-1"}, 415),
        ("/static/portal.css", {}, 405),
    ],
)
def test_nothing_is_read_where_there_is_no_view_either(path: str, meta: dict[str, str], status: int) -> None:
    """Django checks the form's CSRF token even when it responds with one of its own error pages."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = TOKEN
    assert send(client, path, bytes(MB), meta.pop("CONTENT_TYPE", FORM), **meta)[:2] == (status, 0)


def test_a_strangers_small_form_may_hold_no_file(world: World) -> None:
    for row in POSTED:
        status, taken, _ = send(Client(), address(world, row), PART + b"x\r\n--b--\r\n", MULTIPART)
        # a webhook's body isn't a form, and who unsubscribes isn't asked for one
        assert status in (401, 413) or row.name in ("runs:webhook", "runs:mail-stop") or not taken, (row.name, status)
        assert taken <= SMALL_BYTES


@pytest.mark.parametrize("more", [0, 1])
def test_sixty_four_kilobytes_are_the_limit(more: int) -> None:
    body = b"username=a&password=b&more=".ljust(SMALL_BYTES + more, b"x")
    status, taken, text = send(Client(), "/login/", body, FORM)
    assert (status, taken) == ((413, 0) if more else (200, SMALL_BYTES))
    assert ("at most 64 KB" in text) is bool(more)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({}, "<h1>You're signed out</h1>"),
        ({"HTTP_SEC_FETCH_MODE": "cors"}, "You're signed out, so this wasn't sent."),
        ({"HTTP_HX_REQUEST": "true"}, "You're signed out, so this wasn't sent."),
    ],
)
def test_the_refusal_says_what_to_do_next(headers: dict[str, str], words: str) -> None:
    path = make_app().get_absolute_url()
    status, _, text = send(Client(), path, PART + bytes(MB), MULTIPART, **headers)
    assert (status, words in text) == (401, True)
    assert ("<" in text) is ("<h1>" in words)
    assert headers or f'href="/login/?next={path}"' in text


def test_a_body_without_a_length_is_refused_from_everybody(as_alice: Client) -> None:
    for client in (as_alice, Client()):
        status, taken, text = send(client, "/me/", b"name=A", FORM, HTTP_TRANSFER_ENCODING="chunked")
        assert (status, taken) == (411, 0)
        assert "Content-Length" in text


def upload(client: Client) -> int:
    """Post a 100 KB file to an app's form; return the status."""
    path = make_app().get_absolute_url()
    return client.post(path, {"p0_file": SimpleUploadedFile("a.png", bytes(100_000))}).status_code


def test_whose_session_ran_out_within_the_day_is_read(as_alice: Client, alice: Member) -> None:
    assert upload(as_alice) == 422
    run_out(as_alice, hours=23)
    assert as_alice.get("/history/").status_code == 302
    assert as_alice.cookies["sessionid"].value  # the cookie is still set, since nothing else proves who sent the file
    assert upload(as_alice) == 200  # this page is the sign-in page, which keeps the file
    run_out(as_alice, hours=25)
    assert upload(as_alice) == 401


def test_a_new_password_ends_what_a_session_that_ran_out_proves(as_alice: Client, alice: Member) -> None:
    run_out(as_alice)
    alice.set_password("another long enough password")
    alice.save()
    assert upload(as_alice) == 401


def test_who_was_signed_out_or_shut_out_is_not_read(as_alice: Client, alice: Member) -> None:
    there = client_of(alice)
    as_alice.post("/me/sessions/end-others/")
    assert upload(there) == 401
    Member.objects.filter(pk=alice.pk).update(is_active=False)
    assert upload(as_alice) == 401
    run_out(as_alice)
    assert upload(as_alice) == 401
    made_up = Client()
    made_up.cookies["sessionid"] = "a" * 32
    assert upload(made_up) == 401


def test_a_delivery_is_read_up_to_two_megabytes_where_its_path_is_known(alice: Member) -> None:
    path = reverse("runs:webhook", args=[make_run(alice).hook_token])
    kind = "application/json"
    assert send(Client(), path, bytes(2 * MB), kind)[:2] == (503, 2 * MB)
    assert send(Client(), path, bytes(2 * MB + 1), kind)[:2] == (413, 0)
    assert send(Client(), "/hooks/lamina/made-up/", b"{}", kind)[:2] == (404, 0)


# --- On the wire; tests/server/test_behind_proxies.py has what proxies keep away


@pytest.fixture(scope="module")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_what_follows_a_refused_body_is_no_request(server: Server) -> None:
    get = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    told = push(server.port, "/me/", len(get), kind=FORM, first=get, Cookie=COOKIE, Content_Length=str(MB))
    assert (told.status, told.answers) == (401, 1)
    told = push(server.port, "/login/", MB, kind=FORM, first=b"a=b" + get, Content_Length="3")
    assert told.answers == 3  # for the form, for the GET, and a 400: the form ends where Content-Length says


def test_a_known_run_is_told_its_news(server: Server, alice: Member) -> None:
    run: Run = make_run(alice)
    told = push(server.port, f"/hooks/lamina/{run.hook_token}/", MB, kind="application/json")
    assert (told.status, told.sent) == (503, MB)
