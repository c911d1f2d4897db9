"""From pressing Run to saved pictures, against the sandbox over HTTP, with the queued tasks run in order."""

import pytest

from runs.display.run_page import run_page
from runs.models import App, Member, Run, for_page
from tests.support.cartoonify import known_app, press
from tests.support.sandbox_door import SandboxDoor
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cartoonify(sandbox: SandboxDoor) -> App:
    return known_app()


def test_a_press_becomes_one_run_with_saved_pictures(alice: Member, cartoonify: App, sandbox: SandboxDoor) -> None:
    run = press(alice, cartoonify)

    work()

    run.refresh_from_db()
    assert (run.status, run.outputs_ready, run.failure_text.quote) == ("completed", 2, "")
    page = run_page(for_page(Run.objects.all()).get(pk=run.pk), alice)
    assert [box.state for box in page.boxes] == ["ready", "ready"]
    assert all(box.files[0].thumb_400 for box in page.boxes)
    assert len(sandbox.requests_to("run_start")) == 1
