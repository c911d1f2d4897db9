"""Where guests and sign-ins came from. We store only the network, never the full address, and only for 90 days."""

import ipaddress
from datetime import datetime, timedelta

from runs.models import EntryOrigin

RETENTION = timedelta(days=90)
PREFIXES = {4: 24, 6: 48}


def cut(address: str) -> str:
    """Return the /24 or /48 network of an IP address, such as "203.0.113.0/24"; "" if `address` isn't valid."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    # Servers that listen on IPv6 see IPv4 clients as ::ffff:a.b.c.d, which would all be in the same /48.
    ip = (isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped) or ip
    return str(ipaddress.ip_network((ip.packed, PREFIXES[ip.version]), strict=False))


def tidy(now: datetime) -> None:
    """Delete the networks that belong to entries older than 90 days."""
    EntryOrigin.objects.filter(at__lt=now - RETENTION).delete()
