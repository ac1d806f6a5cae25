"""Addresses to listen at, as settings write them: `0.0.0.0:514`, `[::1]:601`."""

from __future__ import annotations

import errno
import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from ...plugins import FatalError, RetryableError

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:\[\]]+)):(\d{1,5})")
_PASSING = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ENOMEM, errno.ENOBUFS, errno.EMFILE, errno.ENFILE)


def host_port(text: str) -> tuple[str, int]:
    """Host and port of an address.

    >>> host_port("127.0.0.1:601"), host_port("[::1]:601")
    (('127.0.0.1', 601), ('::1', 601))

    :raises ValueError: it is none
    """
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or not 0 < int(found[3]) < 65536:
        raise ValueError(f"{text!r} is no address; write HOST:PORT, such as 0.0.0.0:514 or [::]:514")
    return found[1] or found[2], int(found[3])


def _checked(text: str) -> str:
    host_port(text)
    return text


Address: TypeAlias = Annotated[str, AfterValidator(_checked)]
"""An address to listen at: host and port."""


def no_listener(where: str, why: OSError) -> RetryableError | FatalError:
    """The error for an address where nobody can listen: somebody may leave it, but a right will not come by waiting."""
    said = f"cannot listen at {where}: {why.strerror or why}"
    if why.errno in _PASSING or why.errno is None:
        return RetryableError(f"{said}; is another program there?" if why.errno == errno.EADDRINUSE else said)
    if why.errno == errno.EACCES:
        said += "; ports below 1024 and some folders need the right to (CAP_NET_BIND_SERVICE), or take another"
    return FatalError(said)
