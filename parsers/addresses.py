"""Addresses of the internet protocols as logs write them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_WITH_PORT = re.compile(r"^(?:\[([0-9A-Fa-f:.]+)(?:%[^\]]*)?\]|([0-9.]+))(?::[0-9]{1,5})?$")
_LONGEST = 100  # characters: an address with a zone and a port has fewer


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a text, also where a port or a zone follows; None: it is none.

    An IPv4 address that was mapped into IPv6 (RFC 4291, 2.5.5.2) is the IPv4 address.

    >>> address_of("::ffff:192.0.2.7"), address_of("[2001:db8::1]:443"), address_of("web-1")
    (IPv4Address('192.0.2.7'), IPv6Address('2001:db8::1'), None)
    """
    text = text.strip() if len(text) <= _LONGEST else ""
    if found := _WITH_PORT.match(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
