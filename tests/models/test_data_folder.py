"""A data folder of the last commit before `0001_portal` goes on without loss; one that lacks a migration is refused.

`data_folder/` has a small portal of that commit: `sqlite.tar.xz` is its data folder without two large sounds, and
`postgres.sql.xz` has the same rows, as written by `pg_dump`.
"""

import hashlib
import lzma
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from runs.checks import LAST_COMMIT
from runs.sandbox.server import Sandbox, start_sandbox
from tests.smoke import FormReader
from tests.support import engines
from tests.support.processes import Home, free_port, wait_until
from tests.support.web_servers import gunicorn

pytestmark = pytest.mark.whole
STORED = Path(__file__).parent / "data_folder"
PASSWORD = "seven quiet lanterns"
# Django adds `0001_portal`, the schedules are written after each `migrate`, and SQLite counts keys.
CHANGING = {"django_migrations", "django_q_schedule", "sqlite_sequence"}
APP = "Légendes & Captions"


class Portal:
    """The stored data folder on one engine."""

    def __init__(self, home: Home, sandbox: Sandbox) -> None:
        self.home, self.sandbox, self.url = home, sandbox, home.env["DATABASE_URL"]
        with tarfile.open(STORED / "sqlite.tar.xz") as tar:
            tar.extractall(home.folder, filter="data")
        if self.url:
            (home.folder / "sandbox" / "portal.sqlite3").unlink()
            dump = lzma.decompress((STORED / "postgres.sql.xz").read_bytes())
            subprocess.run(["psql", "-qXv", "ON_ERROR_STOP=1", self.url], input=dump, check=True, capture_output=True)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.url:
            import psycopg

            with psycopg.connect(self.url, autocommit=True) as server:
                cursor = server.execute(query.encode())
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.home.folder / "sandbox" / "portal.sqlite3")) as file, file:
            return file.execute(query).fetchall()

    def tables(self) -> dict[str, list[str]]:
        """Return all rows of every table, as text."""
        names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        names = names if self.url else "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = sorted({name for (name,) in self.rows(names)} - CHANGING)
        return {table: sorted(map(str, self.rows(f'SELECT * FROM "{table}"'))) for table in tables}  # noqa: S608

    def refusal(self, *command: str) -> str:
        """Return what `command` says when it refuses to start."""
        done = subprocess.run(command, cwd=self.home.root, env=self.home.env, capture_output=True, timeout=120)
        assert done.returncode != 0
        return done.stderr.decode()


@pytest.fixture(params=engines.parameters())
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Portal]:
    sandbox = start_sandbox(free_port(), tmp_path / "lamina", seconds=0.3, per_minute=1000, has_test_cards=False)
    with engines.engine(request.param) as engine:
        home = Home(tmp_path / "home", LAMINA_BASE_URL=sandbox.url, **engine.env)
        home.folder.mkdir()
        yield Portal(home, sandbox)
        home.end_all()
    sandbox.stop()


class Visitor:
    """A browser without scripts."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()

    def page(self, path: str) -> str:
        answer = self.session.get(f"{self.url}{path}", timeout=60)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def post(self, path: str, fields: object) -> requests.Response:
        headers = {"Referer": self.url, "X-CSRFToken": self.session.cookies.get("csrftoken", "")}
        return self.session.post(f"{self.url}{path}", fields, headers=headers, timeout=60)  # type: ignore[arg-type]


def test_a_data_folder_of_the_last_commit_goes_on_without_loss(portal: Portal) -> None:
    before = portal.tables()
    assert all(before[f"runs_{name}"] for name in ("run", "output", "comment", "decision", "guest", "preset", "entry"))
    portal.home.manage("migrate", "runs", "0001_portal", "--verbosity", "0")
    assert portal.tables() == before
    portal.home.manage("migrate", "--verbosity", "0")
    assert portal.rows("SELECT count(*) FROM django_migrations WHERE app = 'runs' AND name = '0001_portal'") == [(1,)]

    portal.home.collect_static()
    with gunicorn(portal.home, free_port()) as url:
        alice = Visitor(url)
        alice.page("/login/")
        alice.post("/login/", {"username": "alice@example.com", "password": PASSWORD})
        pages_open(portal, alice)
        assert "Which one?" in Visitor(url).page(f"/s/{(portal.home.folder / 'guest_token').read_text()}/")
        a_new_run_works(portal, alice)


def pages_open(portal: Portal, alice: Visitor) -> None:
    for run, is_binned in portal.rows("SELECT public_id, deleted_at IS NOT NULL FROM runs_run WHERE member_id = 2"):
        assert is_binned or alice.page(f"/runs/{run}/")
    assert "A little warmer" in "".join(alice.page(f"/results/{row[0]}/") for row in results(portal))
    (preset,) = portal.rows("SELECT public_id FROM runs_preset")[0]
    assert "Crème brûlée" in alice.page(f"/presets/{preset}/")
    for path in ("/", "/bin/", "/inbox/", "/shares/", "/history/?q=wolken"):
        alice.page(path)
    pictures = portal.rows(
        "SELECT s.public_id, s.sha256 FROM runs_storedfile s JOIN runs_outputfile f ON f.file_id = s.id "
        "JOIN runs_output o ON o.id = f.output_id JOIN runs_run r ON r.id = o.run_id "
        "WHERE s.kind = 'image' AND r.deleted_at IS NULL"
    )
    assert pictures
    for file, digest in pictures:
        answer = alice.session.get(f"{alice.url}/files/{file}/original", timeout=60)
        assert hashlib.sha256(answer.content).hexdigest() == digest


def results(portal: Portal) -> list[tuple[Any, ...]]:
    return portal.rows(
        "SELECT o.public_id FROM runs_output o JOIN runs_run r ON r.id = o.run_id WHERE r.deleted_at IS NULL"
    )


def a_new_run_works(portal: Portal, alice: Visitor) -> None:
    worker = portal.home.start("worker")
    (app,) = portal.rows(f"SELECT public_id FROM runs_app WHERE name = '{APP}'")[0]  # noqa: S608
    form = FormReader()
    form.feed(alice.page(f"/apps/any-{app}/"))
    pairs, _files = form.filled()
    alice.post(f"/apps/any-{app}/", pairs)
    newest = "SELECT status FROM runs_run ORDER BY id DESC LIMIT 1"
    wait_until(lambda: len(portal.rows("SELECT id FROM runs_run")) == 4, "the new run")
    wait_until(lambda: portal.rows(newest) == [("completed",)], "the end of the new run")
    worker.terminate()
    worker.wait(60)


def test_a_database_that_lacks_a_migration_is_refused(portal: Portal) -> None:
    portal.rows("DELETE FROM django_migrations WHERE app = 'runs' AND name >= '0088'")
    words = f"First, start commit {LAST_COMMIT} of the portal once."
    for command in (["manage.py", "migrate"], ["manage.py", "worker"], ["-m", "gunicorn", "lamina_portal.wsgi"]):
        assert words in portal.refusal(sys.executable, *command)
