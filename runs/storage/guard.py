"""Guard requests to untrusted URLs: results, upload targets, catalogue pictures, pasted links.

We allow https to a public IP address on port 80 or 443, and origins that the caller trusts (same scheme, host and
port). These are `settings.TRUSTED_FILE_ORIGINS`: Lamina's own origin and those added by the operator. The same rule
applies to links that members paste, so members can also use origins that the operator added, as the README says.

requests-hardened resolves a host name once, checks the IP address and connects to exactly that address, so it makes no
difference if DNS gives another answer later. This module takes care of the rest: odd spellings of IP addresses, user
names in links, redirects (each is checked like a pasted link), proxies and cookies, the body of a redirect (which the
requests library would read in full), and the total time.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
from requests_hardened.client import HTTPSession
from requests_hardened.config import Config
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES, InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError

from runs.lamina.deadline import CutAdapter, Cutter, Deadline
from runs.models.messages import Message
from runs.words.errors import UserFacingError

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0  # longest time without receiving any data
MAX_REDIRECTS = 5
MAX_URL_LENGTH = 8000
FOLLOWED = {301, 302, 303, 307, 308}
FOLLOWED_WITH_BODY = {307, 308}
ISATAP = 0x0000_5EFE  # an IPv6 address with this in the middle ends in an IPv4 address on the local network
# This address looks public, but Azure uses it to provide services to its virtual machines.
PLATFORM_NETWORKS = (ipaddress.ip_network("168.63.129.16/32"),)
WEB_PORTS = {80, 443}  # other ports are for mail servers or databases, not for pictures
# Matches links without https://
BARE_ADDRESS = re.compile(r"(?:www\.|[^\s/:@?#]+\.[^\s/:@?#]+(?::\d+)?/)\S+", re.IGNORECASE)
INTERNAL_NAMES = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".onion")

NO_LINK = Message("no_link")
NOT_HTTPS = Message("not_https")
PRIVATE = Message("private_address")
OTHER_PORT = Message("other_port")
WITH_PASSWORD = Message("with_password")
TOO_MANY_REDIRECTS = Message("too_many_redirects")
UNREACHABLE = Message("unreachable")
UNSAFE_CONNECTION = Message("unsafe_connection")
TOO_SLOW = Message("too_slow")


class Body(Protocol):
    """The body of a request. It's sent in pieces, and after a redirect it's sent again from the start."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __len__(self) -> int: ...

    def read(self, size: int = -1, /) -> bytes: ...

    @property
    def seek(self) -> Callable[[int], int]: ...


class FetchError(UserFacingError):
    """A transfer was refused or failed."""


class FetchRefused(FetchError):
    """The URL or its content isn't acceptable; don't retry."""


class TooLargeToFetch(FetchRefused):
    """The content is larger than we accept; the URL itself is fine."""


class FetchFailed(FetchError):
    """There is a problem with the other server or the connection to it; a retry may work."""


class _GuardedAdapter(CutAdapter, IPFilterAdapter):  # type: ignore[misc]  # the library has no types
    """Checks the IP address again with our stricter rule, after requests-hardened has pinned it."""

    def __init__(self, cutter: Cutter) -> None:
        super().__init__(cutter, is_https_proto=True)

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,
        cert: str | tuple[str, str] | None = None,
    ) -> tuple[Any, Any]:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(request, verify, cert)
        if not is_public(str(host_params["host"]).strip("[]")):
            raise InvalidIPAddress(host_params["host"])
        return host_params, pool_kwargs


class _Session(HTTPSession):  # type: ignore[misc]  # the library has no types
    """A session for a single request, without proxies, .netrc, cookies or redirects. Requests to anything but trusted
    origins go through the guard and need https."""

    def __init__(self, trusted: Sequence[str], cutter: Cutter) -> None:
        super().__init__(Config(False, False, True, (CONNECT_SECONDS, READ_SECONDS), "LaminaPortal"))
        self.trust_env = False
        self.headers["Accept-Encoding"] = "identity"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.adapters.clear()
        self.mount("https://", _GuardedAdapter(cutter))
        for origin in trusted:
            self.mount(f"{origin}/", CutAdapter(cutter))  # doesn't check the IP address

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that the requests library doesn't read the whole body of a redirect, which may be endless."""


def is_public(address: str) -> bool:
    """Return whether anyone on the internet can reach `address`, an IP address in standard notation."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.scope_id or ip.is_site_local or int(ip) >> 32 & 0xFCFF_FFFF == ISATAP:
            return False
    is_special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local or ip.is_loopback
    is_blocked = any(ip in network for network in (*EXTRA_BLOCKED_NET_RANGES, *PLATFORM_NETWORKS))
    return ip.is_global and not is_special and not is_blocked and not _is_own(ip)


def _is_own(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether `ip` belongs to this machine, where services may trust local requests. Nothing is sent: we only
    ask the kernel which local address it would use to reach `ip`."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((str(ip), 9))
            return bool(asking.getsockname()[0] == str(ip))
    except OSError:  # no route
        return False


def complete_url(text: str) -> str:
    """Return the link that a person typed, adding https:// if it is missing."""
    link = text.strip().removeprefix("//")
    return f"https://{link}" if BARE_ADDRESS.fullmatch(link) else text.strip()


def check_url(url: str, trusted: Sequence[str] = ()) -> None:
    """Raise `FetchRefused` if `url` itself is unacceptable. Doesn't make any DNS lookups or connections."""
    if len(url) > MAX_URL_LENGTH or re.search(r"[\x00-\x20\x7f-\xa0\\]", url):
        raise FetchRefused(NO_LINK)
    parts = re.match(r"([a-z][a-z0-9+.-]*):(?://([^/?#]+))?", url, re.IGNORECASE)
    if parts is None:
        raise FetchRefused(NO_LINK)
    if parts[1].lower() not in {"https", "http"}:
        raise FetchRefused(NOT_HTTPS)
    if not parts[2]:
        raise FetchRefused(NO_LINK)
    if "@" in parts[2]:
        raise FetchRefused(WITH_PASSWORD)
    try:
        _check_prepared(requests.Request("GET", url).prepare().url or "", trusted)
    except (ValueError, requests.RequestException):
        raise FetchRefused(NO_LINK) from None


def _check_prepared(url: str, trusted: Sequence[str]) -> None:
    """Check `url` as it will be sent, with the host in ASCII and the path quoted."""
    if any(url.lower().startswith(f"{origin}/") for origin in trusted):
        return
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise FetchRefused(NOT_HTTPS)
    _check_host(parts)
    if parts.port not in (None, *WEB_PORTS):
        raise FetchRefused(OTHER_PORT)


def _check_host(parts: SplitResult) -> None:
    host = (parts.hostname or "").rstrip(".")
    # The host is missing, or longer than DNS allows
    if not host or len(host) > 253 or max(map(len, host.split("."))) > 63:
        raise FetchRefused(NO_LINK)
    last = host.rsplit(".", 1)[-1]
    if ":" in host or re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last):
        try:  # a host that ends in a number is an IP address; we accept only the standard notation, so not 127.1
            is_allowed = is_public(host)
        except ValueError:
            is_allowed = False
        if not is_allowed:
            raise FetchRefused(PRIVATE)
    elif "." not in host or host.endswith(INTERNAL_NAMES):
        raise FetchRefused(PRIVATE)


@contextmanager
def open_url(
    method: str,
    url: str,
    deadline: Deadline,
    *,
    headers: dict[str, str] | None = None,
    body: Body | None = None,
    trusted: Sequence[str] = (),
) -> Iterator[requests.Response]:
    """Request `url` through the guard, following at most five redirects. Doesn't read the response body.

    Only `trusted` origins may be private or use plain http. The connection is shut down at the `deadline`. Raises
    `FetchRefused` or `FetchFailed`. With a `body`, only 307 and 308 redirects are followed; other redirects are
    returned as they are.
    """
    for _ in range(MAX_REDIRECTS + 1):
        check_url(url, trusted)
        with _Session(trusted, deadline) as session, _speaking_plainly(deadline):
            request = requests.Request(method, url, headers=headers or {}, data=body)
            prepared = session.prepare_request(request)
            _check_prepared(prepared.url or "", trusted)
            response = session.send(prepared, stream=True, allow_redirects=False, proxies={})
            location = response.headers.get("Location")
            if location is None or response.status_code not in (FOLLOWED if body is None else FOLLOWED_WITH_BODY):
                try:
                    yield response
                finally:
                    response.close()
                return
            response.close()
            try:
                url = urljoin(prepared.url or "", location.encode("latin-1").decode("utf-8"))
            except ValueError:  # the redirect's URL can't be parsed
                raise FetchRefused(NO_LINK) from None
        if body is not None:
            body.seek(0)
    raise FetchRefused(TOO_MANY_REDIRECTS)


@contextmanager
def _speaking_plainly(deadline: Deadline) -> Iterator[None]:
    """Convert library exceptions to `FetchRefused` and `FetchFailed`, with messages that people can understand."""
    try:
        yield
    except InvalidIPAddress:
        raise FetchRefused(PRIVATE) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
        raise FetchRefused(NO_LINK) from None
    except (requests.RequestException, HTTPError) as error:
        if deadline.is_cut:
            raise FetchFailed(TOO_SLOW) from None
        if isinstance(error, requests.exceptions.SSLError):
            raise FetchFailed(UNSAFE_CONNECTION) from None
        raise FetchFailed(UNREACHABLE) from None
