"""An app from the sandbox's catalogue with its form, and a way to press Run on it."""

from typing import Any

from django.utils import timezone

from runs import catalog
from runs.engine import create_run
from runs.engine.create_run import LaunchRequest
from runs.models import App, Member, Run
from runs.schema_forms.answers import load_answers


def known_app(remote_id: str = "3f68debe-df0a-4fc9-bdd3-9d45a4160587") -> App:
    """Add one app from the sandbox's catalogue (by default Cartoonify) with its form, but without its large
    pictures."""
    app = App.objects.create(remote_id=remote_id, name="not read yet", pictures_tried_at=timezone.now())
    catalog.refresh_app(app.pk)
    return App.objects.select_related("schema").get(pk=app.pk)


def press(member: Member, app: App, style: str = "Ghibli") -> Run:
    assert app.schema is not None
    answers: list[Any] = [
        {"name": p["name"], "key": p["key"], "id": p["id"], "type": p["type"], "value": value, "is_default": default}
        for p, value, default in zip(
            app.schema.parameters, [{"uploads": []}, style, "4:3"], [True, False, False], strict=True
        )
    ]
    return create_run.launch_run(
        member, LaunchRequest(app, app.schema, load_answers(answers), [0, 1], create_run.new_form_token(member))
    )
