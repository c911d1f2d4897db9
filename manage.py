#!/usr/bin/env python
"""Run the portal's commands; `manage.py portal` starts all of it."""

import os
import sys


def main() -> None:
    os.umask(0o077)  # what the portal keeps is nobody else's on this machine
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lamina_portal.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
