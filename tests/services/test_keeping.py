"""Around keeping files: catalogue pictures, leftovers, and how little it costs to look for work."""

import os
from typing import Any

import pytest
from pytest_django import Settings

from runs.services import storing
from runs.services.outputs import keep_due_files, request_keeping, save_catalog_picture
from tests.services.hostile import HostileServer, kept_files

pytestmark = pytest.mark.django_db


def test_a_catalogue_picture_is_copied_once(server: HostileServer) -> None:
    server.files["/b.png"] = server.files["/a.png"]
    first = save_catalog_picture(f"{server.url}/a.png")
    second = save_catalog_picture(f"{server.url}/b.png")

    assert first is not None
    assert first == second
    assert first.is_catalog
    assert first.card_url


@pytest.mark.parametrize("path", ["missing", "page-as-png", "svg-as-png", "says-less", "loop", "says-huge"])
def test_a_catalogue_picture_that_is_none_is_left_out(path: str, server: HostileServer, settings: Settings) -> None:
    assert save_catalog_picture(f"{server.url}/{path}") is None
    assert save_catalog_picture("no link at all") is None
    assert kept_files(settings) == []


def test_leftovers_of_a_killed_worker_are_removed(settings: Settings) -> None:
    old, young = storing.new_waiting_path(), storing.new_waiting_path()
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    keep_due_files()
    assert kept_files(settings) == [young]


def test_looking_for_work_is_cheap(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2):
        request_keeping()
