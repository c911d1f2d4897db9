"""gunicorn's settings, both for `make run` and for `gunicorn lamina_portal.wsgi`."""

import logging
import os
from typing import Any

from lamina_portal.environment import is_loopback
from lamina_portal.logs import MaskSecretPaths
from lamina_portal.settings import PORTAL_BIND, PORTAL_TRUSTED_PROXIES  # not from the environment: it may be in `.env`

bind = PORTAL_BIND
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 32  # a new connection holds one until its first request arrives, for 5 s at most
preload_app = True  # loaded once, in memory that the processes share
keepalive = 20  # seconds; an open page polls every few seconds
graceful_timeout = 8  # seconds that running requests get after SIGTERM; less than `make run` waits for all parts
control_socket_disable = True  # it would be in the home directory, where two portals would collide
forwarded_allow_ips = ""  # only PORTAL_TRUSTED_PROXIES decides which proxies to trust
umask = 0o077
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secret_paths": {"()": "lamina_portal.logs.MaskSecretPaths"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["secret_paths"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"gunicorn.error": {"level": "WARNING", "handlers": ["console"], "propagate": False}},
}


def on_starting(server: Any) -> None:
    """Mask the access log, too: `--access-logfile` adds its own handler, which would write secret paths unmasked. Warn
    if others can reach the portal without a proxy."""
    hosts = [address[0] for address in server.address if isinstance(address, tuple)]  # the rest are Unix sockets
    if not PORTAL_TRUSTED_PROXIES and not all(map(is_loopback, hosts)):
        server.log.warning(
            "Others can reach the portal without a proxy: there is no https, and slow clients can block it. "
            "See docs/operating.md, Reverse proxy."
        )
    for name in ("gunicorn.access", "gunicorn.error"):
        logging.getLogger(name).addFilter(MaskSecretPaths())
