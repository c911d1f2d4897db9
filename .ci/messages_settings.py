"""The portal's settings with another folder for translations, for `messages.py`."""

import os
from pathlib import Path

from lamina_portal.settings import *  # noqa: F403 - all settings but one

LOCALE_PATHS = [Path(os.environ["MESSAGES_DIR"])]
