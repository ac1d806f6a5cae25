"""Golden cases: `<parser>/<case>/{config.yaml,input.log,expected.ndjson}`. `before:` in a config is an earlier step.

Events arrive at 2026-01-15T10:00:00Z. To write the expected events anew, and then read them: UPDATE_CASES=1 pytest …
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from cordwood.plugins import Batch, Parser, load_plugins, split_lines

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/config.yaml"))
ARRIVAL = 1768471200_000_000_000


def parser(settings: dict[str, Any]) -> Parser[Any]:
    cls = load_plugins().get("parser", settings["type"])
    made = cls(cls.config_model.model_validate({name: value for name, value in settings.items() if name != "type"}))
    assert isinstance(made, Parser)
    return made


@pytest.mark.parametrize("case", CASES, ids=[f"{path.parent.name}/{path.name}" for path in CASES])
def test_case(case: Path) -> None:
    settings = {"type": case.parent.name} | yaml.safe_load((case / "config.yaml").read_text())
    steps = [before] if (before := settings.pop("before", None)) else []
    batch = Batch.from_lines(split_lines((case / "input.log").read_bytes()), observed=ARRIVAL)
    rows = len(batch)
    for step in [*steps, settings]:
        batch = parser(step).parse(batch)
    assert len(batch) == rows
    events = [event for event in batch.events() if event.pop("observed_timestamp")]
    expected = case / "expected.ndjson"
    if os.environ.get("UPDATE_CASES"):
        expected.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events))
    assert events == [json.loads(line) for line in expected.read_text().splitlines()]


def test_of_many_pairs_in_a_message_the_first_are_taken() -> None:
    line = " ".join(f"k{n}=1" for n in range(5_000))
    (event,) = parser({"type": "logfmt"}).parse(Batch.from_lines([line])).events()
    assert (event["k0"], event["k900"], "k1000" in event, event["message"]) == (1, 1, False, line)
