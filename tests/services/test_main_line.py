"""From a pressed Run to kept pictures, against the sandbox over HTTP and with the queue's work done in order."""

import pytest

from runs import catalog
from runs.display.run_page import run_page
from runs.engine import create_run
from runs.engine.create_run import Press
from runs.models import App, Member, Run
from tests.conftest import SandboxDoor
from tests.work import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cartoonify(sandbox: SandboxDoor) -> App:
    return known_app()


def known_app(remote_id: str = "3f68debe-df0a-4fc9-bdd3-9d45a4160587") -> App:
    """One app of the sandbox's catalogue (Cartoonify), with its form read from the sandbox."""
    app = App.objects.create(remote_id=remote_id, name="not read yet")
    catalog.refresh_app(app.pk)
    return App.objects.select_related("schema").get(pk=app.pk)


def press(member: Member, app: App, style: str = "Ghibli") -> Run:
    assert app.schema is not None
    answers = [
        {"name": p["name"], "key": p["key"], "id": p["id"], "type": p["type"], "value": value, "is_default": default}
        for p, value, default in zip(
            app.schema.parameters, [{"uploads": []}, style, "4:3"], [True, False, False], strict=True
        )
    ]
    return create_run.launch_run(member, Press(app, app.schema, answers, [0, 1], create_run.new_form_token(member)))  # type: ignore[arg-type]


def test_a_press_becomes_one_run_with_kept_pictures(alice: Member, cartoonify: App, sandbox: SandboxDoor) -> None:
    run = press(alice, cartoonify)

    work()

    run.refresh_from_db()
    assert (run.status, run.outputs_ready, run.failure_text) == ("completed", 2, "")
    page = run_page(Run.objects.for_page().get(pk=run.pk), alice)
    assert [box.state for box in page.boxes] == ["ready", "ready"]
    assert all(box.files[0].thumb_400 for box in page.boxes)
    assert len(sandbox.requests_to("run_start")) == 1
