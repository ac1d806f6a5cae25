"""The logs of a Kubernetes node's pods: `/var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log`.

    sources:
      pods: {type: kubernetes, host: "${NODE_NAME}", exclude: ["/var/log/pods/logging_*/**"]}

It is the source `file` that reads what container runtimes write, and needs no right in the cluster but to read these
files. Formats: Kubernetes, "CRI logging" and kubelet's rotation (`0.log.20260131-120000.gz`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from pydantic import Field

from ..plugins import Batch, Need, Outlet, Source, hookimpl, now_ns, parse_times, split_lines
from .file import FileConfig, follow_files
from .file.needs import files_readable
from .pieces import joined

UNFINISHED: Final = "kubernetes: the line is longer than 1 MiB, or its end did not come; it was cut here"
FOREIGN: Final = "kubernetes: it is no line of a container's log"
_LINE = r"^(\S{20,40}) (stdout|stderr) ([PF])(?::\S*)?(?: ((?s:.*)))?$"
_PIECE = re.compile(rb"(?m)^\S{20,40} (?:stdout|stderr) P")
_TAGS = re.compile(rb"(?m)^\S{20,40} (stdout|stderr) ([PF])[^\n]*\n")
_PATH = re.compile(
    r"/(?P<namespace>[^/_]+)_(?P<pod>[^/_]+)_(?P<uid>[^/_]+)/(?P<container>[^/]+)/(?P<restart>\d{1,9})\.log[^/]*$"
)


class KubernetesConfig(FileConfig):
    """Settings of a source of a node's pods."""

    include: tuple[str, ...] = Field(("/var/log/pods/*/*/*.log*",), min_length=1)
    """Globs of the files to follow; a part of the path chooses namespaces, pods or containers."""


class Kubernetes(Source[KubernetesConfig]):
    """Follow the logs of a node's pods: lines put together from their pieces, with time, stream, pod and container."""

    def needs(self) -> Sequence[Need]:
        """The files that its globs find."""
        return files_readable(self.config.include, self.config.exclude)

    async def run(self, outlet: Outlet) -> None:
        """Follow until cancelled.

        :raises RetryableError: the store did not answer at the start
        """
        await follow_files(outlet, self.config, ContainerLog())


class ContainerLog:
    """`2026-01-31T12:00:00.123456789Z stdout F the line`; `P` for `F`: the line goes on in this stream's next."""

    def whole(self, lines: bytes) -> int:
        """Bytes after which no line is unfinished."""
        if not _PIECE.search(lines):
            return len(lines)
        unfinished: set[bytes] = set()
        end = 0
        for found in _TAGS.finditer(lines):
            (unfinished.add if found[2] == b"P" else unfinished.discard)(found[1])
            if not unfinished:
                end = found.end()
        return end

    def read(self, lines: bytes, path: str, host: str, encoding: str) -> Batch:
        """The events of whole lines."""
        raw = split_lines(lines, encoding)
        parts = raw.to_frame("raw").select(pl.col("raw").str.extract_groups(_LINE).alias("p"), "raw").unnest("p")
        times = parse_times(parts["1"])
        ours = pl.Series(times.is_not_null())
        records = parts.select(
            pl.col("2").fill_null("").alias("stream"),
            times.alias("time"),
            pl.when(ours).then(pl.col("4").fill_null("")).otherwise("raw").alias("text"),
            pl.when(ours).then(pl.col("3") == "F").otherwise(statement=True).alias("ends"),
        )
        at = pl.lit(now_ns(), dtype=pl.Int64).cast(pl.Datetime("ns"))
        wrong = pl.when(pl.col("time").is_null()).then(pl.lit(FOREIGN)).when(~pl.col("ends")).then(pl.lit(UNFINISHED))
        known = pl.when(pl.col("time").is_not_null()).then("stream")
        frame = joined(records).select(
            pl.coalesce("time", at).alias("timestamp"),
            at.alias("observed_timestamp"),
            pl.lit(host).alias("host"),
            pl.col("text").alias("message"),
            wrong.alias("parse_error"),
            known.alias("log.iostream"),
            **{name: pl.lit(value) for name, value in path_fields(path).items()},
        )
        return Batch.of(frame.filter(pl.col("message") != ""))


def path_fields(path: str) -> Mapping[str, str | int]:
    """What the path says: namespace, pod, container, and how often it was restarted. The container is the service.

    >>> path_fields("/var/log/pods/shop_cart-7d4b9_0af7/web/2.log")["k8s.pod.name"]
    'cart-7d4b9'
    """
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    found = _PATH.search(shown)
    if found is None:
        return {"log.file.path": shown}
    return {
        "log.file.path": shown,
        "service": found["container"],
        "k8s.namespace.name": found["namespace"],
        "k8s.pod.name": found["pod"],
        "k8s.pod.uid": found["uid"],
        "k8s.container.name": found["container"],
        "k8s.container.restart_count": int(found["restart"]),
    }


@hookimpl
def cordwood_plugins() -> list[type[Source[Any]]]:
    """The source of a node's pods."""
    return [Kubernetes]
