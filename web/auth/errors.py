"""What can be wrong with a change of accounts, tokens or projects. `status` is what the API answers."""

from __future__ import annotations

from typing import ClassVar

from ...plugins import CordwoodError


class AccountError(CordwoodError):
    """An account, a token or a project cannot be made or changed so; the message says why."""

    status: ClassVar[int] = 400


class NoSuchError(AccountError):
    """There is no such account, token or project, or it is another project's."""

    status = 404


class ConflictError(AccountError):
    """It would be right, but not as things are: it exists already, or it is the last administrator."""

    status = 409
