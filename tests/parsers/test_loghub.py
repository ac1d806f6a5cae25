"""Real logs: Loghub samples of eight systems, by the pipelines that ship, by `auto`, and by a pattern and a layout as
their users would write them.

The samples lie beside the repository, in `shared/data`, or where CORDWOOD_TEST_DATA says: they are no part of it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from cordwood.cli.examples import failures
from cordwood.core.runtime import load_checked
from cordwood.core.runtime.pipeline import RunningPipeline
from cordwood.parsers.auto import Auto, AutoConfig
from cordwood.parsers.regex import Regex, RegexConfig
from cordwood.parsers.timestamp import Timestamp, TimestampConfig
from cordwood.plugins import Batch, load_plugins, split_lines

LOGHUB = Path(os.environ.get("CORDWOOD_TEST_DATA", Path(__file__).parents[3] / "shared" / "data")) / "loghub"
ARRIVAL = 1_768_471_200_000_000_000
needs_loghub = pytest.mark.skipif(not LOGHUB.is_dir(), reason=f"the Loghub samples are missing: put them into {LOGHUB}")

SYSTEMS = {
    "Apache": (r"^\[(?P<time>[^\]]+)\] \[(?P<level>\w+)\] (?P<msg>.*)$", "%a %b %d %H:%M:%S %Y"),
    "Android": (
        r"^(?P<time>\S+ \S+) +(?P<pid>\d+) +(?P<tid>\d+) (?P<level>[VDIWEF]) (?P<tag>.*?) *: (?P<msg>.*)$",
        "%m-%d %H:%M:%S.%f",
    ),
    "HDFS": (r"^(?P<time>\d{6} \d{6}) (?P<pid>\d+) (?P<level>\w+) (?P<component>\S+): (?P<msg>.*)$", "%y%m%d %H%M%S"),
    "Hadoop": (
        r"^(?P<time>\S+ \S+) (?P<level>[A-Z]+) \[(?P<thread>.*?)\] (?P<component>\S+): (?P<msg>.*)$",
        "%Y-%m-%d %H:%M:%S,%f",
    ),
    "Linux": (
        r"^(?P<time>\w{3} +\d+ [\d:]+) (?P<host>\S+) (?P<component>.*?)(?:\[(?P<pid>\d+)\])?: (?P<msg>.*)$",
        "%b %d %H:%M:%S",
    ),
    "OpenSSH": (r"^(?P<time>\w{3} +\d+ [\d:]+) (?P<host>\S+) sshd\[(?P<pid>\d+)\]: (?P<msg>.*)$", "%b %d %H:%M:%S"),
    "OpenStack": (
        r"^(?P<file>\S+) (?P<time>\S+ \S+) (?P<pid>\d+) (?P<level>\w+) (?P<part>\S+) \[(?P<request>.*?)\] (?P<msg>.*)$",
        "%Y-%m-%d %H:%M:%S.%f",
    ),
    "Zookeeper": (
        r"^(?P<time>\S+ \S+) - (?P<level>\w+) +\[(?P<thread>.*):(?P<component>[^:@]*)@(?P<line>\d+)\] - (?P<msg>.*)$",
        "%Y-%m-%d %H:%M:%S,%f",
    ),
}


@needs_loghub
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_line_is_understood(system: str) -> None:
    pattern, layout = SYSTEMS[system]
    lines, truth = sample(system)
    batch = Regex(RegexConfig(pattern=pattern)).parse(lines)
    batch = Timestamp(TimestampConfig(field="time", format=layout, drop=True)).parse(batch)
    assert len(batch) == len(truth) == 2000
    failed = batch.frame.filter(pl.col("parse_error").is_not_null()).select("message", "parse_error")
    assert failed.rows() == []
    assert batch.frame["message"].str.strip_chars().to_list() == truth["Content"].str.strip_chars().to_list()
    assert batch.frame["timestamp"].dt.epoch("ns").ne(ARRIVAL).all()
    if "level" in pattern:
        assert batch.frame["severity"].null_count() == 0


SHIPPED = Path(__file__).parents[2] / "config" / "examples" / "loghub"

# OpenTelemetry, Logs Data Model, appendix B: SeverityNumber of the words that these systems use.
NUMBERS = {"V": 1, "D": 5, "I": 9, "W": 13, "E": 17, "F": 21, "INFO": 9, "notice": 10, "WARN": 13, "WARNING": 13,
           "ERROR": 17, "error": 17, "FATAL": 21}  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """How the columns of Loghub's table are called in events: `{Level}` is a column of the table, the rest is text."""

    format: str
    time: str
    layout: str
    fields: Mapping[str, str]
    """A field of the event, or several with text between them: what the table has for it."""
    level: str = ""


TRUTHS = {
    "Android": Truth(
        "logcat",
        "{Date} {Time}",
        "%m-%d %H:%M:%S.%f",
        {"{log.logger}": "{Component}", "{process.pid}": "{Pid}", "{thread.id}": "{Tid}"},
        "Level",
    ),
    "Apache": Truth("apache_error", "{Time}", "%a %b %d %H:%M:%S %Y", {}, "Level"),
    "HDFS": Truth(
        "log4j", "{Date} {Time}", "%y%m%d %H%M%S", {"{log.logger}": "{Component}", "{process.pid}": "{Pid}"}, "Level"
    ),
    "Hadoop": Truth(
        "log4j",
        "{Date} {Time}",
        "%Y-%m-%d %H:%M:%S,%f",
        {"{log.logger}": "{Component}", "{thread.name}": "{Process}"},
        "Level",
    ),
    "Linux": Truth(
        "syslog",
        "{Month} {Date} {Time}",
        "%b %d %H:%M:%S",
        {"{service}": "{Component}", "{host}": "{Level}", "{syslog.procid}": "{PID}"},
    ),
    "OpenSSH": Truth(
        "sshd", "{Date} {Day} {Time}", "%b %d %H:%M:%S", {"{host}": "{Component}", "{process.pid}": "{Pid}"}
    ),
    "OpenStack": Truth(
        "oslo",
        "{Date} {Time}",
        "%Y-%m-%d %H:%M:%S.%f",
        {"{log.logger}": "{Component}", "{process.pid}": "{Pid}", "{log.file.name}": "{Logrecord}"},
        "Level",
    ),
    # The table parts thread and class at the first colon, which is one of the thread's own.
    "Zookeeper": Truth(
        "log4j",
        "{Date} {Time}",
        "%Y-%m-%d %H:%M:%S,%f",
        {"{thread.name}:{log.logger}": "{Node}:{Component}", "{code.line.number}": "{Id}"},
        "Level",
    ),
}


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_tests_in_a_shipped_pipeline_pass(file: Path) -> None:
    registry = load_plugins()
    config = load_checked(file, registry)
    (pipeline,) = config.pipelines.values()
    assert pipeline.tests
    assert [failures(pipeline, case, config, registry) for case in pipeline.tests] == [[] for _ in pipeline.tests]


def filled(template: str, frame: pl.DataFrame) -> pl.Series:
    """The template with each `{column}` of the frame; what a row has not is nothing."""
    names = [part.partition("}")[0] for part in template.split("{")[1:]]
    pattern = "".join("{}" + part.partition("}")[2] for part in template.split("{")[1:])
    return frame.select(t=pl.format(pattern, *(pl.col(name).cast(pl.String).fill_null("") for name in names)))["t"]


def true_times(truth: Truth, table: pl.DataFrame) -> pl.Series:
    """The times as Python reads them. Without a year: the last such day before the arrival, 2026-01-15."""
    times = []
    for text in filled(truth.time, table):
        if "%Y" in truth.layout or "%y" in truth.layout:
            times.append(datetime.strptime(text, truth.layout))  # noqa: DTZ007
        else:
            times.append(datetime.strptime(f"2025 {text}", f"%Y {truth.layout}"))  # noqa: DTZ007
    return pl.Series(times, dtype=pl.Datetime("ns"))


@needs_loghub
@pytest.mark.parametrize("system", TRUTHS)
def test_the_shipped_pipeline_agrees_with_the_table(system: str) -> None:
    truth = TRUTHS[system]
    registry = load_plugins()
    config = load_checked(SHIPPED / f"{system.lower()}.yaml", registry)
    (pipeline,) = config.pipelines.values()
    batch, table = sample(system)
    frame = RunningPipeline(pipeline, registry).apply(batch, system.lower()).frame
    agrees = {
        "timestamp": frame["timestamp"] == true_times(truth, table),
        "message": frame["message"].str.strip_chars() == table["Content"].fill_null("").str.strip_chars(),
    }
    for field, column in truth.fields.items():
        agrees[field] = filled(field, frame) == filled(column, table)
    if truth.level:
        agrees["severity"] = frame["severity"] == table[truth.level].replace_strict(
            NUMBERS, default=None, return_dtype=pl.UInt8
        )
    every = pl.DataFrame(agrees).select(pl.all_horizontal(pl.all().fill_null(value=False))).to_series()
    shares = {name: float(column.fill_null(value=False).mean()) for name, column in agrees.items()}  # type: ignore[arg-type]
    print(
        f"{system}: {every.mean():.2%} of {len(every)} rows agree:",
        ", ".join(f"{n} {s:.2%}" for n, s in shares.items()),
    )
    assert every.mean() >= 0.99, shares


@needs_loghub
def test_auto_names_the_format_of_each() -> None:
    """All eight in one batch, told apart by their services."""
    frames = []
    for system in TRUTHS:
        batch, _ = sample(system)
        frames.append(batch.frame.with_columns(service=pl.lit(system)))
    parsed = Auto(AutoConfig()).parse(Batch(pl.concat(frames))).frame
    systems = pl.Series([system for system in TRUTHS for _ in range(2000)])
    named = parsed.select(system=systems, format=pl.col("log.format")).unique().sort("system")
    assert named.rows() == sorted((system, truth.format) for system, truth in TRUTHS.items())
    assert parsed["parse_error"].null_count() == 16_000


def sample(system: str) -> tuple[Batch, pl.DataFrame]:
    """The lines of a system, and the table of what stands in them."""
    lines = split_lines((LOGHUB / system / f"{system}_2k.log").read_bytes())
    table = pl.read_csv(LOGHUB / system / f"{system}_2k.log_structured.csv", infer_schema=False)
    return Batch.from_lines(lines, observed=ARRIVAL), table
