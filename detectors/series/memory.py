"""What a detector keeps from run to run: msgpack of plain numbers and texts, which runs nothing when it is read."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol, TypeVar

import msgspec

from ...plugins import DetectorConfig

OUTSIDE = {
    *("every", "resolve_after", "notify", "severity", "window", "explain"),
    *("depends_on", "depends_by", "depends_for"),
}
"""Settings that the models do not depend on: a change of them forgets nothing."""


class Kept(msgspec.Struct, array_like=True, frozen=True):
    """The models as they are once all bins before `until_ns` are settled."""

    made_by: str
    """The detector, its release of the models, and a digest of the settings that they depend on."""
    until_ns: int
    series: list[tuple[str, int, Any]]
    """(group, when it last had an event in nanoseconds, the model's state)."""
    recent: list[tuple[int, str, tuple[float, float, float, float, float, dict[str, Any]]]]
    """Settled bins that were out of the way and lie within the window: (begin, group, the verdict)."""


def maker(kind: str, version: int, config: DetectorConfig) -> str:
    """What stands for a detector's kind, the version of its models, and its settings."""
    settings = config.model_dump(mode="json", exclude=OUTSIDE)
    digest = hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()
    return f"{kind}/{version}/{digest[:16]}"


Memory = TypeVar("Memory", bound="Made")


class Made(Protocol):
    """What a detector keeps, of any shape."""

    @property
    def made_by(self) -> str:
        """What `maker` gave."""


def pack(kept: msgspec.Struct) -> bytes:
    """The bytes to keep, with a digest: half of a model must not judge."""
    data = msgspec.msgpack.encode(kept)
    return hashlib.sha256(data).digest()[:8] + data


def unpack(data: bytes | None, made_by: str, kind: type[Memory]) -> Memory | str | None:
    """What was kept; None: nothing; a text: why it is of no use."""
    if data is None:
        return None
    if hashlib.sha256(data[8:]).digest()[:8] != data[:8]:
        return "what it learned is damaged"
    try:
        kept = msgspec.msgpack.decode(data[8:], type=kind)
    except msgspec.MsgspecError:
        return "what it learned is of another release"
    return kept if kept.made_by == made_by else "what it learned is of another release or of other settings"
