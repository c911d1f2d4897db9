"""Servers on loopback that the file services meet: one that does everything wrong, and one nobody may contact."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from lamina_portal import environment
from runs.storage import picture_client
from tests.conftest import SandboxDoor
from tests.services.hostile import Decoy, HostileServer, hostile_server
from tests.services.searching import BEYOND, UUID

DIES = "import os, signal, sys; sys.stdin.readline(); os.kill(os.getpid(), signal.SIG{})"
HANGS = "import sys, time; sys.stdin.readline(); time.sleep(600)"

type Pretend = Callable[[str], None]


@pytest.fixture
def server(settings: Settings) -> Iterator[HostileServer]:
    """Trusted, since loopback could not be reached otherwise."""
    with hostile_server() as running:
        settings.TRUSTED_FILE_ORIGINS = [running.url]
        yield running


@pytest.fixture
def decoy() -> Iterator[Decoy]:
    found = Decoy()
    yield found
    found.close()


@pytest.fixture
def beyond(sandbox: SandboxDoor, settings: Settings) -> str:
    """Lamina's id of an unlisted app."""
    settings.LAMINA_REQUESTS_PER_MINUTE = 100_000
    sandbox.control("limit", per_minute=None)
    sandbox.control("apps", app=BEYOND, listed=False)
    return UUID


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The address of a bucket: TEST_S3_URL's, or one of our own on loopback."""
    if given := os.environ.get("TEST_S3_URL"):
        yield given
        return
    from moto.server import ThreadedMotoServer  # takes seconds to load

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"s3://key:se%2Fcret@{host}:{port}/results?secure=false"
    server.stop()


@pytest.fixture
def store(s3_url: str, settings: Settings) -> Any:
    """The default storage is a fresh bucket."""
    parts = urlsplit(s3_url)
    own = urlunsplit(parts._replace(path=f"{parts.path}-{os.urandom(4).hex()}"))
    settings.STORAGES = settings.STORAGES | {"default": environment.storage(own)}
    storage: Any = default_storage
    storage.client.create_bucket(Bucket=storage.bucket_name)
    return storage


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Replace the picture process with another program; "" restores it."""
    real = picture_client.COMMAND

    def change(program: str) -> None:
        picture_client._idle.end_all()
        monkeypatch.setattr(picture_client, "COMMAND", (sys.executable, "-c", program) if program else real)

    return change
