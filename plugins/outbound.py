"""Where requests to somebody else's service may go: not where only this machine's own cloud or network answers.

An address that a name stands for is looked up once, checked, and connected to as it is: a name that means another
address a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import SOCK_STREAM, gaierror

import anyio

from .errors import RejectedError, RetryableError

PRIVATE = "CORDWOOD_PRIVATE_ADDRESSES"
"""`refuse`: nothing is sent to addresses that are not public; else only link-local ones are refused."""
_METADATA = ip_address("fd00:ec2::254")  # Amazon's instance metadata by IPv6; by IPv4 it is link-local
_MOST = 8  # addresses of a name that are tried


async def permitted(host: str, port: int) -> list[str]:
    """The addresses to connect to for a host, in the order to try.

    :raises RejectedError: one of them is of a kind that nothing is sent to
    :raises RetryableError: the name is not known now
    """
    try:
        found = await anyio.getaddrinfo(host.strip("[]"), port, type=SOCK_STREAM)
    except gaierror:
        raise RetryableError("no address: the host's name is not known") from None
    addresses = [str(info[4][0]).split("%", 1)[0] for info in found]
    for address in addresses:
        if why := refused(ip_address(address), private=os.environ.get(PRIVATE) != "refuse"):
            raise RejectedError(why)
    return list(dict.fromkeys(addresses))[:_MOST]


def refused(address: IPv4Address | IPv6Address, *, private: bool) -> str | None:
    """Why nothing is sent to it; None: it may be.

    >>> refused(ip_address("169.254.169.254"), private=True)
    'nothing is sent to link-local addresses: what answers there is for this machine alone'
    >>> refused(ip_address("::ffff:169.254.169.254"), private=True) == refused(ip_address("169.254.1.1"), private=True)
    True
    >>> refused(ip_address("10.0.0.1"), private=True), refused(ip_address("1.1.1.1"), private=False)
    (None, None)
    """
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    if address.is_link_local or address == _METADATA:
        return "nothing is sent to link-local addresses: what answers there is for this machine alone"
    if address.is_multicast or address.is_unspecified:
        return "nothing is sent to multicast or unspecified addresses"
    if not private and not address.is_global:
        return f"nothing is sent to addresses that are not public: {PRIVATE} is set to refuse"
    return None
