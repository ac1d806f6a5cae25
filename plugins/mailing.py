"""Notifiers that can also write to one person, whose address is not in their settings."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeVar

from .base import Notifier, PluginConfig

C = TypeVar("C", bound=PluginConfig)


@dataclass(frozen=True, slots=True)
class Letter:
    """Words for one person, in plain text."""

    to: str
    """The address, as somebody typed it: check it before it becomes a header or a command."""
    subject: str
    text: str


class Mailer(Notifier[C]):
    """A notifier that writes to one person too: `sign_in.mail` may name it."""

    @abstractmethod
    async def write_to(self, letter: Letter) -> str:
        """Deliver a letter once, to its address alone; returns what the other side answered, in a few words.

        :raises RetryableError: not delivered, it may be later
        :raises RejectedError: the other side will never take it, or this is no address
        :raises FatalError: it refuses us until an operator acts
        """
