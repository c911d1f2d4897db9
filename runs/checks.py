"""Startup checks: the data folder must be writable, and the database must be one that `0001_portal` continues."""

import os
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

LAST_COMMIT = "7073667a"  # the last commit that has all the migrations that `0001_portal` replaces


def listen() -> None:
    register(data_folder_is_writable)
    register(Tags.database)(database_can_go_on)


def data_folder_is_writable(**_: Any) -> list[CheckMessage]:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    if os.access(settings.DATA_DIR, os.W_OK):
        return []
    return [
        Error(
            f"The data folder {settings.DATA_DIR} cannot be written to.",
            hint="Give the portal's user write permission, or set PORTAL_DATA_DIR to another folder.",
            id="runs.E001",
        )
    ]


def database_can_go_on(databases: Collection[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse a database with only some of the replaced migrations: Django would find nothing left to migrate."""
    problem = half_migrated() if databases else ""
    return [Error(problem, id="runs.E002")] if problem else []


def half_migrated() -> str:
    """Return a sentence that says what to do if the database has only some of the migrations that `0001_portal`
    replaces; "" otherwise, or if the database can't be reached: whatever starts next reports that."""
    replaced = set(MigrationLoader(None).disk_migrations["runs", "0001_portal"].replaces)
    try:
        missing = replaced - set(MigrationRecorder(connection).applied_migrations())
    except DatabaseError:
        return ""
    if not missing or missing == replaced:
        return ""
    return f"This database is too old for this version. First, start commit {LAST_COMMIT} of the portal once."
