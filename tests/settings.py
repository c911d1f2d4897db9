"""The portal's settings for tests, unaffected by the developer's own environment and `.env`.

pytest-django loads this before the rest of the project, so variables cleared here are never read. Real services are
used if TEST_DATABASE_URL, TEST_REDIS_URL or TEST_S3_URL name them.
"""

import atexit
import mimetypes
import os
import shutil
import tempfile
from pathlib import Path

OURS = ("LAMINA_", "PORTAL_", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "STORAGE_URL", "DJANGO_SUPERUSER_")
for _name in [name for name in os.environ if name.startswith(OURS)]:
    del os.environ[_name]

TEST_DIR = Path(tempfile.mkdtemp(prefix="portal-tests-"))
atexit.register(shutil.rmtree, TEST_DIR, ignore_errors=True)
os.environ["PORTAL_TESTING"] = "1"
os.environ["PORTAL_DATA_DIR"] = str(TEST_DIR)
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's own loop runs in the tests' thread
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]

from lamina_portal.settings import *  # noqa: E402, F403 - the environment must be cleared first
from lamina_portal.settings import DATABASES, LANGUAGES, LOCALE_PATHS, MIMETYPES, STORAGES  # noqa: E402
from tests.support.pseudo import CODE, write_catalogue  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file rather than memory, so that threads and other processes face the same locks as in production.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_DIR / "test.sqlite3")}
    # Don't wait for the disk; conftest.py turns off `os.fsync` for the same reason. The last PRAGMA wins.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
# The manifest storage needs collectstatic to run first; without it, no page would render.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
for _ending, _type in MIMETYPES.items():
    mimetypes.add_type(_type, _ending)  # for Django's own server, which the browser tests use
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
(TEST_DIR / "sandbox" / "static").mkdir(parents=True)  # whitenoise warns when STATIC_ROOT is missing
# A made-up language that shows which strings aren't marked for translation.
write_catalogue(TEST_DIR / "locale")
LOCALE_PATHS = [*LOCALE_PATHS, TEST_DIR / "locale"]
LANGUAGES = [*LANGUAGES, (CODE, "Pseudo")]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LAMINA_POLL_SECONDS = 1.0  # sandbox runs take half a second; polling every three seconds would waste time
LAMINA_BASE_URL = "http://127.0.0.1:9"  # nobody; without the `sandbox` fixture, a test must not reach a developer's
LAMINA_STREAMS = 0  # most tests are about polling the list; the stream tests turn streams on
