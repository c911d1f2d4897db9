"""Queued tasks are signed JSON: nothing taken from a queue is ever unpickled."""

import json
import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_q.brokers import get_broker
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from pytest_django import Settings

from runs.background import broker
from tests.support import engines
from tests.support.processes import Home, lines, wait_until

NOTE = "from django_q.tasks import async_task; async_task('tests.support.slow_tasks.note', {!r}, {!r})"
OLD_NOTE = """
from django.utils import timezone
from django_q.brokers import orm, redis_broker
from django_q.conf import Conf
from django_q.signing import SignedPackage
task = {{"id": "1", "name": "old", "func": "tests.support.slow_tasks.note", "args": ({!r}, {!r}), "kwargs": {{}},
    "started": timezone.now()}}
(redis_broker.Redis() if Conf.REDIS else orm.ORM()).enqueue(SignedPackage.dumps(task))
"""


class Sly:
    """Prints when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def task(*args: object) -> dict[str, Any]:
    return {"id": "1", "func": "runs.tasks.submit_run", "args": args, "kwargs": {}, "started": timezone.now()}


def test_a_task_is_read_as_it_was_written() -> None:
    with pytest.raises(TypeError):
        broker.pack(task(Sly()))
    written = task(7, "a") | {"timeout": 9, "save": False}
    assert broker.unpack(broker.pack(written)) == written
    assert broker.unpack(broker.pack(written).encode()) == written


def test_a_pickle_is_not_read_whoever_signed_it(capsys: pytest.CaptureFixture[str]) -> None:
    class Pickled:
        dumps = staticmethod(pickle.dumps)

    forged = signing.dumps(task(Sly()), salt=broker.SALT, serializer=Pickled)  # type: ignore[arg-type]
    for stored in (SignedPackage.dumps(task(Sly())), b"\xff\xfe", forged):
        with pytest.raises(signing.BadSignature):
            broker.unpack(stored)
    assert not capsys.readouterr().out


@pytest.mark.django_db
def test_only_json_signed_by_us_comes_out_of_the_queue(
    settings: Settings, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    ORM().enqueue(SignedPackage.dumps(task(Sly())))
    async_task("runs.tasks.submit_run", 7)
    taken = [package for _ in range(2) for _, package in get_broker().dequeue()]
    assert [SignedPackage.loads(package)["args"] for package in taken] == [(7,)]
    assert "Dropped a queued task" in caplog.text
    assert OrmQ.objects.count() == 1  # the one that was taken; it is deleted once it has run
    assert not capsys.readouterr().out


@pytest.mark.django_db
def test_what_is_queued_is_json_and_survives_a_change_of_the_key(settings: Settings) -> None:
    old, new = settings.SECRET_KEY, get_random_string(50)
    async_task("runs.tasks.submit_run", 7, q_options={"timeout": 900})
    row = OrmQ.objects.get()
    told = json.loads(signing.b64_decode(row.payload.split(":")[0].encode()))
    assert (told["func"], told["args"], told["timeout"]) == ("runs.tasks.submit_run", [7], 900)
    assert broker.unpack(row.payload)["started"].tzinfo is not None

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = new, [old]
    assert broker.unpack(row.payload)["args"] == (7,)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        broker.unpack(row.payload)


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
