"""The control packets of MQTT that a client which only subscribes sends and gets.

Sources: OASIS "MQTT Version 3.1.1" and "MQTT Version 5.0"; numbers in brackets are their sections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 2, 3, 4, 5, 6, 7
SUBACK, UNSUBACK, PINGRESP, DISCONNECT = 9, 11, 13, 14
_CONNECT, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ = 1, 8, 10, 12
_SESSION_EXPIRY, _SERVER_KEEP_ALIVE, _RECEIVE_MAXIMUM, _REASON = 0x11, 0x13, 0x21, 0x1F
_SIZES = {0x01: 1, 0x02: 4, 0x11: 4, 0x13: 2, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x24: 1, 0x25: 1,
          0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}  # fmt: skip
"""Bytes of the properties of version 5 that have a fixed size [5: 2.2.2.2]; 0x0B is a number of variable size."""
_TEXTS = frozenset({0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
_PAIR, _SUBSCRIPTION = 0x26, 0x0B
_REFUSED = {1: "it does not speak this version of MQTT", 2: "it does not take this client_id", 3: "it is not available",
            4: "wrong username or password", 5: "we are not authorised"}  # fmt: skip
"""Return codes of 3.1.1 [3.2.2.3]."""
_REASONS = {0x80: "unspecified", 0x81: "malformed packet", 0x82: "protocol error", 0x83: "for its own reasons",
            0x84: _REFUSED[1], 0x85: _REFUSED[2], 0x86: _REFUSED[4], 0x87: _REFUSED[5], 0x88: _REFUSED[3],
            0x89: "it is busy", 0x8A: "we are banned", 0x8B: "it shuts down", 0x8C: "bad authentication method",
            0x8D: "it did not hear from us for too long", 0x8E: "another client came with the same client_id",
            0x8F: "the topic filter is invalid", 0x90: "the topic is invalid", 0x93: "too much is not acknowledged",
            0x94: "the topic alias is invalid", 0x95: "the packet is too large", 0x96: "too many messages",
            0x97: "a quota is exceeded", 0x98: "an administrator ended it", 0x9C: "another server is to be used",
            0x9D: "the server has moved", 0x9E: "it has no shared subscriptions", 0x9F: "too many connections",
            0xA0: "the longest time is over", 0xA1: "it has no subscription identifiers",
            0xA2: "it has no wildcards"}  # fmt: skip
"""Reason codes of 5 [2.4]."""


class MalformedError(ValueError):
    """What comes over the connection is no MQTT, or not what a broker may send."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A control packet: its type, the flags of its first byte, and what follows the length."""

    kind: int
    flags: int
    body: bytes
    whole: bool = True
    """False: the packet was longer than may be held, and its end is missing."""


class Framing:
    """Cuts a stream into packets. Of one longer than `most` bytes the beginning counts, and the rest is skipped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are complete now.

        :raises MalformedError: a length is none
        """
        found: list[Packet] = []
        if self._skip:
            gone = min(self._skip, len(data))
            self._skip -= gone
            data = data[gone:]
        self._buffer += data
        start = 0
        while (head := _length(self._buffer, start + 1)) is not None:
            length, at = head
            held = min(length, self._most)
            if len(self._buffer) < at + held:
                break
            first = self._buffer[start]
            body = bytes(self._buffer[at : at + held])
            found.append(Packet(first >> 4, first & 15, body, whole=held == length))
            start = min(at + length, len(self._buffer))
            self._skip = at + length - start
            if self._skip:
                break
        del self._buffer[:start]
        return found


def _length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """A number of variable size, and where it ends; None: it is not all there [2.2.3].

    >>> _length(bytes([0xC1, 0x02]), 0)
    (321, 2)
    """
    value = 0
    for i in range(4):
        if at + i >= len(data):
            return None
        value |= (data[at + i] & 0x7F) << 7 * i
        if data[at + i] < 0x80:
            return value, at + i + 1
    raise MalformedError("a packet's length has more than four bytes")


@dataclass(frozen=True, slots=True)
class Publish:
    """A message."""

    topic: str
    payload: bytes
    qos: int = 0
    id: int = 0
    """The packet's identifier, by which it is acknowledged; 0 with QoS 0."""
    retained: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker's answer to CONNECT. `keepalive`: seconds that it wants instead of ours."""

    session: bool
    code: int
    said: str
    keepalive: int | None = None


def read_publish(packet: Packet, *, v5: bool) -> Publish:
    """The message [3.3].

    :raises MalformedError: it is none
    """
    qos = packet.flags >> 1 & 3
    body = packet.body
    try:
        topic, at = _text(body, 0)
        id_ = 0
        if qos:
            id_, at = int.from_bytes(body[at : at + 2], "big"), at + 2
        if v5:
            at = _properties(body, at)[1]
    except (IndexError, UnicodeDecodeError) as why:
        raise MalformedError(f"a message ends in its head: {why}") from why
    if qos == 3 or (qos and not id_) or at > len(body):
        raise MalformedError("a message has no identifier, or a QoS of 3")
    return Publish(topic, body[at:], qos, id_, bool(packet.flags & 1), packet.whole)


def read_connack(packet: Packet, *, v5: bool) -> Accepted:
    """The answer to CONNECT [3.2]; a broker of 3.1.1 may answer in its own words to a client of 5.

    :raises MalformedError: it is none
    """
    body = packet.body
    if packet.kind != CONNACK or len(body) < 2:
        raise MalformedError("its first packet is no CONNACK")
    found: dict[int, bytes] = {}
    if v5 and len(body) > 2:
        try:
            found = _properties(body, 2)[0]
        except (IndexError, UnicodeDecodeError) as why:
            raise MalformedError("its CONNACK ends in the middle") from why
    code = body[1]
    said = _REFUSED.get(code) or _REASONS.get(code, f"code {code}")
    if _REASON in found:
        said += f": {found[_REASON].decode('utf-8', 'replace')[:200]}"
    keepalive = found.get(_SERVER_KEEP_ALIVE)
    return Accepted(bool(body[0] & 1), code, said, int.from_bytes(keepalive, "big") if keepalive else None)


def read_suback(packet: Packet, *, v5: bool) -> list[int]:
    """What each topic got: its QoS, or 0x80 and more: refused [3.9].

    :raises MalformedError: it ends in the middle
    """
    try:
        return list(packet.body[_properties(packet.body, 2)[1] if v5 else 2 :])
    except (IndexError, UnicodeDecodeError) as why:
        raise MalformedError("its SUBACK ends in the middle") from why


def reason(code: int) -> str:
    """What a reason code of version 5 means, in words."""
    return _REASONS.get(code, f"code {code}")


def identifier(packet: Packet) -> int:
    """The packet's identifier, which its body begins with.

    :raises MalformedError: there is none
    """
    if len(packet.body) < 2:
        raise MalformedError(f"a packet of type {packet.kind} has no identifier")
    return int.from_bytes(packet.body[:2], "big")


def _text(data: bytes, at: int) -> tuple[str, int]:
    """Text with its length before it, and where it ends [1.5.4].

    :raises IndexError: it ends beyond the data
    """
    end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    if at + 2 > len(data) or end > len(data):
        raise IndexError("a text is not all there")
    return data[at + 2 : end].decode(), end


def _properties(data: bytes, at: int) -> tuple[dict[int, bytes], int]:
    """The last value of each property, as bytes, and where the properties end [5: 2.2.2]."""
    head = _length(data, at)
    if head is None:
        raise IndexError("no length of properties")
    end = head[0] + head[1]
    if end > len(data):
        raise IndexError("properties are not all there")
    found: dict[int, bytes] = {}
    at = head[1]
    while at < end:
        name, at = data[at], at + 1
        if size := _SIZES.get(name):
            stop = at + size
        elif name in _TEXTS:
            stop = at + 2 + int.from_bytes(data[at : at + 2], "big")
        elif name == _PAIR:
            stop = at + 2 + int.from_bytes(data[at : at + 2], "big")
            stop += 2 + int.from_bytes(data[stop : stop + 2], "big")
        elif name == _SUBSCRIPTION:
            number = _length(data, at)
            stop = end + 1 if number is None else number[1]
        else:
            raise IndexError(f"there is no property {name}")
        if stop > end:
            raise IndexError("a property is not all there")
        found[name] = data[at + 2 : stop] if name in _TEXTS else data[at:stop]
        at = stop
    return found, end


def connect(
    client_id: str, username: str, password: str, keepalive: int, *, v5: bool, expiry: int, receive_maximum: int
) -> bytes:
    """CONNECT that goes on with the session of this client, if the broker has one [3.1].

    :param expiry: seconds for which the broker keeps the session while we are away (version 5)
    """
    flags = (0x80 if username else 0) | (0x40 if password else 0)
    body = b"\0\4MQTT" + bytes([5 if v5 else 4, flags]) + keepalive.to_bytes(2, "big")
    if v5:
        limits = bytes([_SESSION_EXPIRY]) + expiry.to_bytes(4, "big")
        body += _counted(limits + bytes([_RECEIVE_MAXIMUM]) + receive_maximum.to_bytes(2, "big"))
    body += _string(client_id)
    if username:
        body += _string(username)
    if password:
        body += _string(password)
    return bytes([_CONNECT << 4]) + _counted(body)


def subscribe(id_: int, topics: Sequence[str], qos: int, *, v5: bool, retained: bool) -> bytes:
    """SUBSCRIBE [3.8]. With version 5, what is retained comes only with a new subscription, or (`retained`) not at all.

    To a shared subscription nothing retained is ever sent, and it may not be asked for.
    """
    body = id_.to_bytes(2, "big") + (b"\0" if v5 else b"")
    for topic in topics:
        handling = 0 if not v5 or topic.startswith("$share/") else 0x10 if retained else 0x20
        body += _string(topic) + bytes([qos | handling])
    return bytes([_SUBSCRIBE << 4 | 2]) + _counted(body)


def unsubscribe(id_: int, topics: Sequence[str], *, v5: bool) -> bytes:
    """UNSUBSCRIBE [3.10]."""
    body = id_.to_bytes(2, "big") + (b"\0" if v5 else b"") + b"".join(map(_string, topics))
    return bytes([_UNSUBSCRIBE << 4 | 2]) + _counted(body)


def acknowledge(kind: int, id_: int) -> bytes:
    """PUBACK, PUBREC or PUBCOMP, that all is well [3.4, 3.5, 3.7]."""
    return bytes([kind << 4, 2]) + id_.to_bytes(2, "big")


PING = bytes([_PINGREQ << 4, 0])
LEAVE = bytes([DISCONNECT << 4, 0])


def _string(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _counted(data: bytes) -> bytes:
    """The data with its length as a number of variable size before it."""
    head, rest = bytearray(), len(data)
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        head.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes(head) + data
