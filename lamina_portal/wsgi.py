"""The entry point for the web server: `gunicorn lamina_portal.wsgi`."""

import os
import sys

from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lamina_portal.settings")
application = get_wsgi_application()
if problem := import_string("runs.checks.half_migrated")():
    sys.exit(problem)
connections.close_all()  # gunicorn's workers mustn't share a connection
# This runs in gunicorn's main process; the workers share what it has loaded.
import_string("lamina_portal.warm.warm_up")()
