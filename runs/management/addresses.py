"""The network addresses that the portal's processes listen on: parsing them, and checking that they are free."""

import errno
import socket
from dataclasses import dataclass

from lamina_portal.environment import is_loopback as is_loopback
from runs.words.numbers import number_in

ANY = "0.0.0.0"  # noqa: S104 - only if a person set ":8000"


class AddressError(Exception):
    """An address that can't be used; str() is the message for the terminal."""


@dataclass(frozen=True)
class Address:
    """A host (name or IP address, without brackets) and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse "127.0.0.1:8000", "[::1]:8000", "localhost:8000" or ":8000" (all interfaces). Raises AddressError."""
        host, colon, digits = text.rpartition(":")
        port = number_in(digits, 1, 65535, 0)
        if not colon or not port:
            raise AddressError(f"PORTAL_BIND must look like 127.0.0.1:8000, not {text!r}.")
        return cls(host.strip("[]") or ANY, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def as_seen_from_here(self) -> "Address":
        """The address that programs on this machine should connect to."""
        return Address({ANY: "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)

    def demand_free(self) -> None:
        """Raise AddressError if something else is already listening on this address, or if we aren't allowed to."""
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(target)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise AddressError(f"{self} is in use already, perhaps by another portal.") from None
            raise AddressError(f"Cannot listen on {self}: {error.strerror or error}.") from None
