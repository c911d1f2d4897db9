"""Transferring files to and from a hostile server on a real socket: sizes, times, partial files and odd responses."""

import hashlib
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from runs.storage.fetch import FetchFailed, FetchRefused, put_file
from tests.support.hostile_server import Decoy, HostileServer, fetch_trusted, kept_files
from tests.support.messages import says

ANY = 5_000_000  # bytes; used where the limit doesn't matter
PLENTY = 60.0  # seconds; more than enough for anything that arrives or is refused at once


def test_a_file_arrives_whole(server: HostileServer, settings: Settings) -> None:
    seen: list[int] = []

    fetched = fetch_trusted(f"{server.url}/a.png", max_bytes=ANY, seconds=PLENTY, on_chunk=seen.append)

    body = server.files["/a.png"]
    assert fetched.path.read_bytes() == body
    assert (fetched.size_bytes, fetched.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert seen[-1] == len(body)
    assert kept_files(settings) == [fetched.path]


@pytest.mark.parametrize("path", ["endless", "endless-chunks", "says-huge", "gzip-bomb", "gzip-bombs-in-each-other"])
def test_a_body_beyond_the_limit_is_refused(path: str, server: HostileServer, settings: Settings) -> None:
    with pytest.raises(FetchRefused, check=says("too_large_to_fetch", limit_bytes=2_000_000)):
        fetch_trusted(f"{server.url}/{path}", max_bytes=2_000_000, seconds=PLENTY)

    assert kept_files(settings) == []


def test_the_limit_is_the_one_of_the_kind_by_content(server: HostileServer) -> None:
    limits = {"image": 1_000_000, "video": 500_000_000, "audio": 500_000_000, "other": 500_000_000}
    for path in ("endless-chunks", "says-400-mb"):
        with pytest.raises(FetchRefused, check=says("too_large_to_fetch", limit_bytes=1_000_000)):
            fetch_trusted(f"{server.url}/{path}", max_bytes=limits, seconds=PLENTY)


@pytest.mark.parametrize("path", ["drip", "drip-without-length", "drip-headers"])
def test_a_slow_answer_is_cut_at_the_deadline(path: str, server: HostileServer, settings: Settings) -> None:
    began = time.monotonic()
    with pytest.raises(FetchFailed, check=says("too_slow")):
        fetch_trusted(f"{server.url}/{path}", max_bytes=ANY, seconds=0.6)

    assert 0.5 < time.monotonic() - began < PLENTY  # without the deadline, the server would keep sending slowly forever
    assert kept_files(settings) == []


def test_a_file_that_ends_early_is_not_taken_for_whole(server: HostileServer) -> None:
    with pytest.raises(FetchFailed, check=says("cut_off")):
        fetch_trusted(f"{server.url}/says-more", max_bytes=ANY, seconds=PLENTY)


def test_an_empty_answer_is_no_file(server: HostileServer) -> None:
    with pytest.raises(FetchFailed, check=says("empty_at_address")):
        fetch_trusted(f"{server.url}/empty", max_bytes=ANY, seconds=PLENTY)


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 404, 410, 429, 500, 503])
def test_any_answer_but_200_is_tried_again_later(status: int, server: HostileServer) -> None:
    server.status = status
    with pytest.raises(FetchFailed):
        fetch_trusted(f"{server.url}/a.png", max_bytes=ANY, seconds=PLENTY)


def test_stopping_in_the_middle_leaves_nothing(server: HostileServer, settings: Settings) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_trusted(f"{server.url}/endless", max_bytes=10**13, seconds=PLENTY, on_chunk=stop)

    assert kept_files(settings) == []


def test_a_file_is_put_to_an_upload_address(server: HostileServer, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"the bytes")

    put_file(f"{server.url}/up", path, "image/png", PLENTY, trusted=[server.url])
    put_file(f"{server.url}/moved?to=/elsewhere", path, "image/png", PLENTY, trusted=[server.url])

    assert server.puts == {"/up": (b"the bytes", "image/png"), "/elsewhere": (b"the bytes", "image/png")}
    assert server.headers["Content-Length"] == "9"
    assert "Transfer-Encoding" not in server.headers  # sending both headers would allow request smuggling


def test_an_upload_address_is_guarded_too(server: HostileServer, decoy: Decoy, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"secret")
    target = f"https://127.0.0.1:{decoy.port}/"

    for url in (target, f"{server.url}/moved?to={target}"):
        with pytest.raises(FetchRefused):
            put_file(url, path, "image/png", PLENTY, trusted=[server.url])
    server.status = 500
    with pytest.raises(FetchFailed):
        put_file(f"{server.url}/up", path, "image/png", PLENTY, trusted=[server.url])

    assert not decoy.was_contacted()
