"""Names of worker clusters. They are in a separate module, so that the supervisor doesn't have to load the models."""

import socket

ANY = "worker"


def name_of(pid: int) -> str:
    """Return the name of the cluster on this host whose main process is `pid`."""
    return f"{ANY} {host()}:{pid}"


def host() -> str:
    return socket.gethostname()[:90]
