#!/usr/bin/env python
"""Run the portal's commands; `manage.py portal` starts the whole portal."""

import os
import sys


def main() -> None:
    os.umask(0o077)  # nobody else on this machine may read the portal's files
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lamina_portal.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from environs import EnvError

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, EnvError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{error}")  # it names the setting and says what to do; a traceback would hide that


if __name__ == "__main__":
    main()
