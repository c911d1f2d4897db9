"""Which proxies are trusted to say where a request came from, and how invalid addresses are handled."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from runs.web.middleware import TrustedProxyMiddleware

PROXY = "10.0.0.2"


def seen_through(settings: Settings, trusted: list[str], remote: str, **headers: str) -> HttpRequest:
    """Return the request as views see it if it comes from `remote` with these X-Forwarded headers (FOR, PROTO,
    HOST)."""
    settings.PORTAL_TRUSTED_PROXIES = trusted
    settings.ALLOWED_HOSTS = ["portal.example.com", "testserver"]
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    meta = {f"HTTP_X_FORWARDED_{name}": value for name, value in headers.items()}
    TrustedProxyMiddleware(view)(RequestFactory().get("/", REMOTE_ADDR=remote, **meta))  # type: ignore[arg-type]
    return seen[0]


@pytest.mark.parametrize("trusted", [[PROXY], ["10.0.0.0/8"], ["192.0.2.1", "10.0.0.0/24"]])
def test_a_trusted_proxy_says_who_sent_the_request(settings: Settings, trusted: list[str]) -> None:
    request = seen_through(settings, trusted, PROXY, FOR="203.0.113.9", PROTO="https", HOST="portal.example.com")
    assert request.META["REMOTE_ADDR"] == "203.0.113.9"
    assert request.is_secure()
    assert request.get_host() == "portal.example.com"


@pytest.mark.parametrize("trusted", [[], ["192.0.2.0/24"]])
def test_others_are_not_trusted(settings: Settings, trusted: list[str]) -> None:
    request = seen_through(settings, trusted, PROXY, FOR="203.0.113.9", PROTO="https", HOST="portal.example.com")
    assert request.META["REMOTE_ADDR"] == PROXY
    assert not request.is_secure()
    assert request.get_host() == "testserver"
    assert not [name for name in request.META if "FORWARDED" in name]


@pytest.mark.parametrize(
    ("forwarded_for", "client"),
    [
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the client made up the first address
        ("6.6.6.6, 203.0.113.9, 10.0.0.3", "203.0.113.9"),  # two of the proxies are our own
        ("10.0.0.9, 10.0.0.3", "10.0.0.9"),  # a client inside the trusted network
        ("2001:db8::7", "2001:db8::7"),
        ("6.6.6.6, 203.0.113.9:51234", "203.0.113.9"),  # some proxies add the client's port
        ("6.6.6.6, [2001:db8::7]:51234", "2001:db8::7"),
        ("[2001:db8::7], 10.0.0.3:443", "2001:db8::7"),
        ("203.0.113.9:x", PROXY),
        (":80", PROXY),
        ("nonsense", PROXY),
        ("203.0.113.9, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_what_the_client_wrote_does_not_count(settings: Settings, forwarded_for: str, client: str) -> None:
    request = seen_through(settings, ["10.0.0.0/8"], PROXY, FOR=forwarded_for)
    assert request.META["REMOTE_ADDR"] == client


def test_an_ipv4_proxy_is_recognised_on_an_ipv6_socket(settings: Settings) -> None:
    request = seen_through(settings, ["10.0.0.0/8"], f"::ffff:{PROXY}", FOR="203.0.113.9")
    assert request.META["REMOTE_ADDR"] == "203.0.113.9"


def test_a_bad_network_is_named(settings: Settings) -> None:
    settings.PORTAL_TRUSTED_PROXIES = ["the proxy"]
    with pytest.raises(ImproperlyConfigured, match="PORTAL_TRUSTED_PROXIES"):
        TrustedProxyMiddleware(lambda _: HttpResponse())


@pytest.mark.parametrize("address", ["/apps/?q=%00", "/runs/%00/"])
def test_an_impossible_address_gets_an_error_page(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 400
    assert "We couldn't read that" in answer.content.decode()
