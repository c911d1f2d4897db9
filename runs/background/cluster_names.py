"""Names of worker clusters, apart from `heartbeats` so that the supervisor needs no models."""

import socket

ANY = "worker"


def name_of(pid: int) -> str:
    """Return the name of the cluster on this host whose main process is `pid`."""
    return f"{ANY} {host()}:{pid}"


def host() -> str:
    return socket.gethostname()[:90]
