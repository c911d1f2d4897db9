"""Fills a portal through its own pages and writes its database as SQL text, for SQLite and for PostgreSQL.

The result is a database for testing upgrades. Run this in a checkout of the commit whose database you want, with an
environment for that commit, and give it an empty PostgreSQL database to fill:

git worktree add /tmp/then COMMIT
cd /tmp/then
PYTHONPATH=. python WHERE/tests/upgrades/make_fixture.py OUT postgres://portal@127.0.0.1:5432/empty

OUT gets `sqlite.sql`, `postgres.sql`, `facts.json` (when it was made, the sandbox's runs and uploads, and the tokens of
guest links, which aren't in the database) and `files.json` (stored files, in base64).

Forms are posted as people would post them, and tasks are run by the functions that the worker calls. The sandbox
responds over HTTP. Anything that can't be done through a page is written straight to the database: an expired guest
link, due times, and tiny pictures instead of the sandbox's large ones. The bytes of audio and video are left out. Two
fixtures of the same commit differ only in random ids and times.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tests

if __name__ == "__main__":  # use the checkout's code, plus this folder, which the checkout may lack
    tests.__path__.append(str(Path(__file__).resolve().parents[1]))

from tests.upgrades.known import SECRET_KEY
from tests.upgrades.old_rows import fill

KEPT_BYTES = 10_000


def main(out: Path, postgres: str) -> None:
    """Fill an SQLite database, copy every row to an empty PostgreSQL database, and write both to files."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), "")
        guest_links = fill(Path(folder))
        rows = Path(folder) / "rows.json"
        keep_rows(rows)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        write_sqlite(out / "sqlite.sql")
        write_facts(Path(folder) / "lamina" / "sandbox.sqlite3", guest_links, out / "facts.json")
        write_files(Path(folder) / "sandbox" / "media", out / "files.json")
        subprocess.run([sys.executable, __file__, "--copy", str(rows), postgres], check=True)
        write_postgres(postgres, out / "postgres.sql")


def prepare(folder: Path, database: str) -> None:
    """Set up Django on an empty portal in `folder`, independent of this machine's environment."""
    names = ("LAMINA_", "PORTAL_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "STORAGE_URL", "DJANGO_")
    for name in [name for name in os.environ if name.startswith(names)]:
        del os.environ[name]
    os.environ |= {
        "PORTAL_TESTING": "1",
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": database,
        "EMAIL_URL": f"file:///{folder}/mails",
        "DJANGO_SETTINGS_MODULE": "lamina_portal.settings",
    }
    (folder / "sandbox").mkdir(exist_ok=True)
    socket.gethostname = lambda: "portal"  # leases and heartbeats contain the machine's name
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def keep_rows(path: Path) -> None:
    """Save all rows of all tables, to be copied to the other engine."""
    from django.core.management import call_command
    from django_q.models import OrmQ

    for one in OrmQ.objects.order_by("pk"):
        sys.stdout.write(f"queued: {one.task['func']} {one.task['args']}\n")
    call_command("dumpdata", use_base_manager=True, output=str(path), verbosity=0)


def copy(rows: Path, database: str) -> None:
    """Put `rows` into an empty `database`, in the tables that this commit's migrations create."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), database)
        from django.core.management import call_command
        from django.core.management.color import no_style
        from django.core.management.sql import sql_flush
        from django.db import connection

        connection.ops.execute_sql_flush(sql_flush(no_style(), connection, allow_cascade=True))
        call_command("loaddata", str(rows), verbosity=0)


def write_sqlite(path: Path) -> None:
    from django.db import connection

    with connection.cursor():
        path.write_text("\n".join(connection.connection.iterdump()) + "\n")


def write_postgres(database: str, path: Path) -> None:
    """Write the output of `pg_dump` without the lines that only `psql` understands."""
    options = ["--inserts", "--rows-per-insert=100", "--no-owner", "--no-privileges", "--no-comments"]
    environment = os.environ | {"PGTZ": "UTC"}
    done = subprocess.run(["pg_dump", *options, database], check=True, capture_output=True, text=True, env=environment)
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
    path.write_text("\n".join(lines) + "\n")


def write_facts(sandbox: Path, guest_links: dict[str, str], path: Path) -> None:
    """Write the time in Unix seconds, the tokens of the guest links, and the sandbox's runs and uploads."""
    import sqlite3

    records = sqlite3.connect(sandbox).execute("SELECT kind, id, body FROM records WHERE kind IN ('run', 'upload')")
    told = {
        "made_at": time.time(),
        "guest_links": guest_links,
        "sandbox": [{"kind": kind, "id": key, "body": json.loads(body)} for kind, key, body in records],
    }
    path.write_text(json.dumps(told, indent=1) + "\n")


def write_files(media: Path, path: Path) -> None:
    """Write the contents of the small stored files, keyed by their names in the storage."""
    found = sorted(one for one in (media / "files").rglob("*") if one.is_file() and one.stat().st_size < KEPT_BYTES)
    told = {str(one.relative_to(media)): base64.b64encode(one.read_bytes()).decode() for one in found}
    path.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--copy":
        copy(Path(sys.argv[2]), sys.argv[3])
    else:
        main(Path(sys.argv[1]), sys.argv[2])
