"""What OpenSSH's server says: who logged in, who failed, from where.

    parse: [{type: sshd}]

    Dec 10 06:55:46 lab sshd[24200]: Failed password for invalid user ada from 173.234.31.186 port 38926 ssh2

Source: OpenSSH, `auth.c`, `auth2.c`, `packet.c`, `sshd.c`. A line may come with or without the head that syslog puts
before it. What is no login, such as `Server listening …`, has the fields of the head alone.
"""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

import polars as pl

from ..plugins import Batch, hookimpl, normalise
from .forms import Form, FormParser
from .regex import typed

_HEAD = (
    r"^(?:<[0-9]{1,3}>)?"
    r"(?P<timestamp>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,]+(?:Z|[+-][0-9:]{5})) "
    r"(?P<host>\S+) (?P<service>sshd(?:-session|-auth)?)\[(?P<process.pid>[0-9]+)\]: (?P<message>(?s:.*))$"
)
_FROM = r"(?P<client.ip>[0-9A-Fa-f.:]+|UNKNOWN)(?: port (?P<client.port>[0-9]+))?"
_USER = r"(?P<ssh.invalid_user>(?:invalid|illegal) user )?(?P<user>\S*?)"
_ACTIONS = (
    (
        rf"^(?P<event.action>Accepted|Failed|Postponed|Partial) "
        rf"(?P<ssh.method>\S+) for {_USER} from {_FROM}(?: ssh2?)?(?:: (?P<ssh.key>[^\n]*))?.*$"
    ),
    rf"^(?P<event.action>Invalid) user (?P<user>[^\n]*?) from {_FROM}$",
    (
        r"^(?P<event.action>Received) disconnect from (?P<client.ip>[0-9A-Fa-f.:]+?)(?: port "
        r"(?P<client.port>[0-9]+))?: ?[0-9]+: (?P<ssh.reason>[^\n]*)$"
    ),
    (
        rf"^(?P<event.action>Connection) (?:closed|reset) by (?:"
        rf"(?P<ssh.invalid_user>invalid|authenticating) user (?P<user>\S*) )?{_FROM}(?: \[preauth\])?$"
    ),
    (
        rf"^(?P<event.action>Disconnected) from (?:(?:(?P<ssh.invalid_user>invalid)|authenticating)? ?user "
        rf"(?P<user>\S*) )?{_FROM}(?: \[preauth\])?$"
    ),
    rf"^(?:error: )?(?P<event.action>maximum) authentication attempts exceeded for {_USER} from {_FROM}.*$",
    (
        r"^pam_unix\(sshd:(?P<ssh.pam>[a-z]+)\): "
        r"(?P<event.action>authentication failure|session opened|session closed)(?:;.*?rhost="
        r"(?P<client.ip>[0-9A-Fa-f.:]+)(?:  ?user=(?P<user>\S+))?| for user (?P<user_of>[^( \n]+).*)?\s*$"
    ),
    rf"^(?P<event.action>Did not receive identification) string from {_FROM}.*$",
    r"^(?P<event.action>reverse mapping) checking getaddrinfo for \S+ \[(?P<client.ip>[0-9A-Fa-f.:]+)\] failed.*$",
)
_NAMES = {
    "Accepted": "login", "Failed": "login_failed", "Postponed": "login_postponed", "Partial": "login_partial",
    "Invalid": "invalid_user", "Received": "disconnect", "Connection": "disconnect", "Disconnected": "disconnect",
    "maximum": "too_many_attempts", "authentication failure": "login_failed", "session opened": "session_opened",
    "session closed": "session_closed", "Did not receive identification": "no_identification",
    "reverse mapping": "break_in_attempt",
}  # fmt: skip
_WARNED = ("login_failed", "invalid_user", "too_many_attempts", "break_in_attempt")


class Sshd(FormParser):
    """Take action, user, method, client address and port from a line of OpenSSH's server.

    `event.action` is login, login_failed, invalid_user, disconnect, session_opened and so on; severity is WARN for what
    failed, else INFO, where the line comes with no severity of its own.
    """

    what = "sshd"
    forms = (
        Form.of(_HEAD, "%b %d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", kinds={"process.pid": "int"}),
    )
    actions: ClassVar = tuple(Form.of(action) for action in _ACTIONS)

    def parse(self, batch: Batch) -> Batch:
        """A line with neither the head, nor one of the known messages, nor `service` sshd gets a `parse_error`."""
        given = batch.frame["message"]
        headed = given.str.contains(_HEAD).fill_null(value=False)
        if headed.any():
            bare = Batch(batch.frame.with_columns(given.set(~headed, None)))
            read = super().parse(bare).frame
            batch = Batch.of(read.with_columns(read["message"].zip_with(headed, given)))
        return _with_actions(batch, headed, self.actions)


def _with_actions(batch: Batch, headed: pl.Series, actions: tuple[Form, ...]) -> Batch:
    """The events with what their messages say."""
    message = batch.frame["message"]
    left, found = message, pl.DataFrame({"user": pl.repeat(None, len(batch), dtype=pl.String, eager=True)})
    for form in actions:
        groups, mine = form.groups(left)
        if mine.any():
            left = left.set(mine, None)
            found = found.with_columns(
                column if column.name not in found.columns else column.zip_with(mine, found[column.name])
                for column in groups
            )
    understood = message.is_not_null() & left.is_null()
    if "event.action" in found.columns:
        if "user_of" in found.columns:
            found = found.with_columns(user=pl.coalesce("user", "user_of")).drop("user_of")
        if "ssh.invalid_user" in found.columns:
            bad = pl.col("ssh.invalid_user").str.contains("invalid|illegal")
            found = found.with_columns(pl.when(bad).then(pl.lit(value=True)).alias("ssh.invalid_user"))
        action = pl.col("event.action").replace_strict(_NAMES, default=None, return_dtype=pl.String)
        found = found.with_columns(action)
        found = found.with_columns(
            severity=pl.when(batch.frame["severity"].is_null() & pl.col("event.action").is_not_null()).then(
                pl.when(pl.col("event.action").is_in(_WARNED)).then(pl.lit("13")).otherwise(pl.lit("9"))
            )
        )
    known = headed | batch.frame["service"].str.starts_with("sshd").fill_null(value=False)
    error = pl.select(pl.when(~known & message.is_not_null()).then(pl.lit("sshd: no line of sshd"))).to_series()
    read = normalise(typed(found, {"client.port": "int"}), None, zone=ZoneInfo("UTC"))
    return batch.merged(read, where=understood, error=error)


@hookimpl
def cordwood_plugins() -> list[type[Sshd]]:
    """The parser of OpenSSH's server."""
    return [Sshd]
