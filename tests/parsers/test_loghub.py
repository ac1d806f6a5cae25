"""Real logs: Loghub samples of eight systems, each by a pattern and a layout as their users would write them.

The samples lie beside the repository, in `shared/data/loghub`; they are not part of it.
"""

from pathlib import Path

import polars as pl
import pytest
from cordwood.parsers.regex import Regex, RegexConfig
from cordwood.parsers.timestamp import Timestamp, TimestampConfig
from cordwood.plugins import Batch, split_lines

LOGHUB = Path(__file__).parents[3] / "shared" / "data" / "loghub"
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
    lines = split_lines((LOGHUB / system / f"{system}_2k.log").read_bytes())
    truth = pl.read_csv(LOGHUB / system / f"{system}_2k.log_structured.csv", infer_schema=False)
    batch = Regex(RegexConfig(pattern=pattern)).parse(Batch.from_lines(lines, observed=ARRIVAL))
    batch = Timestamp(TimestampConfig(field="time", format=layout, drop=True)).parse(batch)
    assert len(batch) == len(truth) == 2000
    failed = batch.frame.filter(pl.col("parse_error").is_not_null()).select("message", "parse_error")
    assert failed.rows() == []
    assert batch.frame["message"].str.strip_chars().to_list() == truth["Content"].str.strip_chars().to_list()
    assert batch.frame["timestamp"].dt.epoch("ns").ne(ARRIVAL).all()
    if "level" in pattern:
        assert batch.frame["severity"].null_count() == 0
