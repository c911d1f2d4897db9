"""Writes a long history straight into the tables, like a team's after years of use."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import batched

from django.db import connection
from django.utils import timezone

from runs.models import App, Member, Output, OutputFile, Run, StoredFile
from runs.words.fold import fold, kinds_text
from runs.words.run_index import index_runs
from tests.support.factories import PROMPT, STYLE, make_app

APPS = 12
PEOPLE = 200
FILES = 2_000
OUTPUTS_PER_RUN = 4
BATCH = 2_000
APART = timedelta(minutes=7)
# Of every twenty runs, one failed, one was cancelled and one has only some of its results.
STATUSES = {7: "failed", 13: "cancelled"}
PARTLY = 17
VIDEO = 19  # in every twenty runs, the one at this position produces videos instead of pictures
ADJECTIVES = ("red", "calm", "tiny", "golden", "wet", "broken", "quiet", "striped")
THINGS = ("bicycle", "lighthouse", "teapot", "harbour", "owl", "staircase", "raincoat", "orchard", "violin")
PLACES = ("Öland", "東京の朝", "São Paulo", "Krakow", "a market hall", "the old quay", "Αθήνα")
MANNER = "shot on film with a soft lens, muted colours, low contrast, no people, wide angle, seen from above, 4k"
RARE = "zeppelin"  # this word occurs only in the first member's oldest run, which also has the only audio results


def make_history(many: Member, few: Member, count: int) -> None:
    """Create `count` finished runs, newest first, 7 minutes apart, with four results each. Six in ten are by `many`,
    the newest three are by `few`, and the rest are by 198 others. Four in five are shared with the team, and one in
    fifty is starred."""
    outputs = [{"index": i, "label": f"Picture {i + 1}", "type": "image"} for i in range(OUTPUTS_PER_RUN)]
    apps = [make_app(f"App number {n + 1}", [STYLE, PROMPT], outputs) for n in range(APPS)]
    others = Member.objects.bulk_create(
        Member(email=f"person{n}@example.com", name=f"Person Number{n}", password="!") for n in range(PEOPLE - 2)
    )
    files = StoredFile.objects.bulk_create(_file(n) for n in range(FILES))
    now = timezone.now()
    for numbers in batched(range(count), BATCH):
        runs = Run.objects.bulk_create(
            _run(_maker(n, many, few, others), apps[n % APPS], n, count - n, now) for n in numbers
        )
        index_runs(runs)
        made = Output.objects.bulk_create(output for run in runs for output in _outputs(run))
        OutputFile.objects.bulk_create(
            OutputFile(output=output, source_url="-", status="saved", file=files[output.pk % FILES], due_at=None)
            for output in made
            if output.status == Output.Status.COMPLETED
        )
    if connection.vendor == "postgresql":  # it would do this by itself within a minute; SQLite never does
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def prompt_of(number: int, is_rare: bool) -> str:
    """Return the prompt of run `number`, made of common words so that searches find many runs."""
    adjective, thing = ADJECTIVES[number % len(ADJECTIVES)], THINGS[number % len(THINGS)]
    place = PLACES[number % len(PLACES)]
    return f"A {adjective} {RARE if is_rare else thing} in the morning light of {place}, number {number}, {MANNER}"


def _maker(number: int, many: Member, few: Member, others: list[Member]) -> Member:
    if number < 3:
        return few
    return many if number % 5 < 3 else others[number % len(others)]


def _run(member: Member, app: App, number: int, left: int, now: datetime) -> Run:
    created_at = now - number * APART
    status = STATUSES.get(number % 20, "completed")
    failed = 1 if number % 20 == PARTLY else 0
    is_oldest = left <= 5 and number % 5 == 0
    prompt = prompt_of(number, is_oldest)
    kind = "audio" if is_oldest else "video" if number % 20 == VIDEO else "image"
    assert app.schema is not None
    return Run(
        member=member,
        made_by=member,
        app=app,
        schema=app.schema,
        app_name=app.name,
        form_token=f"token-{number}",
        status=status,
        due_at=None,
        remote_id=f"remote-{number}",
        search_text=fold(f"{app.name}\nGhibli\n{prompt}"),
        summary=[
            {"name": "Style", "text": "Ghibli", "type": "options"},
            {"name": "Prompt", "text": prompt[:200], "type": "text"},
        ],
        kinds=kinds_text([kind]),
        outputs_total=OUTPUTS_PER_RUN,
        outputs_ready=OUTPUTS_PER_RUN - failed if status == "completed" else 0,
        outputs_failed=failed if status == "completed" else 0,
        failure="remote" if status == "failed" else "",
        created_at=created_at,
        started_at=created_at,
        finished_at=created_at + timedelta(seconds=30),
        shared_at=created_at if number % 10 < 8 else None,
        has_star=number % 50 == 0,
        starred_at=created_at if number % 50 == 0 else None,
    )


def _outputs(run: Run) -> Iterator[Output]:
    kind = run.kinds.strip()
    for position in range(OUTPUTS_PER_RUN):
        is_ready = position < run.outputs_ready
        status = Output.Status.COMPLETED if is_ready else Output.Status.ERROR
        yield Output(run=run, position=position, label=f"Picture {position + 1}", kind=kind, status=status)


def _file(number: int) -> StoredFile:
    stem = f"files/{number % 256:02x}/{number}"
    return StoredFile(
        file=f"{stem}.png",
        name=f"picture-{number}.png",
        kind="image",
        media_type="image/png",
        size_bytes=1_000_000,
        sha256=f"{number:064x}",
        width=1024,
        height=1024,
        colour="#aa8866",
        thumb_200=f"{stem}-200.webp",
        thumb_400=f"{stem}-400.webp",
        thumb_1200=f"{stem}-1200.webp",
    )
