"""A long history, written straight into the tables: what a member has after years, without waiting for them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from django.utils import timezone

from runs.models import App, Member, Output, OutputFile, Run, RunInput, StoredFile
from tests.factories import PROMPT, STYLE, make_app

APPS = 12
OUTPUTS_PER_RUN = 4
BATCH = 2_000
APART = timedelta(minutes=7)
# Of every twenty runs one failed, one was cancelled, one is ready in part.
STATUSES = {7: "failed", 13: "cancelled"}
PARTLY = 17
ADJECTIVES = ("red", "calm", "tiny", "golden", "wet", "broken", "quiet", "striped")
THINGS = ("bicycle", "lighthouse", "teapot", "harbour", "owl", "staircase", "raincoat", "orchard", "violin")
RARE = "zeppelin"  # in the oldest run alone


def make_history(member: Member, count: int) -> None:
    """COUNT ended runs of MEMBER, newest first 7 minutes apart, each with two inputs and four saved pictures."""
    outputs = [{"index": i, "label": f"Picture {i + 1}", "type": "image"} for i in range(OUTPUTS_PER_RUN)]
    apps = [make_app(f"App number {n + 1}", [STYLE, PROMPT], outputs) for n in range(APPS)]
    now = timezone.now()
    for numbers in batched(range(count), BATCH):
        runs = Run.objects.bulk_create(_run(member, apps[n % APPS], n, n == count - 1, now) for n in numbers)
        RunInput.objects.bulk_create(given for run in runs for given in _inputs(run))
        outputs_made = Output.objects.bulk_create(output for run in runs for output in _outputs(run))
        done = [output for output in outputs_made if output.status == Output.Status.COMPLETED]
        files = StoredFile.objects.bulk_create(_file(output) for output in done)
        OutputFile.objects.bulk_create(
            OutputFile(output=output, source_url="https://x.test/a.png", status="saved", file=file, due_at=None)
            for output, file in zip(done, files, strict=True)
        )


def prompt_of(number: int, is_rare: bool) -> str:
    """What was typed for run NUMBER: common words, so that a search finds many."""
    adjective, thing = ADJECTIVES[number % len(ADJECTIVES)], THINGS[number % len(THINGS)]
    return f"A {adjective} {RARE if is_rare else thing} in the morning light, number {number}"


def _run(member: Member, app: App, number: int, is_rare: bool, now: datetime) -> Run:
    created_at = now - number * APART
    status = STATUSES.get(number % 20, "completed")
    failed = 1 if number % 20 == PARTLY else 0
    assert app.schema is not None
    return Run(
        member=member,
        app=app,
        schema=app.schema,
        app_name=app.name,
        form_token=f"token-{number}",
        status=status,
        due_at=None,
        remote_id=f"remote-{number}",
        search_text=f"{app.name}\nGhibli\n{prompt_of(number, is_rare)}".casefold(),
        outputs_total=OUTPUTS_PER_RUN,
        outputs_ready=OUTPUTS_PER_RUN - failed if status == "completed" else 0,
        outputs_failed=failed if status == "completed" else 0,
        failure="remote" if status == "failed" else "",
        created_at=created_at,
        started_at=created_at,
        finished_at=created_at + timedelta(seconds=30),
    )


def _inputs(run: Run) -> Iterator[RunInput]:
    values = ("Ghibli", run.search_text.rpartition("\n")[2])
    parameters: list[dict[str, Any]] = [STYLE, PROMPT]
    for position, (parameter, value) in enumerate(zip(parameters, values, strict=True)):
        told = {key: parameter[key] for key in ("name", "key", "type")}
        yield RunInput(run=run, position=position, parameter_id=parameter["id"], value=value, **told)


def _outputs(run: Run) -> Iterator[Output]:
    for position in range(OUTPUTS_PER_RUN):
        is_ready = position < run.outputs_ready
        status = Output.Status.COMPLETED if is_ready else Output.Status.ERROR
        yield Output(run=run, position=position, label=f"Picture {position + 1}", kind="image", status=status)


def _file(output: Output) -> StoredFile:
    stem = f"files/{output.pk % 256:02x}/{output.pk}"
    return StoredFile(
        file=f"{stem}.png",
        name=f"picture-{output.pk}.png",
        kind="image",
        media_type="image/png",
        size_bytes=1_000_000,
        sha256=f"{output.pk:064x}",
        width=1024,
        height=1024,
        colour="#aa8866",
        thumb_200=f"{stem}-200.webp",
        thumb_400=f"{stem}-400.webp",
        thumb_1200=f"{stem}-1200.webp",
    )
