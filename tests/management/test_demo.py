"""With a real gunicorn and nginx, the demo accounts work on the portal's own machine but not through a proxy."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from runs.models import Member, ThrottleHit
from runs.web.demo_accounts import DEMO_EMAILS, DEMO_PASSWORD
from tests.support import nginx, web_servers
from tests.support.clients import PASSWORD, client_of
from tests.support.processes import TIMEOUT_SECONDS, Home, free_port

MAKE_KIM = """
from runs.models import Member
Member.objects.create_user("kim@acme.example", "a long enough password")
"""
REFUSED = "The demo accounts work only on the portal"
BARE = "location / { proxy_pass UPSTREAM; }"
OURS = "docs/deploy/nginx.conf"
WITH_VIA = "location / { proxy_pass UPSTREAM; proxy_http_version 1.1; proxy_set_header Via nginx; }"
Start = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a sandbox portal with accounts."""
    made = tmp_path_factory.mktemp("demo")
    home = Home(made)
    web_servers.prepare(home)
    home.manage("shell", "-c", MAKE_KIM)
    return made


@pytest.fixture
def gunicorn(folder: Path) -> Iterator[Start]:
    """Return a function that makes gunicorn serve this data with the given settings and returns its address."""
    with ExitStack() as stack:

        def start(**env: str) -> str:
            return stack.enter_context(web_servers.gunicorn(Home(folder, PORTAL_ALLOWED_HOSTS="*", **env), free_port()))

        yield start


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts nginx in front of `upstream`, with one of the config blocks or as in docs/deploy,
    and returns nginx's address."""
    with ExitStack() as stack:

        def start(upstream: str, block: str) -> str:
            port = free_port()
            place = tmp_path / f"nginx-{port}"
            place.mkdir()
            servers = f"server {{ listen 127.0.0.1:{port}; {block.replace('UPSTREAM', upstream)} }}"
            if block == OURS:
                servers = nginx.server(port, upstream, place)
            command = nginx.start_command(place, servers)
            stack.enter_context(web_servers.serving(command, f"http://127.0.0.1:{port}"))
            return f"http://127.0.0.1:{port}"

        yield start


def try_in(url: str, email: str, password: str = DEMO_PASSWORD, **headers: str) -> tuple[requests.Session, str]:
    """Submit the sign-in form; return the session and the page it leads to."""
    session = requests.Session()
    session.get(f"{url}/login/", timeout=TIMEOUT_SECONDS, headers=headers).raise_for_status()
    form = {"username": email, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    answer = session.post(f"{url}/login/", form, timeout=TIMEOUT_SECONDS, headers=headers)
    return session, re.sub(r"\s+", " ", answer.text)


def is_in(session: requests.Session, url: str, **headers: str) -> bool:
    return session.get(f"{url}/me/", timeout=TIMEOUT_SECONDS, allow_redirects=False, headers=headers).status_code == 200


@pytest.mark.whole
def test_they_can_sign_in_locally_without_any_sign_of_a_proxy(gunicorn: Start) -> None:
    url = gunicorn()
    for email in DEMO_EMAILS:
        assert is_in(try_in(url, email)[0], url)
        assert is_in(try_in(url, email, Origin=url)[0], url)
    local, _ = try_in(url, "demo@example.com")
    for headers in (
        {"X-Forwarded-For": "203.0.113.5"},
        {"X-Forwarded-Host": "127.0.0.1"},
        {"X-Forwarded-Anything": "127.0.0.1"},
        {"Forwarded": "for=203.0.113.5"},
        {"Via": "1.1 somewhere"},
        {"X-Real-IP": "203.0.113.5"},
        {"Host": "portal.example.com"},
    ):
        session, page = try_in(url, "Demo@example.com", **headers)
        assert REFUSED in page, headers
        assert not is_in(session, url)
        assert not is_in(local, url, **headers)  # not even in a session that began on the portal's machine
        assert is_in(try_in(url, "kim@acme.example", PASSWORD, **headers)[0], url, **headers)
    assert is_in(local, url)
    assert not is_in(local, url, Origin="https://portal.example.com")


@pytest.mark.whole
def test_a_public_address_locks_them_out_and_ends_their_sessions(gunicorn: Start) -> None:
    local = gunicorn()
    session, _ = try_in(local, "demo@example.com")
    assert is_in(session, local)
    public = gunicorn(PORTAL_URL="http://portal.example.com")  # serves the same data
    assert not is_in(session, public)
    assert REFUSED in try_in(public, "demo@example.com")[1]
    assert REFUSED in try_in(public, "sam@example.com", Origin=public)[1]
    kim, _ = try_in(public, "kim@acme.example", PASSWORD)
    assert is_in(kim, public)


@pytest.mark.whole
@pytest.mark.parametrize("trusted", ["", "127.0.0.1"], ids=["not trusted", "trusted"])
def test_they_cannot_sign_in_behind_a_local_proxy(gunicorn: Start, proxy: Start, trusted: str) -> None:
    url = gunicorn(PORTAL_TRUSTED_PROXIES=trusted)
    session, _ = try_in(url, "demo@example.com")
    for block in (BARE, WITH_VIA, OURS):
        outside = proxy(url, block)
        assert REFUSED in try_in(outside, "demo@example.com")[1], block
        forged = {"Host": "127.0.0.1", "X-Forwarded-For": "127.0.0.1"}
        assert REFUSED in try_in(outside, "demo@example.com", **forged)[1], block
        assert not is_in(session, outside)
        assert is_in(session, url)
        kim, _ = try_in(outside, "kim@acme.example", PASSWORD)
        assert is_in(kim, outside)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "host", "url", "may"),
    [
        ("127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("127.0.0.1", "localhost", "http://localhost:8000", True),
        ("::1", "[::1]:8000", "http://[::1]:8000", True),
        ("::ffff:127.0.0.1", "localhost:8000", "http://localhost:8000", True),
        ("192.0.2.1", "127.0.0.1:8000", "http://127.0.0.1:8000", False),
        ("::ffff:192.0.2.1", "127.0.0.1:8000", "http://127.0.0.1:8000", False),
        ("", "127.0.0.1:8000", "http://127.0.0.1:8000", False),  # a Unix socket: there must be a proxy
        ("127.0.0.1", "portal.lan", "http://127.0.0.1:8000", False),
        ("127.0.0.1", "127.0.0.1.example.com", "http://127.0.0.1:8000", False),
        ("127.0.0.1", "127.0.0.1:8000", "http://10.1.2.3:8000", False),
    ],
)
def test_every_part_of_the_connection_must_be_local(
    settings: Settings, address: str, host: str, url: str, may: bool
) -> None:
    settings.PORTAL_URL, settings.ALLOWED_HOSTS = url, ["*"]
    demo = Member.objects.create_user("demo@example.com", DEMO_PASSWORD)
    extra = {"REMOTE_ADDR": address, "HTTP_HOST": host}
    form = {"username": "demo@example.com", "password": DEMO_PASSWORD}
    answer = Client().post("/login/", form, **extra)  # type: ignore[arg-type]
    assert (answer.status_code == 302) is may
    assert may or REFUSED in answer.content.decode()
    assert not ThrottleHit.objects.exists()  # so strangers can't get local sign-ins throttled
    assert (client_of(demo).get("/", **extra).status_code == 200) is may  # type: ignore[arg-type]
