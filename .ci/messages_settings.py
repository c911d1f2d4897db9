"""The portal's settings with a folder of its own for gathered texts (`messages.py`)."""

import os
from pathlib import Path

from lamina_portal.settings import *  # noqa: F403 - all of them but one

LOCALE_PATHS = [Path(os.environ["MESSAGES_DIR"])]
