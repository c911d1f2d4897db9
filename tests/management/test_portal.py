"""`manage.py portal` as a whole: one command starts it, Ctrl-C stops it, and nothing is left behind."""

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from django.db import DatabaseError
from pytest_django import Settings

from runs.management import people
from runs.management.addresses import Address, AddressError
from runs.management.people import prepare_people
from runs.management.supervise import MAX_RESTARTS, Part, PartDied, StopAsked, Supervisor, say
from runs.models import Member
from tests.support.processes import TIMEOUT_SECONDS, Home, children_of, free_port, is_gone, wait_until

needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux's /proc")
READY = "Lamina Portal is ready"


class RunningPortal:
    """A portal and its sandbox on free loopback ports."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self.home = Home(folder, PORTAL_BIND=f"127.0.0.1:{self.port}", LAMINA_BASE_URL=self.sandbox_url)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        self.home.log.unlink(missing_ok=True)
        self.process = self.home.start("portal", "--empty", *options)
        wait_until(lambda: self.has_ended() or READY in self.home.output(), "the portal to be ready")
        assert READY in self.home.output(), self.home.output()

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def code(self) -> int:
        """Wait until the portal has ended, and return its exit code."""
        assert self.process is not None
        return self.process.wait(TIMEOUT_SECONDS)

    def wait_for_the_rest(self) -> None:
        """Wait until all of the portal's processes are gone, since children take a moment to end."""
        wait_until(lambda: not self.home.processes(), "every part to be gone")

    def has_part(self, word: str, *, other_than: int) -> bool:
        """Return whether the part has a main process whose id isn't `other_than`. During a restart, it may have no
        process at all."""
        assert self.process is not None
        children = children_of(self.process.pid)
        return any(pid in children and pid != other_than for pid in self.home.processes(word))

    def part(self, word: str) -> int:
        """Wait for the main process of the part whose command line contains `word`, and return the process's id."""
        assert self.process is not None
        mother = self.process.pid
        return wait_until(
            lambda: next((pid for pid in self.home.processes(word) if pid in children_of(mother)), 0), f"“{word}”"
        )


@pytest.fixture(scope="module")
def _portal(tmp_path_factory: pytest.TempPathFactory) -> RunningPortal:
    return RunningPortal(tmp_path_factory.mktemp("portal"))


@pytest.fixture
def portal(_portal: RunningPortal) -> Iterator[RunningPortal]:
    _portal.start()
    yield _portal
    _portal.home.end_all()
    _portal.code()


def sign_in(url: str, email: str, password: str) -> requests.Session:
    session = requests.Session()
    session.get(f"{url}/login/", timeout=60).raise_for_status()
    form = {"username": email, "password": password, "csrfmiddlewaretoken": session.cookies["csrftoken"]}
    session.post(f"{url}/login/", form, timeout=60).raise_for_status()
    return session


@needs_proc
@pytest.mark.whole
def test_people_sign_in_and_ctrl_c_stops_everything(portal: RunningPortal) -> None:
    for email in ("demo@example.com", "Sam@Example.com"):
        assert sign_in(portal.url, email, "demo").cookies.get("sessionid"), email
    assert not sign_in(portal.url, "demo@example.com", "domo").cookies.get("sessionid")
    assert "demo@example.com" in portal.home.output()
    assert requests.get(f"{portal.url}/healthz", timeout=60).json()["database"] == "ok"
    assert portal.process is not None
    portal.process.send_signal(signal.SIGINT)
    portal.process.send_signal(signal.SIGINT)  # people often press Ctrl-C twice
    assert portal.code() == 0
    portal.wait_for_the_rest()


@needs_proc
@pytest.mark.whole
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP])
def test_a_closed_terminal_or_sigterm_stops_everything(portal: RunningPortal, sig: signal.Signals) -> None:
    assert portal.process is not None
    portal.process.send_signal(sig)
    assert portal.code() == 0
    portal.wait_for_the_rest()


@needs_proc
@pytest.mark.whole
def test_a_killed_worker_is_restarted_and_a_killed_web_server_stops_everything(portal: RunningPortal) -> None:
    worker = portal.part("qcluster")
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: "restarting it" in portal.home.output(), "the portal to notice")
    wait_until(lambda: portal.has_part("qcluster", other_than=worker), "another worker in its place")
    assert requests.get(f"{portal.url}/healthz", timeout=60).ok

    os.kill(portal.part("gunicorn"), signal.SIGKILL)
    assert portal.code() == 1
    assert "The web server was killed by SIGKILL" in portal.home.output()
    portal.wait_for_the_rest()


@needs_proc
@pytest.mark.whole
def test_a_killed_portal_takes_its_parts_with_it(portal: RunningPortal) -> None:
    assert portal.process is not None
    portal.process.kill()
    wait_until(lambda: not portal.home.processes(), "the parts to stop by themselves")


@needs_proc
@pytest.mark.whole
def test_a_busy_port_is_reported_before_anything_starts(tmp_path: Path) -> None:
    portal = RunningPortal(tmp_path)
    with socket.create_server(("127.0.0.1", portal.port)):
        portal.process = portal.home.start("portal")
        assert portal.code() == 1
    output = portal.home.output()
    assert f"127.0.0.1:{portal.port} is in use already" in output
    assert "PORTAL_BIND=" in output
    assert "Traceback" not in output
    assert "Preparing" not in output


@pytest.fixture
def reloaded(tmp_path: Path) -> Iterator[RunningPortal]:
    """Start a portal as `make dev` does, on a copy of the code that tests may change."""
    code, data = tmp_path / "code", tmp_path / "data"
    data.mkdir()
    portal = RunningPortal(data)
    for name in ("lamina_portal", "runs", "templates", "static"):
        # also copies the bytecode, so that the parts needn't all compile the code
        shutil.copytree(portal.home.root / name, code / name)
    for name in ("manage.py", "gunicorn.conf.py"):
        shutil.copy(portal.home.root / name, code)
    portal.home.root = code
    portal.home.env["PORTAL_DEBUG"] = "true"
    portal.home.migrate()  # saves time; another test checks that the portal creates the tables by itself
    portal.start("--reload")
    yield portal
    portal.home.end_all()
    portal.code()


def sign_in_page(portal: RunningPortal) -> requests.Response | None:
    """Return the current sign-in page, or None while nothing responds."""
    try:
        return requests.get(f"{portal.url}/login/", timeout=60)
    except requests.ConnectionError:
        return None


@needs_proc
@pytest.mark.whole
def test_changes_are_reloaded_and_ctrl_c_stops_everything(reloaded: RunningPortal) -> None:
    code, worker = reloaded.home.root, reloaded.part("qcluster")
    settings_file = code / "lamina_portal" / "settings.py"
    as_it_was = settings_file.read_text()

    def shows(text: str) -> bool:
        page = sign_in_page(reloaded)
        return page is not None and text in page.text

    def refers_to_nobody() -> bool:
        page = sign_in_page(reloaded)
        return page is not None and page.headers["Referrer-Policy"] == "no-referrer"

    base = code / "templates" / "web/base.html"
    base.write_text(base.read_text().replace("Skip to content", "Jump to content"))
    wait_until(lambda: shows("Jump to content"), "a page made from the changed template")
    wait_until(lambda: reloaded.has_part("qcluster", other_than=worker), "another worker in its place")

    # Even settings that gunicorn's main process read when it started are reloaded.
    assert not refers_to_nobody()
    settings_file.write_text(f'{as_it_was}\nSECURE_REFERRER_POLICY = "no-referrer"\n')
    wait_until(refers_to_nobody, "the changed setting")

    # Until it is fixed, a syntax error stops only the parts that can't run with it.
    settings_file.write_text("half a line (")
    said = "The web server ended with code 1; it restarts when a file changes."
    wait_until(lambda: said in reloaded.home.output(), "the portal to say that it waits")
    assert not reloaded.has_ended()
    settings_file.write_text(as_it_was)
    wait_until(lambda: shows("Jump to content"), "the web server to come back")

    assert reloaded.process is not None
    reloaded.process.send_signal(signal.SIGINT)
    assert reloaded.code() == 0
    reloaded.wait_for_the_rest()


@pytest.mark.parametrize("text", ["8000", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "unix:/tmp/x", ""])
def test_an_invalid_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(AddressError, match="PORTAL_BIND"):
        Address.parse(text)


def test_addresses_are_parsed_and_written_the_same_way() -> None:
    for text in ("127.0.0.1:8000", "[::1]:8000", "localhost:80"):
        assert str(Address.parse(text)) == text
    assert str(Address.parse(":8000")) == "0.0.0.0:8000"
    assert str(Address.parse(":8000").as_seen_from_here) == "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("bind", "url", "can_sign_in"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("localhost:8000", "http://localhost:8000", True),
        ("0.0.0.0:8000", "http://127.0.0.1:8000", False),
        ("10.1.2.3:8000", "http://127.0.0.1:8000", False),
        ("127.0.0.1:8000", "https://portal.example.com", False),  # behind a proxy
    ],
)
@pytest.mark.django_db
def test_the_demo_people_exist_on_loopback_only(settings: Settings, bind: str, url: str, can_sign_in: bool) -> None:
    # the demo people already exist, left over from an earlier start on loopback
    prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None)
    settings.PORTAL_URL = url
    said: list[str] = []
    said += prepare_people(Address.parse(bind), said.append)
    assert Member.objects.filter(email="demo@example.com", is_active=True).exists() is can_sign_in
    assert Member.objects.filter(email="sam@example.com", is_active=True).exists() is can_sign_in
    assert ("cannot sign in" in " ".join(said)) is not can_sign_in
    assert ("createsuperuser" in " ".join(said)) is not can_sign_in


@pytest.mark.django_db
def test_with_a_key_there_are_no_demo_people(settings: Settings) -> None:
    settings.IS_SANDBOX = False
    assert "createsuperuser" in " ".join(prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None))
    assert not Member.objects.exists()
    Member.objects.create_superuser("ada@example.com", "a long enough password")
    assert prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None) == []


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    supervisor = Supervisor([])
    yield supervisor
    supervisor.stop()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Return a function that writes `code` to a module, and returns the module's name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(code: str) -> str:
        (tmp_path / "own_part.py").write_text(code)
        importlib.invalidate_caches()
        return "own_part"

    return write


def test_the_sixth_death_within_a_minute_stops_the_portal(supervisor: Supervisor, module: Callable[[str], str]) -> None:
    dying = Part("one", module("raise SystemExit(7)"), [], url="http://127.0.0.1:9/", is_restarted=True)
    supervisor.parts = [dying]
    with pytest.raises(PartDied, match=r"The one ended with code 7, the 6th time within a minute"):
        supervisor.start()
    assert len(dying.restarts) == MAX_RESTARTS


def test_a_message_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with suppress(OSError), Path("/dev/full").open("w") as full:  # closing it fails, too
        monkeypatch.setattr(sys, "stdout", full)
        say("The worker ended with code 3; restarting it.")


def test_a_part_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path, module: Callable[[str], str]) -> None:
    note = tmp_path / "child"
    deaf = f"""
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if child := os.fork():
    pathlib.Path({str(note)!r}).write_text(f"{{child}}.")
time.sleep(60)"""
    stubborn = Part("one", module(deaf), [])
    stubborn.start()
    wait_until(lambda: note.exists() and note.read_text().endswith("."), "the child")
    stubborn.stop(deadline=0)
    assert stubborn.process is not None
    assert stubborn.process.exitcode == -signal.SIGKILL
    wait_until(lambda: is_gone(int(note.read_text().rstrip("."))), "the child to be gone")


def test_a_stop_is_noticed_between_two_checks(supervisor: Supervisor) -> None:
    supervisor.ask_to_stop()
    with pytest.raises(StopAsked):
        supervisor.look()


@pytest.mark.django_db
def test_the_first_people_and_their_entries_are_one_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(people, "record", away)
    with pytest.raises(DatabaseError):
        prepare_people(Address.parse("127.0.0.1:8000"), lambda _: None)
    with pytest.raises(DatabaseError):
        people._make_admin("ada@example.com", "a long enough password")
    assert not Member.objects.exists()
