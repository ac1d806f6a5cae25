"""What sources that listen have in common: addresses, TLS, connections and datagrams within bounds, and the way on."""

from .address import Address, host_port
from .datagrams import Datagrams, open_udp, open_unix
from .gather import Gatherer, Lot
from .listeners import Listeners
from .streams import READ, Connection, StreamConfig, Streams, TlsConfig, TlsFiles, streams

__all__ = [
    "READ",
    "Address",
    "Connection",
    "Datagrams",
    "Gatherer",
    "Listeners",
    "Lot",
    "StreamConfig",
    "Streams",
    "TlsConfig",
    "TlsFiles",
    "host_port",
    "open_udp",
    "open_unix",
    "streams",
]
