"""The whole web server behind nginx and Caddy, set up as in docs/deploy: slow clients keep the proxy waiting, not the
portal, and no byte of a stranger's file reaches a disk."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver

from tests.support import caddy, nginx, web_servers
from tests.support.clients import PASSWORD
from tests.support.processes import TIMEOUT_SECONDS, Home, free_port
from tests.support.proxies import DEPLOY, running
from tests.support.slow_clients import KINDS, answers_in_time, slow_clients

pytestmark = pytest.mark.whole

MB = 1_000_000
STRANGERS = 100
ASKED = 10
# On an idle machine, each response takes less than two seconds, as `python -m tests.bench slow_clients` requires. Here,
# other tests run at the same time.
BOUND_SECONDS = 20.0
EMAIL = "ada@acme.example"
FILE = {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(8 * MB), "image/png")}
PATHS = ("/uploads/", "/apps/any-app1/", "/manage/sharing/", "/manage/apps/any-app1/")


@dataclass
class Site:
    """A portal behind a proxy."""

    url: str
    port: int
    proxy: int  # process id
    home: Home

    def written(self) -> int:
        """Return how many bytes the processes of both have written to files so far."""
        children = Path(f"/proc/{self.proxy}/task/{self.proxy}/children").read_text().split()
        total = 0
        for pid in (*self.home.processes("gunicorn"), self.proxy, *children):
            fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
            total += int(fields["wchar"])
        return total

    def sign_in(self) -> requests.Session:
        browser = requests.Session()
        browser.get(f"{self.url}/login/", timeout=TIMEOUT_SECONDS).raise_for_status()
        form = {"username": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post(f"{self.url}/login/", form, timeout=TIMEOUT_SECONDS).raise_for_status()
        return browser


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, str]]:
    home = Home(tmp_path_factory.mktemp("portal"), PORTAL_TESTING="1", PORTAL_TRUSTED_PROXIES="127.0.0.1")
    home.migrate()
    home.collect_static()
    account = {"DJANGO_SUPERUSER_EMAIL": EMAIL, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    Home(home.folder, **account).manage("createsuperuser", "--noinput")
    with web_servers.gunicorn(home, free_port()) as url:
        yield home, url


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def site(
    request: pytest.FixtureRequest, portal: tuple[Home, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    home, upstream = portal
    folder, port = tmp_path_factory.mktemp(request.param), free_port()
    command = (
        nginx.prepare(folder, port, upstream, folder)
        if request.param == "nginx"
        else caddy.prepare(folder, port, upstream)
    )
    url = f"http://127.0.0.1:{port}"
    with running(command, url, folder / "log") as process:
        yield Site(url, port, process.pid, home)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_slow_clients_do_not_block_the_portal(site: Site, kind: str) -> None:
    with slow_clients(site.port, kind, STRANGERS):
        taken = answers_in_time(site.url, ASKED, BOUND_SECONDS)
    assert len(taken) == ASKED


def test_all_kinds_together_do_not_block_it_either(site: Site) -> None:
    with ExitStack() as stack:
        for kind in KINDS:
            stack.enter_context(slow_clients(site.port, kind, STRANGERS))
        taken = answers_in_time(site.url, ASKED, BOUND_SECONDS)
    assert len(taken) == ASKED


@pytest.mark.parametrize("path", PATHS)
def test_a_strangers_file_is_refused_before_it_is_read(site: Site, path: str) -> None:
    before = site.written()
    answer = requests.post(site.url + path, files=FILE, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 401
    assert "<h1>You're signed out</h1>" in answer.text
    assert site.written() - before < MB


def test_a_member_sends_a_file(site: Site) -> None:
    browser = site.sign_in()
    headers = {"X-CSRFToken": browser.cookies["csrftoken"]}
    answer = browser.post(f"{site.url}/uploads/", files=FILE, headers=headers, timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 404  # read, but for an app that doesn't exist


def test_forms_without_files_are_small(site: Site) -> None:
    form = {"username": "x" * 3 * MB}
    with requests.post(f"{site.url}/login/", form, timeout=TIMEOUT_SECONDS, stream=True) as answer:
        assert answer.status_code in (413, 502)  # Caddy before 2.7 says 502, or cuts the page short


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Yield each URL pattern with an example of its address."""
    for pattern in patterns:
        route = prefix + re.sub("<[^>]+>", "a1", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield route, pattern


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile", "Caddyfile.debian13"])
def test_the_proxies_know_all_addresses_that_take_files(name: str) -> None:
    named = re.search(r"(\^/\(uploads/.*\$)", (DEPLOY / name).read_text())
    assert named is not None
    every = dict(addresses(get_resolver().url_patterns))
    takers = {path for path, pattern in every.items() if getattr(pattern.callback, "takes_files", False)}
    assert {path for path in every if re.search(named[1], path)} == takers
    assert len(takers) == len(PATHS)
