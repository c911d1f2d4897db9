"""A portal filled by an earlier commit and placed where the current code finds it: database, files and sandbox."""

import base64
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import urlsplit

import requests

from runs.sandbox.server import Sandbox, start_sandbox
from runs.sandbox.store import Store
from tests.support.processes import TIMEOUT_SECONDS, Home, drop_database, free_port, on_server
from tests.upgrades.known import PASSWORD, SANDBOX_PORT, SECRET_KEY

FOLDER = Path(__file__).parent
MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?")
Rows = list[tuple[Any, ...]]


class OldPortal:
    """One fixture with its times shifted to now: a minute before it was made becomes a minute ago."""

    def __init__(self, commit: str, engine: str, home: Home, sandbox: Sandbox, database: str) -> None:
        self.commit, self.engine, self.home, self.sandbox, self.database = commit, engine, home, sandbox, database
        self.facts = facts_of(commit)
        self.files: dict[str, str] = json.loads((FOLDER / commit / "files.json").read_text())
        self.session_keys: list[str] = []  # the cookies of people who were signed in before the upgrade

    def load(self) -> None:
        """Fill the empty database, and put the files next to it."""
        text = moved((FOLDER / self.commit / f"{self.engine}.sql").read_text(), self.facts["made_at"], self.sandbox.url)
        media = self.home.folder / "sandbox" / "media"
        for name, data in self.files.items():
            (media / name).parent.mkdir(parents=True, exist_ok=True)
            (media / name).write_bytes(base64.b64decode(data))
        with self._connection() as connection:
            if self.engine == "sqlite":
                connection.executescript(text)
            else:
                connection.execute(text)

    def keep(self) -> None:
        """Remember the database as it is now, for `go_back`."""
        if self.engine == "sqlite":
            with self._connection() as connection:
                connection.execute("VACUUM INTO ?", [f"{self.database}.kept"])
        else:
            name = urlsplit(self.database).path[1:]
            on_server(self.database, f'CREATE DATABASE "{name}_kept" TEMPLATE "{name}"')

    def go_back(self) -> None:
        """Restore the database to its state when `keep` was called. Nothing may be using it."""
        if self.engine == "sqlite":
            for end in ("", "-wal", "-shm"):
                Path(f"{self.database}{end}").unlink(missing_ok=True)
            shutil.copyfile(f"{self.database}.kept", self.database)
        else:
            name = urlsplit(self.database).path[1:]
            drop_database(self.database)
            on_server(self.database, f'CREATE DATABASE "{name}" TEMPLATE "{name}_kept"')

    def rows(self, query: str) -> Rows:
        """Return the rows that `query` finds now."""
        with self._connection() as connection:
            return [tuple(row) for row in connection.execute(query).fetchall()]

    def ids(self) -> dict[str, set[Any]]:
        """Return the primary keys of all rows in the portal's tables and the queue, by table."""
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if self.engine == "postgres":
            names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        # The word index is left out: SQLite keeps it in its own tables.
        ours = re.compile(r"runs_(?!runwords)|django_q_ormq")
        tables = [name for (name,) in self.rows(names) if ours.match(name)]
        return {table: {row[0] for row in self.rows(f'SELECT {key_of(table)} FROM "{table}"')} for table in tables}  # noqa: S608

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        if self.engine == "sqlite":
            connection = sqlite3.connect(self.database, timeout=TIMEOUT_SECONDS)
            try:
                with connection:
                    yield connection
            finally:
                connection.close()
        else:
            import psycopg

            with psycopg.connect(self.database, autocommit=True) as found:
                yield found


def key_of(table: str) -> str:
    """Return the name of the primary key's column."""
    return {
        "runs_lease": "name",
        "runs_heartbeat": "name",
        "runs_appsearch": "key",
        "runs_knownword": "word",
    }.get(table, "id")


def facts_of(commit: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((FOLDER / commit / "facts.json").read_text())
    return facts


def moved(text: str, made_at: float, lamina: str) -> str:
    """Return `text` with every time shifted from `made_at` to now, and with `lamina` as the sandbox's address."""
    passed = timedelta(seconds=time() - made_at)

    def later(found: re.Match[str]) -> str:
        return (datetime.fromisoformat(found[0]) + passed).isoformat(sep=" ", timespec="microseconds")

    return MOMENT.sub(later, text.replace(f"http://127.0.0.1:{SANDBOX_PORT}", lamina))


def started_sandbox(commit: str, folder: Path) -> Sandbox:
    """Return a sandbox with the fixture's runs, whose times are shifted to now."""
    facts = facts_of(commit)
    store = Store(folder / "sandbox.sqlite3")
    for record in facts["sandbox"]:
        if record["kind"] == "run":
            record["body"]["created_at"] += time() - facts["made_at"]
        store.save(record["kind"], record["id"], record["body"])
    store.close()
    return start_sandbox(port=free_port(), data_dir=folder, seconds=0.5, per_minute=1000, has_test_cards=True)


@contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[str]:
    """Yield the location of an empty database: a file's path, or an address on the server in TEST_DATABASE_URL."""
    if engine == "sqlite":
        (folder / "sandbox").mkdir(parents=True)
        yield str(folder / "sandbox" / "portal.sqlite3")
        return
    server = os.environ["TEST_DATABASE_URL"]
    url = urlsplit(server)._replace(path=f"/portal_upgrade_{os.getpid()}").geturl()
    drop_database(url)
    on_server(url, f'CREATE DATABASE "{urlsplit(url).path[1:]}"')
    try:
        yield url
    finally:
        drop_database(url)
        drop_database(f"{url}_kept")


@contextmanager
def old_portal(commit: str, engine: str, folder: Path) -> Iterator[OldPortal]:
    """Yield the fixture of `commit` on `engine` ("sqlite" or "postgres"), not upgraded yet."""
    sandbox = started_sandbox(commit, folder / "lamina")
    try:
        with empty_database(engine, folder / "home") as database:
            (folder / "home" / "sandbox").mkdir(parents=True, exist_ok=True)
            home = Home(
                folder / "home",
                DATABASE_URL=database if engine == "postgres" else "",
                REDIS_URL="",
                PORTAL_SECRET_KEY=SECRET_KEY,
                LAMINA_BASE_URL=sandbox.url,
                LAMINA_POLL_SECONDS="1",
                EMAIL_URL=f"file:///{folder}/mails",
            )
            portal = OldPortal(commit, engine, home, sandbox, database)
            portal.load()
            yield portal
            home.end_all()
    finally:
        sandbox.stop()


class Browser:
    """A person's browser without scripts, on the upgraded portal."""

    def __init__(self, url: str, name: str = "", session: str = "") -> None:
        self.url, self.session = url, requests.Session()
        if session:
            self.session.cookies.set("sessionid", session)
        if name:
            answer = self.post("/login/", username=f"{name}@example.com", password=PASSWORD)
            assert answer.history, answer.status_code

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=60)

    def page(self, path: str) -> str:
        """Return the page at `path`, which must not lead to the sign-in page."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        assert "/login/" not in answer.url, path
        return answer.text

    def post(self, path: str, **fields: Any) -> requests.Response:
        self.get(path)
        token = {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        return self.session.post(f"{self.url}{path}", fields | token, headers={"Referer": self.url}, timeout=60)
