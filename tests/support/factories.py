"""Functions that create rows for tests, with valid defaults."""

import hashlib
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.utils import timezone
from PIL import Image

from runs.models import App, AppSchema, Member, Output, OutputFile, Run, RunInput, StoredFile
from runs.models.ids import new_public_id
from runs.review.content_hash import content_hash, hash_of_text
from runs.storage import media, store
from runs.words.app_index import app_words
from runs.words.fold import fold, kinds_text
from runs.words.run_index import index_runs

STYLE = {"id": "s-1", "key": "", "name": "Style", "type": "options", "options": ["Ghibli", "Disney / Pixar", "Plain "]}
PROMPT = {"id": "p-1", "key": "prompt_text", "name": "Prompt", "type": "text", "default": ""}
PICTURE = {
    "id": "u-1",
    "key": "",
    "name": "Photo",
    "type": "url",
    "accept": ["image"],
    "default": "https://x.test/a.png",
}
OUTPUTS = [{"index": 0, "label": "Front", "type": "image"}, {"index": 1, "label": "Back", "type": "image"}]


def make_app(
    name: str = "Cartoonify!",
    parameters: list[dict[str, Any]] | None = None,
    outputs: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> App:
    """Create an app whose form has just been read; STYLE is required, PROMPT is optional."""
    now = timezone.now()
    app = App.objects.create(
        remote_id=fields.pop("remote_id", new_public_id()),
        name=name,
        schema_fetched_at=now,
        search_text=app_words(name, fields.get("description", "")),
        **({"makes": {"image": 2}, "makes_text": " image "} | fields),
    )
    app.schema = make_schema(app, parameters, outputs)
    app.save()
    return app


def make_schema(
    app: App, parameters: list[dict[str, Any]] | None = None, outputs: list[dict[str, Any]] | None = None
) -> AppSchema:
    """Create one version of an app's form."""
    return AppSchema.objects.create(
        app=app,
        version=new_public_id(),
        parameters=[STYLE, PROMPT] if parameters is None else parameters,
        outputs=OUTPUTS if outputs is None else outputs,
    )


def make_run(member: Member, app: App | None = None, *, status: str = "running", **fields: Any) -> Run:
    """Create a run in `status` with its outputs and the input "Style: Ghibli"; its id on Lamina is `remote_id`."""
    app = app or make_app()
    now: datetime = fields.setdefault("created_at", timezone.now())
    if status in ("completed", "failed", "cancelled"):
        fields.setdefault("finished_at", now + timedelta(seconds=30))
    if status not in ("starting", "checking"):
        fields.setdefault("remote_id", new_public_id())
        fields.setdefault("started_at", now)
        fields.setdefault("due_at", None)
    assert app.schema is not None
    run = Run.objects.create(
        member=member,
        made_by=fields.pop("made_by", member),
        app=app,
        schema=app.schema,
        app_name=app.name,
        form_token=new_public_id(),
        status=status,
        outputs_total=fields.pop("outputs_total", len(app.schema.outputs)),
        outputs_ready=fields.pop("outputs_ready", len(app.schema.outputs) if status == "completed" else 0),
        search_text=fields.pop("search_text", fold(f"{app.name}\n{fields.get('title', '')}\nghibli")),
        kinds=kinds_text(o["type"] for o in app.schema.outputs),
        verdicts=" none " if status == "completed" else " ",
        summary=[{"name": "Style", "text": "Ghibli", "type": "options"}],
        **fields,
    )
    index_runs([run])
    RunInput.objects.create(run=run, position=0, name="Style", parameter_id="s-1", type="options", value="Ghibli")
    done = Output.Status.COMPLETED if status == "completed" else Output.Status.PENDING
    Output.objects.bulk_create(
        Output(
            run=run,
            position=i,
            label=o["label"],
            search_text=fold(o["label"]),
            kind=o["type"],
            status=done,
            content_hash=hash_of_text("") if done == Output.Status.COMPLETED else "",
        )
        for i, o in enumerate(app.schema.outputs)
    )
    return run


def make_stored(size: tuple[int, int] = (40, 30), **fields: Any) -> StoredFile:
    """Create a small real picture, stored the way a result's file is."""
    content, found = _picture(size)
    path = store.new_waiting_path()
    path.write_bytes(content)
    made_at = fields.pop("created_at", timezone.now())
    new_file = store.NewFile(path, found, hashlib.sha256(content).hexdigest(), len(content))
    stored = store.store(new_file, "a.png", **fields)
    StoredFile.objects.filter(pk=stored.pk).update(created_at=made_at)
    return stored


@cache
def _picture(size: tuple[int, int]) -> tuple[bytes, media.Media]:
    """Return a real picture as PNG, and what the portal finds in it. Asks the picture process only once, because that
    takes a tenth of a second, and hundreds of tests use the same picture."""
    path = store.new_waiting_path()
    Image.new("RGB", size, "#7a6cd0").save(path, "PNG")
    content = path.read_bytes()
    found = media.inspect(path)
    path.unlink()
    assert found.small, "the picture process made no thumbnails"
    return content, found


def make_kept(run: Run, stored: StoredFile | None = None, position: int = 0) -> OutputFile:
    """Save `stored`, or a small real picture, as a result of `run`."""
    output = run.outputs.all()[position]
    file = stored or make_stored()
    kept = OutputFile.objects.create(output=output, source_url="https://x.test/a.png", status="saved", file=file)
    Output.objects.filter(pk=output.pk).update(content_hash=content_hash(output))
    return kept
