"""`cordwood audit`: whether the audit log is as it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DataDir
from .user import with_database

if TYPE_CHECKING:
    import asyncpg

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})", re.ASCII)
group = typer.Typer(help="The audit log.", no_args_is_help=True)


@group.callback()
def audit() -> None:
    """The audit log."""


@group.command(epilog="Example: cordwood audit verify")
def verify(
    head: Annotated[
        str | None,
        typer.Option(metavar="SEQ:HASH", help="What an earlier run printed: that entry must still be there."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Compute the chain of hashes again; exit 1 where an entry was changed, taken out or slipped in.

    Print the last entry as SEQ:HASH. Keep it elsewhere: with it, a log that was cut short or written anew is found out.
    """
    from ..core.storage.audit import check_audit
    from .exits import InputError

    known = None if head is None else _HEAD.fullmatch(head.strip().lower())
    if head is not None and known is None:
        raise InputError("--head: write what `cordwood audit verify` printed, as 42:9f86d0…")

    async def check(pool: asyncpg.Pool[Any]) -> Any:
        return await check_audit(pool, None if known is None else (int(known[1]), known[2]))

    found = with_database(check, data_dir)
    if found.faults:
        raise InputError("the audit log is not as it was written: " + "; ".join(found.faults))
    print(f"{found.seq}:{found.hash}" if found.entries else "the audit log is empty")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="audit")
