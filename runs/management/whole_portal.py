"""Loads everything that the worker and the web server need, for a process that forks them both."""

import gunicorn.app.wsgiapp as gunicorn  # noqa: F401 - not at each start of the web server
import gunicorn.workers.gthread as gthread  # noqa: F401

from lamina_portal.warm import warm_up
from runs import tasks as tasks
from runs.background import worker as worker


def load() -> None:
    warm_up()
