"""Where guests and sign-ins came from: a network, never the whole address, and only for 90 days."""

import ipaddress
from datetime import datetime, timedelta

from runs.models import EntryOrigin

KEPT = timedelta(days=90)
PREFIXES = {4: 24, 6: 48}


def cut(address: str) -> str:
    """Return the network of an IP address, cut to /24 or /48, such as "203.0.113.0/24"; "" if it isn't one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # Servers that listen on IPv6 see IPv4 clients as ::ffff:a.b.c.d, which are all in the same network.
    found = (isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped) or found
    return str(ipaddress.ip_network((found.packed, PREFIXES[found.version]), strict=False))


def tidy(now: datetime) -> None:
    """Forget the networks of entries older than 90 days."""
    EntryOrigin.objects.filter(at__lt=now - KEPT).delete()
