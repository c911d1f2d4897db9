"""Forms as people send them: an app's form, and “Run the same again”."""

from typing import Any

from django.test import Client
from django.utils import timezone

from runs.engine.create_run import LaunchRequest, launch_run, new_form_token
from runs.models import App, Member, Run, Upload
from runs.schema_forms.answers import load_answers


def fields(app: App, member: Member, photo: Upload | None = None, **more: Any) -> dict[str, Any]:
    """Return the fields that the form posts, with the style "Ghibli" and the prompt "at sea"."""
    assert app.schema is not None
    kept = {"p2_kept": photo.public_id} if photo else {}
    common = {"token": new_form_token(member), "schema": app.schema.version, "outputs": ["0", "1"]}
    return {**common, "p0": "0", "p1": "at sea", **kept, **more}


def run_of(member: Member, app: App, photo: Upload, **changes: Any) -> Run:
    assert app.schema is not None
    answers: list[Any] = [
        {"name": "Style", "key": "", "id": "s-1", "type": "options", "value": "Ghibli", "is_default": False},
        {"name": "Prompt", "key": "prompt_text", "id": "p-1", "type": "text", "value": "at sea", "is_default": False},
        {"name": "Photo", "key": "", "id": "u-1", "type": "url", "value": {"uploads": [photo.public_id]},
         "is_default": False},
    ]  # fmt: skip
    run = launch_run(member, LaunchRequest(app, app.schema, load_answers(answers), [0, 1], new_form_token(member)))
    Run.objects.filter(pk=run.pk).update(
        **{"status": "failed", "finished_at": timezone.now(), "due_at": None} | changes
    )
    run.refresh_from_db()
    return run


def token_in(page: str) -> str:
    return page.partition('name="token" value="')[2].partition('"')[0]


def seen_in(page: str) -> str:
    """Return which draft the form on this page knows of."""
    return page.partition('name="seen" value="')[2].partition('"')[0]


def press(client: Client, run: Run) -> Any:
    url = f"/runs/{run.public_id}/again/"
    return client.post(url, {"token": token_in(client.get(url).text)})
