"""What sources that listen have in common: addresses, TLS, connections and datagrams within bounds, and the way on."""

from .address import Address, host_port
from .datagrams import Datagrams, open_udp, open_unix
from .gather import Gatherer, Lot
from .listeners import Listeners
from .needs import certificate, socket_free, tcp_and_tls, tcp_free
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
    "certificate",
    "host_port",
    "open_udp",
    "open_unix",
    "socket_free",
    "streams",
    "tcp_and_tls",
    "tcp_free",
]
