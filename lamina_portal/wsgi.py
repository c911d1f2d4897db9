"""The entry point for the web server: `gunicorn lamina_portal.wsgi`."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

from lamina_portal.stack_room import with_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lamina_portal.settings")
_portal = with_room(get_wsgi_application())
# This runs in gunicorn's main process; the workers share what it has loaded.
import_string("lamina_portal.warm.warm_up")()
_CLOSE = import_string("runs.web.body_limits.CLOSE")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Run the portal, and let it close the connection after a response.

    gunicorn ignores an application's `Connection` header, but its response object can be told to close the connection.
    """
    environ[_CLOSE] = getattr(getattr(start_response, "__self__", None), "force_close", None)
    return _portal(environ, start_response)
