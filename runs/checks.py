"""Startup check: the data folder must be writable."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


def listen() -> None:
    register(data_folder_is_writable)


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
