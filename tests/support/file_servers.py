"""File servers: one that does everything wrong, one that must not be contacted, and a bucket."""

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from lamina_portal import environment
from tests.support.hostile_server import Decoy, HostileServer, hostile_server


@pytest.fixture
def server(settings: Settings) -> Iterator[HostileServer]:
    """A hostile server. The portal is set to trust it, since it wouldn't connect to loopback otherwise."""
    with hostile_server() as running:
        settings.TRUSTED_FILE_ORIGINS = [running.url]
        yield running


@pytest.fixture
def decoy() -> Iterator[Decoy]:
    found = Decoy()
    yield found
    found.close()


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The address of a bucket: the one in TEST_S3_URL or, if that isn't set, one on our own loopback server."""
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
    """Make a new bucket the default storage."""
    parts = urlsplit(s3_url)
    own = urlunsplit(parts._replace(path=f"{parts.path}-{os.urandom(4).hex()}"))
    settings.STORAGES = settings.STORAGES | {"default": environment.storage(own)}
    storage: Any = default_storage
    storage.client.create_bucket(Bucket=storage.bucket_name)
    return storage
