"""How gunicorn serves the portal, whether `make run` starts it or `gunicorn lamina_portal.wsgi` by hand."""

import gc
import logging
import os
from typing import Any

from lamina_portal.logs import MaskSecretPaths
from lamina_portal.settings import PORTAL_BIND  # the settings, not the environment: `.env` may have it

bind = PORTAL_BIND
worker_class = "lamina_portal.server.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
keepalive = 20  # seconds; an open page asks every few
graceful_timeout = 8  # seconds for running requests after SIGTERM; less than `make run` waits for all its parts
control_socket_disable = True  # it would lie in the home directory, where two portals meet
forwarded_allow_ips = ""  # PORTAL_TRUSTED_PROXIES decides who is believed, in one place
umask = 0o077
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secret_paths": {"()": "lamina_portal.logs.MaskSecretPaths"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["secret_paths"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"gunicorn.error": {"level": "WARNING", "handlers": ["console"], "propagate": False}},
}


def on_starting(_: Any) -> None:
    """`--access-logfile` brings a handler of its own, which would write secret paths and referrers as they are."""
    for name in ("gunicorn.access", "gunicorn.error"):
        logging.getLogger(name).addFilter(MaskSecretPaths())


def post_worker_init(_: Any) -> None:
    """What was loaded at the start is never garbage: left out of the collector's rounds, and with rarer rounds, a page
    of 24 cards takes a tenth less time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
