"""Queued tasks are signed JSON: nothing taken from a queue is ever unpickled."""

import json
import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core import signing
from django.utils.crypto import get_random_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from pytest_django import Settings

from runs.background.task_package import SALT, TaskPackage
from tests.support import engines
from tests.support.processes import Home, lines, wait_until

NOTE = "from django_q.tasks import async_task; async_task('tests.support.slow_tasks.note', {!r}, {!r})"
OLD_NOTE = (
    "from django_q import tasks; from django_q.signing import SignedPackage; tasks.SignedPackage = SignedPackage;"
) + NOTE


def test_a_package_is_read_as_it_was_written() -> None:
    class Sly:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("unpickled",)

    with pytest.raises(TypeError):
        TaskPackage.dumps({"func": "runs.tasks.poll", "args": (Sly(),)})
    task = {"id": "1", "func": "runs.tasks.submit_run", "args": (7, "a"), "kwargs": {}, "timeout": 9, "save": False}
    assert TaskPackage.loads(TaskPackage.dumps(task)) == task
    assert TaskPackage.loads(TaskPackage.dumps(task, True).encode()) == task


def test_a_pickle_is_not_read_whoever_signed_it() -> None:
    task = {"func": "runs.tasks.poll", "args": ()}
    with pytest.raises(signing.BadSignature):
        TaskPackage.loads(SignedPackage.dumps(task))

    class Pickled:
        dumps = staticmethod(pickle.dumps)

    with pytest.raises(signing.BadSignature):
        TaskPackage.loads(b"\xff\xfe")
    forged = signing.dumps(task, salt=SALT, serializer=Pickled)  # type: ignore[arg-type]
    with pytest.raises(signing.BadSignature):  # treated as text, never as a pickle
        TaskPackage.loads(forged)


@pytest.mark.django_db
def test_what_is_queued_is_json_and_survives_a_change_of_the_key(settings: Settings) -> None:
    old, new = settings.SECRET_KEY, get_random_string(50)
    async_task("runs.tasks.submit_run", 7, q_options={"timeout": 900})
    row = OrmQ.objects.get()
    told = json.loads(signing.b64_decode(row.payload.split(":")[0].encode()))
    assert (told["func"], told["args"], told["timeout"]) == ("runs.tasks.submit_run", [7], 900)
    assert row.task["started"].tzinfo is not None

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, [old]
    assert row.task["args"] == (7,)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        TaskPackage.loads(row.payload)


@pytest.fixture(params=engines.parameters())
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    with engines.engine(request.param) as engine:
        home = Home(tmp_path, LAMINA_BASE_URL="http://127.0.0.1:9", **engine.env)
        home.migrate()
        yield home
        home.end_all()


@pytest.mark.whole
@pytest.mark.parametrize("command", ["worker", "qcluster"])
def test_an_old_task_in_the_queue_is_dropped_with_one_line_and_the_next_one_done(home: Home, command: str) -> None:
    notes = home.folder / "notes"
    home.manage("shell", "--no-imports", "-c", OLD_NOTE.format(str(notes), "old"))
    home.manage("shell", "--no-imports", "-c", NOTE.format(str(notes), "new"))
    process: subprocess.Popen[bytes] = home.start(command)
    wait_until(lambda: "new" in lines(notes), "the task behind the old one")
    wait_until(lambda: "Dropped a queued task" in home.output(), "the line about the old one")
    assert list(lines(notes)) == ["new"]
    assert home.output().count("Dropped a queued task") == 1
    assert "Traceback" not in home.output()
    process.kill()
