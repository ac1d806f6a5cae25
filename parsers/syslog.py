"""Lines as syslog daemons write them into `/var/log`, and as they come over the network: RFC 3164 and RFC 5424.

    parse: [{type: syslog}]

    Jan 31 12:00:00 web-1 sshd[24200]: Server listening on 0.0.0.0 port 22.
    2026-01-31T12:00:00.123456+01:00 web-1 kernel: device eth0 left promiscuous mode

Source: RFC 3164, RFC 5424, and what rsyslog and syslog-ng write. The program is the `service`, its process
`syslog.procid`, as with the source `syslog`.
"""

from __future__ import annotations

import polars as pl

from ..plugins import Batch, Parser, hookimpl
from ..plugins.syslog import syslog_events
from .forms import ZonedConfig, share

_STARTS = (
    r"^(?:<[0-9]{1,3}>)?(?:[1-9][0-9]? )?(?:[*.]?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] "
    r"(?:[0-9]{4} )?[0-9:]{8}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})) [A-Za-z0-9._:-]+ \S"
)
_LIKELY = 0.9  # what its lines tell: those of sshd and others are of a format of their own


class Syslog(Parser[ZonedConfig]):
    """Take time, host, program, process, priority and structured data from a line of syslog."""

    def parse(self, batch: Batch) -> Batch:
        """A line with neither a priority nor a time gets a `parse_error`; one with a wrong part keeps what is right."""
        given = batch.frame["message"]
        text = given.str.strip_chars_end("\r\n\0")
        filled = text.fill_null("")
        none = pl.repeat(None, len(batch), dtype=pl.String, eager=True)
        if not len(batch):
            return batch
        found = syslog_events(
            pl.DataFrame({"text": filled, "seen": batch.frame["observed_timestamp"], "peer": none, "flaw": none}),
            self.config.timezone,
        )
        error = found["parse_error"].set(given.is_null(), None)
        where = given.is_not_null() & error.is_null()
        return batch.merged(Batch.of(found.drop("parse_error")), where=where, error=error)

    @classmethod
    def detect(cls, messages: pl.Series) -> float:
        """The share of lines with a time and a host, a little less than those of one program's format."""
        return _LIKELY * share(messages, _STARTS)


@hookimpl
def cordwood_plugins() -> list[type[Syslog]]:
    """The syslog parser."""
    return [Syslog]
