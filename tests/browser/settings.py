"""The portal's own settings, plus a made-up language.

`PSEUDO_LOCALE` is the folder with that language's catalogue.
"""

import os
from pathlib import Path

from lamina_portal.settings import *  # noqa: F403 - everything but the two names below stays as it is
from lamina_portal.settings import LANGUAGES, LOCALE_PATHS
from tests.support.pseudo import CODE

LANGUAGES = [*LANGUAGES, (CODE, "Pseudo")]
LOCALE_PATHS = [*LOCALE_PATHS, Path(os.environ["PSEUDO_LOCALE"])]
