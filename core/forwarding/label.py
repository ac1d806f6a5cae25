"""An output's name in the key of a lot."""

from __future__ import annotations

import hashlib
import re

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def label(name: str) -> str:
    """The name for a key, in which each sign may stand in a header and in a file's name; no two names have the same.

    >>> label("lake-2"), label("lager süd")
    ('lake-2', 'lager_s_d_e1c8c4b2')
    """
    plain = _UNSAFE.sub("_", name)
    return plain if plain == name else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
