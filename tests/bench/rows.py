"""Fills the database with finished runs, for benchmarks at size. The database itself generates the rows, with one
INSERT per table from a series of numbers, so that a million runs take only minutes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model

from runs.models import App, Member, OutputFile, Run, StoredFile
from runs.words.app_index import app_words
from runs.words.fold import fold
from runs.words.known_words import learn
from runs.words.terms import split, stored_words
from tests.bench.long_history import ADJECTIVES, MANNER, PLACES, RARE, THINGS
from tests.support.factories import PROMPT, STYLE, make_app, make_kept, make_run

type Columns = dict[str, str]  # SQL expression by column

USED_APPS = 12
APPS = 2_000
PEOPLE = 200
OUTPUTS_PER_RUN = 4
MORE_ON_POSTGRES = 10
FILE = {
    "file": "files/00/1.png",
    "name": "picture.png",
    "kind": "image",
    "media_type": "image/png",
    "size_bytes": 1_000_000,
    "sha256": "0" * 64,
    "width": 1024,
    "height": 1024,
    "thumb_200": "files/00/1-200.webp",
    "thumb_400": "files/00/1-400.webp",
}


def make_rows(
    many: Member,
    few: Member,
    count: int,
    runs: Columns | None = None,
    outputs_of: Columns | None = None,
) -> tuple[Run, OutputFile]:
    """Create `count` finished runs, one a minute, newest first, with four results each, and `APPS` apps, of which
    `USED_APPS` were used. Six in ten runs are by `many`, and the newest three are by `few`; four in five are shared.

    `runs` and `outputs_of` define extra columns as SQL expressions, which can use `n` (the run's number) and `place`
    (the result's position). All results share one file. Returns the run and the file that all the others are copies of.
    """
    restart_ids()
    outputs = [{"index": n, "label": f"Picture {n + 1}", "type": "image"} for n in range(OUTPUTS_PER_RUN)]
    used = [make_app(f"App number {n + 1}", [STYLE, PROMPT], outputs) for n in range(USED_APPS)]
    names = [f"{ADJECTIVES[n % 8].title()} {THINGS[n % 9]} {n}" for n in range(APPS - USED_APPS)]
    App.objects.bulk_create(
        App(remote_id=f"bench-{n}", name=name, description=MANNER, search_text=app_words(name, MANNER), position=n)
        for n, name in enumerate(names)
    )
    Member.objects.bulk_create(
        Member(email=f"person{n}@example.com", name=f"Person Number{n}", password="!") for n in range(PEOPLE - 2)
    )
    learn(word for text in prompts() for word in split(fold(f"{text} {RARE}")))
    pattern = make_run(many, used[0], status="completed")
    file = make_kept(pattern, StoredFile.objects.create(**FILE))
    dialect = Postgres if connection.vendor == "postgresql" else Sqlite
    with unchecked(), connection.cursor() as cursor:
        for statement in statements(dialect(), count, pattern, file, (many.pk, few.pk), runs or {}, outputs_of or {}):
            cursor.execute(statement)
        dialect().analyze(cursor)
    return pattern, file


def restart_ids() -> None:
    """Make new ids carry on from those in the tables, because the rows inserted here need ids that are free."""
    models = list(apps.get_app_config("runs").get_models())
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for statement in (
            ["DELETE FROM sqlite_sequence"] if is_sqlite else connection.ops.sequence_reset_sql(no_style(), models)
        ):
            cursor.execute(statement)


@contextmanager
def unchecked() -> Iterator[None]:
    """Turn off foreign key checks on PostgreSQL, because they take longer than inserting the rows. Only a superuser may
    do this."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if is_allowed := cursor.fetchone()[0]:
            cursor.execute("SET session_replication_role = replica")
        yield
        if is_allowed:
            cursor.execute("SET session_replication_role = origin")


def prompts() -> list[str]:
    """Return the prompts: every combination of an adjective and a thing, which together determine the place."""
    return [
        f"A {adjective} {thing} in the morning light of {PLACES[(a + t) % len(PLACES)]}, {MANNER}"
        for a, adjective in enumerate(ADJECTIVES)
        for t, thing in enumerate(THINGS)
    ]


class Sqlite:
    """SQLite's dialect."""

    def analyze(self, _cursor: CursorWrapper) -> None:
        """Do nothing: unlike PostgreSQL, SQLite doesn't analyze tables by itself, so a real portal's never are."""

    def numbers(self, count: int) -> str:
        return f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n FROM s"  # noqa: S608

    def minutes_ago(self, count: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({count}) || ' minutes') || '000'"

    def words(self, text: str) -> str:
        return text

    def summary(self, text: str) -> str:
        return f"json_array(json_object('name', 'Prompt', 'text', {text}, 'type', 'text'))"


class Postgres:
    """PostgreSQL's dialect."""

    def analyze(self, cursor: CursorWrapper) -> None:
        """Analyze all tables, as PostgreSQL does by itself within a minute."""
        cursor.execute("ANALYZE" if connection.in_atomic_block else "VACUUM ANALYZE")  # no VACUUM in a transaction

    def numbers(self, count: int) -> str:
        return f"SELECT n FROM generate_series(1, {count}) n"  # noqa: S608

    def minutes_ago(self, count: str) -> str:
        return f"now() - ({count}) * interval '1 minute'"

    def words(self, text: str) -> str:
        return f"array_to_tsvector(string_to_array({text}, ' '))"

    def summary(self, text: str) -> str:
        return f"jsonb_build_array(jsonb_build_object('name', 'Prompt', 'text', {text}, 'type', 'text'))"


def statements(
    dialect: Sqlite | Postgres,
    count: int,
    pattern: Run,
    file: OutputFile,
    members: tuple[int, int],
    runs: Columns,
    outputs_of: Columns,
) -> Iterator[str]:
    """Yield the INSERTs: copies of `pattern` and its first result with different values; run n has prompt n % 72."""
    many, few = members
    told = [(fold(f"ghibli\n{text}"), stored_words(f"ghibli {text}"), text[:200]) for text in prompts()]
    rows = ", ".join(f"({n}, {', '.join(map(quoted, texts))})" for n, texts in enumerate(told))
    yield f"CREATE TEMPORARY TABLE bench_numbers AS {dialect.numbers(count)}"
    yield "CREATE TEMPORARY TABLE bench_prompts (number integer, folded text, words text, told text)"
    yield f"INSERT INTO bench_prompts VALUES {rows}"  # noqa: S608
    source = f"FROM bench_numbers JOIN bench_prompts ON number = n % {len(told)}"
    member = f"CASE WHEN n <= 3 THEN {few} WHEN n % 5 < 3 THEN {many} ELSE {few} + 1 + n % {PEOPLE - 2} END"
    status = "CASE n % 20 WHEN 7 THEN 'failed' WHEN 13 THEN 'cancelled' ELSE 'completed' END"
    kind = "CASE WHEN n % 20 = 19 THEN 'video' ELSE 'image' END"
    at = dialect.minutes_ago("n")
    run = {
        "id": f"{pattern.pk} + n",
        **dict.fromkeys(("public_id", "hook_token", "form_token", "remote_id"), "'bench' || n"),
        **dict.fromkeys(("member_id", "made_by_id"), member),
        "app_id": f"{pattern.app_id} + n % {USED_APPS}",
        "app_name": f"'App number ' || (n % {USED_APPS} + 1)",
        "search_text": f"CASE WHEN n = {count} THEN {quoted(RARE)} ELSE folded END",
        "summary": dialect.summary("told"),
        "status": status,
        "kinds": f"' ' || {kind} || ' '",
        **dict.fromkeys(("created_at", "started_at", "finished_at"), at),
        "shared_at": f"CASE WHEN n % 10 < 8 THEN {at} END",
    }
    yield copies("runs_run", pattern, run | runs, source)
    words = dialect.words(f"CASE WHEN n = {count} THEN {quoted(RARE)} ELSE words END")
    yield f"INSERT INTO runs_runwords (rowid, words) SELECT {pattern.pk} + n, {words} {source} ORDER BY n"
    yield "CREATE TEMPORARY TABLE bench_places AS SELECT n AS place FROM bench_numbers WHERE n <= 4"
    outputs = "FROM bench_numbers CROSS JOIN bench_places"
    number = f"{pattern.pk + 10} + 4 * n + place"
    output = {"id": number, "public_id": f"'bench' || ({number})", "run_id": f"{pattern.pk} + n", "position": "place"}
    yield copies("runs_output", file.output, output | outputs_of, outputs)
    yield copies("runs_outputfile", file, {"id": number, "output_id": number}, outputs)


def copies(table: str, pattern: Model, differs: dict[str, str], source: str) -> str:
    """Return an INSERT that copies the row `pattern` once for each row of `source`, with different values
    for the columns in `differs`."""
    columns = [f.column for f in pattern._meta.concrete_fields if f.column]
    values = {column: f"pattern.{quoted_name(column)}" for column in columns} | differs
    names = ", ".join(quoted_name(name) for name in values)
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} {source} "
        f"CROSS JOIN {table} pattern WHERE pattern.id = {pattern.pk}"
    )


def quoted(text: str) -> str:
    doubled = text.replace("'", "''").replace("%", "%%")
    return f"'{doubled}'"


def quoted_name(name: str) -> str:
    return f'"{name}"'
