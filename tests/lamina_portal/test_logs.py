"""Log lines: one for each change to a run, and no secret paths."""

import logging
import runpy
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from lamina_portal.logs import MaskSecretPaths, masked_path
from runs.engine import progress
from runs.models import Member, Run
from tests.support.factories import make_run
from tests.support.processes import TIMEOUT_SECONDS, Home, busy_at_most

SECRETS = [
    "/hooks/lamina/T0ken-x/",
    "/s/T0ken-x/",
    "/s/T0ken-x/files/1",
    "/invite/T0ken-x/",
    "/password/reset/T0ken-x/",
    "/S/T0ken-x/",
    "/login/?next=%2Finvite%2FT0ken-x%2F",
    "/?u=https%3a%2f%2fportal.example.com%2fs%2fT0ken-x",
    "//s//T0ken-x/",
    "/s///T0ken-x//files/1",
    "//hooks//lamina//T0ken-x/",
    "/hooks/lamina//T0ken-x",
    "//invite//T0ken-x/",
    "/password//reset//T0ken-x/",
    "/s/%2FT0ken-x/",
    "/%2Fs%2f/T0ken-x/",
    "/s/%54%30ken%2Dx/",
    "/%73/T0ken-x/",
    "/%53/T0ken-x/",
    "/inv%69te/T0ken-x/",
    "/%68ooks/lam%49na/T0ken-x/",
    "/login/?next=%252Fs%252F%252FT0ken-x%252F",
    "/s\\T0ken-x/",
    "/s/%5cT0ken-x/",
    "/s/./T0ken-x/",
    "/s/;/T0ken-x/",
    "/s/.;/T0ken-x/",
    "/s;/T0ken-x/",
    "/s;a=b/T0ken-x/",
    "/s%3B/T0ken-x/",
    "/s/;a=b/;c/T0ken-x/files/1",
    "/./s/.//./T0ken-x/",
    "/s/x/../T0ken-x/",
    "/s/%2e/T0ken-x/",
    "/s/%252E%252fT0ken-x/",
    "/s/.%2F;%2fT0ken-x/",
    "/s/%3b/T0ken-x/",
    "/s/x%2F%2e%2E/T0ken-x/",
    "/hooks/./lamina/T0ken-x/",
    "/hooks/;/lamina/./T0ken-x/",
    "/hooks/x/../lamina/T0ken-x/",
    "/password/./reset/T0ken-x/",
    "/password;a=b/reset;c=d/T0ken-x/",
    "/password/reset/.;/T0ken-x/",
    "/password/change/../reset/T0ken-x/",
    "/invite/%2E/T0ken-x/",
    "/mail/;/T0ken-x/",
    "/s/%20T0ken-x/",
    "/s%20/T0ken-x/",
    "/%22s%22/T0ken-x/",
    "/s/'T0ken-x'/",
    "/s/''T0ken-x/",
    '/s/"T0ken-x"/',
    "/'invite'/T0ken-x/",
    "/password/reset/'T0ken-x/",
    "/password/%20reset/T0ken-x/",
]
DECODED_SECRETS = [
    *SECRETS,
    "/s/ T0ken-x/",
    "/s /T0ken-x/",
    "/ s/T0ken-x/",
    "/s/xyz T0ken-x/",
    "/s/?T0ken-x/",
    "/s/\nT0ken-x/",
    "/s/\N{NO-BREAK SPACE}T0ken-x/",
    '/s/" T0ken-x"/',
    "/invite/ T0ken-x/",
    "/mail/ T0ken-x/",
    "/password/reset/ T0ken-x/",
    "/password/ reset/ T0ken-x/",
    "/password /T0ken-x/",
    "/hooks/lamina/ T0ken-x/",
    "/hooks /lamina /T0ken-x/",
]
LINES = ["Not Found: {}", '192.0.2.1 "GET {} HTTP/1.1" 200', '"https://portal.example.com{}" "Mozilla/5.0"']


def written(message: str, *args: object) -> str:
    record = logging.LogRecord("any", logging.INFO, "", 0, message, args, None)
    assert MaskSecretPaths().filter(record)
    return record.getMessage()


@pytest.mark.parametrize("path", SECRETS)
@pytest.mark.parametrize("line", LINES)
def test_secret_paths_are_masked(path: str, line: str) -> None:
    assert "T0ken" not in written(line.format(path))
    assert "T0ken" not in written(line.format("%s"), path)


@pytest.mark.parametrize("path", DECODED_SECRETS)
def test_decoded_paths_are_masked_to_their_end(path: str) -> None:
    assert "T0ken" not in written("%s: %s", "Not Found", path)
    assert "T0ken" not in written("Forbidden (%s): %s", "CSRF cookie not set.", path)
    assert "T0ken" not in masked_path(path)


@pytest.mark.django_db
def test_a_link_with_a_space_is_masked_in_djangos_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.addFilter(MaskSecretPaths())
    assert Client().get("/s/%20T0ken-x/").status_code == 404
    assert [record.getMessage() for record in caplog.records if record.name == "django.request"] == [
        "Not Found: /s/•••/"
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/runs/abc/",
        "/runs/abc/mail/",
        "/apps/s-1/?q=s/",
        "/shares/new/",
        "/manage/people/invites/abc/send/",
        "/manage/notices/mail-test/",
        "/password/change/",
        "/password/reset/",
        "/password/reset",
        "/s/",
        "/s//",
        ": 12 MB/s; 3 left",
    ],
)
@pytest.mark.parametrize("line", LINES)
def test_other_lines_are_unchanged(path: str, line: str) -> None:
    assert written(line.replace("{}", "%s"), path) == line.format(path)


def test_only_the_path_is_masked() -> None:
    line = '"GET /s/T0ken-x/files/1?width=320 HTTP/1.1" 200 "https://portal.example.com/s/T0ken-x/" "Mozilla/5.0"'
    masked = '"GET /s/•••?width=320 HTTP/1.1" 200 "https://portal.example.com/s/•••/" "Mozilla/5.0"'
    assert written(line) == masked
    assert written("{'path': '/s/T0ken-x/', 'tries': 2}") == "{'path': '/s/•••/', 'tries': 2}"
    assert written("%s", "/s/T0ken-x/files/1/") == "/s/•••/"


@pytest.mark.parametrize(
    "part",
    ["/", "/s", "/s/", "/.", "/;", "%25", "%2F", "/password", "/password/", "/hooks/lamina/", "'", "/s'", "/s ", "%20"],
)
def test_a_long_path_takes_no_time(part: str) -> None:
    """Otherwise, anyone could keep the web server busy with such paths."""
    with busy_at_most(0.5):
        written("Not Found: %s", part * 5_000)
        written("Not Found: %s", f"/s{part * 5_000}")
        written(f"Not Found: /s{part * 5_000}")


WRITE_LINES = """
import logging
logging.getLogger("django.request").warning("Not Found: %s", "/s/T0ken-x/")
logging.getLogger("django.server").info('"%s" %s %s', "GET /invite/T0ken-x/ HTTP/1.1", "200", "0")
"""


@pytest.mark.whole
@pytest.mark.parametrize("debug", ["true", "false"])
def test_djangos_own_lines_are_masked_and_written_once(tmp_path: Path, debug: str) -> None:
    """With PORTAL_DEBUG set, Django also adds handlers of its own."""
    home = Home(tmp_path, PORTAL_DEBUG=debug)
    home.run(sys.executable, "manage.py", "shell", "--no-imports", "-c", WRITE_LINES).wait(TIMEOUT_SECONDS)
    assert home.output().count("Not Found: /s/•••/") == 1
    assert home.output().count("GET /invite/•••/") == 1
    assert "T0ken" not in home.output()


def test_gunicorns_own_handlers_mask_them_too(caplog: pytest.LogCaptureFixture) -> None:
    """With `--access-logfile`, gunicorn gives the access log a handler that our logging configuration doesn't cover."""
    log = logging.getLogger("gunicorn.access")
    before = log.filters[:]
    try:
        runpy.run_path(str(settings.BASE_DIR / "gunicorn.conf.py"))["on_starting"](SimpleNamespace(address=[]))
        log.addHandler(caplog.handler)
        log.warning('%(h)s "%(r)s"', {"h": "192.0.2.1", "r": "GET /invite/T0ken-x/ HTTP/1.1"})
    finally:
        log.removeHandler(caplog.handler)
        log.filters[:] = before
    assert "GET /invite/•••/" in caplog.text
    assert "T0ken" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_each_change_of_a_run_is_one_line(alice: Member, caplog: pytest.LogCaptureFixture) -> None:
    now = timezone.now()
    run = make_run(alice, status="starting")
    with caplog.at_level(logging.INFO, "runs.progress"):
        progress.hold(run, Run.Wait.RATE, now + timedelta(seconds=30))
        progress.doubt(run)
        progress.ask_person(run, ["r-1", "r-2"])
        progress.ask_cancel(run, alice, now)
        progress.leave_it(Run.objects.get(pk=run.pk), now)

    lines = [record.getMessage() for record in caplog.records if record.name == "runs.progress"]
    assert [line.partition(" ")[2] for line in lines] == [
        "from=starting to=starting remote=- wait=rate",
        "from=starting to=checking remote=-",
        "from=checking to=checking remote=- asks=person",
        "from=checking to=checking remote=- cancel=asked",
        "from=checking to=failed remote=- failure=left",
    ]
    assert "Ghibli" not in caplog.text
