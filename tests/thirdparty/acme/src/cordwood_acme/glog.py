"""glog and klog lines: `E0314 15:09:26.535897 1234 server.go:42] connection refused`.

Every Kubernetes component writes them. Format: google/glog, "Log Line Prefix".
"""

from zoneinfo import ZoneInfo

import polars as pl
from cordwood.plugins import Batch, Parser, PluginConfig, hookimpl, utc_time

CORDWOOD_API = "1.0"
LINE = r"^([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{6}) +(\d+) ([^:\]]+):\d+\] ((?s:.*))$"
SEVERITY = {"I": 9, "W": 13, "E": 17, "F": 21}  # OpenTelemetry SeverityNumber


class GlogConfig(PluginConfig):
    timezone: ZoneInfo = ZoneInfo("UTC")
    """Zone of the writer's clock: the lines do not say."""


class Glog(Parser[GlogConfig]):
    """Take severity, time, thread and file from the prefix of a glog line."""

    type = "acme_glog"

    def parse(self, batch: Batch) -> Batch:
        """Return the same rows in the same order; timestamps are UTC nanoseconds."""
        letter, clock, thread, file, text = (pl.col("message").str.extract(LINE, i) for i in range(1, 6))
        seen = pl.col("observed_timestamp")

        def in_year(year: pl.Expr) -> pl.Expr:
            return utc_time(pl.format("{}{}", year, clock), "%Y%m%d %H:%M:%S%.f", self.config.timezone)

        # The prefix has no year: a December line read in January is from last year.
        this_year, last_year = in_year(seen.dt.year()), in_year(seen.dt.year() - 1)
        time = pl.when(this_year > seen + pl.duration(days=1)).then(last_year).otherwise(this_year)
        severity = letter.replace_strict(SEVERITY, default=None)
        columns = {
            "timestamp": time,
            "severity": severity,
            "thread.id": thread,
            "code.file.path": file,
            "message": text,
        }
        return batch.parsed(columns, where=time.is_not_null(), error="glog: no prefix or no such date")


@hookimpl
def cordwood_plugins() -> list[type[Parser]]:
    return [Glog]
