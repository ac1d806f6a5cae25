"""The surge detector: measured on made-up seasons, and over real events."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import UTC, datetime
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cordwood.core.alerting.run import Run
from cordwood.detectors.series import Point
from cordwood.detectors.series.reading import Reader
from cordwood.detectors.surge import Surge, SurgeConfig
from cordwood.detectors.surge.season import Season, Settings
from cordwood.plugins import Finding, QueryError
from cordwood.plugins.conformance import detector_contract
from pydantic import ValidationError

from tests.detectors.seasons import BIN_S, Made, made

SECOND = 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
T0 = 1_769_860_800 * SECOND  # 2026-01-31T12:00:00Z, a Saturday
TUNED, TESTED = range(12), range(200, 224)  # seeds: what the constants were chosen on, and what they are measured on
QUIET = range(300, 312)
DAY = 86_400 // BIN_S
SOON = 3  # bins behind trouble that still belong to it

test_contract = detector_contract(Surge, {"by": ["service"]}, groups=None)


def episodes(series: Made, **settings: Any) -> list[tuple[int, int, str]]:
    """(first bin, last bin, direction) of what the detector finds in the days that are judged."""
    config = SurgeConfig(
        bin=f"{BIN_S}s", window="30m", timezone=series.zone, holidays=list(series.holidays), **settings
    )
    season = Season(Settings.of(config))
    found: list[tuple[int, int, str]] = []
    for row, (second, count) in enumerate(zip(series.seconds, series.counts, strict=True)):
        verdict = season.step(Point(second, float(count)))
        if verdict is None or row < series.judged:
            continue
        if found and row - found[-1][1] <= 6 and found[-1][2] == verdict.direction:
            found[-1] = (found[-1][0], row, verdict.direction)
        else:
            found.append((row, row, verdict.direction))
    return found


def kind(series: Made, first: int, last: int, direction: str) -> str:
    return "surge" if direction == "up" else "drop" if any(series.counts[first : last + 1]) else "gap"


def test_what_the_seeds_hold() -> None:
    """Every kind of season and of trouble is in what is measured."""
    for seeds in (TUNED, TESTED):
        some = [made(seed) for seed in seeds]
        kinds = Counter(kind(series, *span) for series in some for span in series.trouble)
        assert min(kinds[name] for name in ("surge", "drop", "gap")) >= 10
        judged = [
            [datetime.fromtimestamp(at, series.zone) for at in series.seconds[series.judged :]] for series in some
        ]
        assert sum(len({moment.utcoffset() for moment in moments}) == 2 for moments in judged) >= len(some) / 2
        held = [{moment.date() for moment in moments} for moments in judged]
        assert sum(not days.isdisjoint(series.holidays) for days, series in zip(held, some, strict=True)) >= 10
        weekly, trend, daily = [], [], []
        for series in (made(seed, trouble=False) for seed in seeds):
            days = [sum(series.counts[at : at + DAY]) for at in range(0, len(series.counts), DAY)]
            weekdays = [datetime.fromtimestamp(at, series.zone).weekday() for at in series.seconds[DAY // 2 :: DAY]]
            means = [fmean(n for n, day in zip(days, weekdays, strict=True) if (day >= 5) == end) for end in (0, 1)]
            weekly.append(means[1] / means[0])
            trend.append(sum(days[-7:]) / sum(days[:7]))
            hours = [sum(series.counts[at::DAY]) for at in range(DAY)]
            daily.append(max(hours) / max(1, min(hours)))
        assert min(daily) > 1.5
        assert min(weekly) < 0.6 < 0.9 < max(weekly)
        assert min(trend) < 0.8 < 1.2 < max(trend)


SPECIAL = pytest.mark.parametrize(
    "special",
    [{}, {"outages": True}, {"closed": True}, {"outages": True, "closed": True}],
    ids=["usual", "outages in what was learned", "closed on weekends", "both"],
)


@SPECIAL
def test_precision_and_recall(special: dict[str, bool], capsys: pytest.CaptureFixture[str]) -> None:
    hit, trouble = Counter[str](), Counter[str]()
    wrong, late = 0, list[int]()
    for seed in TESTED:
        series = made(seed, **special)
        found = episodes(series)
        for first, last, direction in series.trouble:
            hits = [one[0] for one in found if one[0] <= last and one[1] >= first and one[2] == direction]
            name = kind(series, first, last, direction)
            trouble[name], hit[name] = trouble[name] + 1, hit[name] + bool(hits)
            late += [max(0, hits[0] - first)] if hits else []
        wrong += sum(
            not any(one[0] <= last + SOON and one[1] >= first for first, last, _ in series.trouble) for one in found
        )
    precision, recall = hit.total() / (hit.total() + wrong), hit.total() / trouble.total()
    kinds = ", ".join(f"{hit[name]} of {trouble[name]} {name}s" for name in ("surge", "drop", "gap"))
    with capsys.disabled():
        print(
            f"\nsurge: {len(TESTED)} series of 30 days, {' and '.join(special) or 'usual'} (seeds {TESTED[0]} to "
            f"{TESTED[-1]}; tuned on {TUNED[0]} to {TUNED[-1]}): precision {precision:.3f}, recall {recall:.3f}: "
            f"{kinds}, {wrong} false, found after {1 + sum(late) / len(late):.2f} bins of {BIN_S} s"
        )
    assert precision >= 0.95
    assert recall >= 0.95


@SPECIAL
def test_false_alarms(special: dict[str, bool], capsys: pytest.CaptureFixture[str]) -> None:
    counts = [len(episodes(made(seed, trouble=False, **special))) for seed in QUIET]
    with capsys.disabled():
        print(
            f"\nsurge: {sum(counts)} false alarms in {len(counts)} quiet series of 30 days, "
            f"{' and '.join(special) or 'usual'}, {max(counts)} at most"
        )
    assert max(counts) <= 1


def season(**settings: Any) -> Season:
    return Season(Settings.of(SurgeConfig(bin="1h", window="3h", **settings)))


def hours(begin: datetime, count: int) -> range:
    first = int(begin.timestamp())
    return range(first, first + count * 3600, 3600)


def test_the_days_of_23_and_25_hours() -> None:
    """A job at eight in the morning, local time, is no surprise on the days after the clocks change."""
    zone = ZoneInfo("Europe/Berlin")
    for begin in (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)):
        local, utc = season(timezone=zone), season()
        told: dict[str, list[int]] = {"local": [], "utc": []}
        for second in hours(begin, 24 * 45):
            count = 400.0 if datetime.fromtimestamp(second, zone).hour == 8 else 100.0
            for name, model in (("local", local), ("utc", utc)):
                if model.step(Point(second, count)):
                    told[name].append(second)
        assert told["local"] == []
        assert told["utc"]


def test_a_new_series_and_a_sparse_one() -> None:
    new, sparse = season(), season()
    for number, second in enumerate(hours(datetime(2026, 1, 5, tzinfo=UTC), 47)):
        assert new.step(Point(second, 1000.0 if number % 7 == 3 else 10.0)) is None  # it has not shown a day twice
    for number, second in enumerate(hours(datetime(2026, 1, 5, tzinfo=UTC), 24 * 40)):
        assert sparse.step(Point(second, 3.0 if number % 50 == 0 else 0.0)) is None
    verdict = sparse.step(Point(second + 3600, 30.0))
    assert verdict is not None
    assert verdict.direction == "up"


def test_a_level_that_stays_is_the_new_usual() -> None:
    model = season(adapt="6h")
    span = list(hours(datetime(2026, 1, 5, tzinfo=UTC), 24 * 40))
    told = [row for row, second in enumerate(span) if model.step(Point(second, 100.0 if row < 600 else 300.0))]
    assert told == list(range(600, 606))


def test_a_source_that_was_off_comes_back_to_its_season() -> None:
    """Five days without an event are told for `adapt`, and not what comes after them."""
    model = season(adapt="6h")
    span = list(hours(datetime(2026, 1, 5, tzinfo=UTC), 24 * 60))
    usual = [100.0 + 60 * (second // 3600 % 24 in (9, 10, 11)) for second in span]
    told = [
        row
        for row, second in enumerate(span)
        if model.step(Point(second, 0.0 if 600 <= row < 720 else usual[row])) is not None
    ]
    assert told == list(range(600, 606))
    # At another level it is told, until that is the usual one.
    model = season(adapt="6h")
    counts = [0.0 if 600 <= row < 720 else usual[row] * (3 if row >= 720 else 1) for row in range(len(span))]
    told = [row for row, second in enumerate(span) if model.step(Point(second, counts[row])) is not None]
    assert told == [*range(600, 606), *range(720, 726)]


@pytest.mark.parametrize(("first", "told"), [(0, [1]), (4, [5, 6])], ids=["from the first", "later"])
def test_what_comes_back_every_week_is_usual(first: int, told: list[int]) -> None:
    """A job on Wednesdays, or a day off: news once or twice, then a part of the season. One of another size is news."""
    model, weeks = season(), set()
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    for row, second in enumerate(hours(begin, 24 * 7 * 12)):
        week, hour = divmod(row, 168)
        count = 100.0 if week < first or hour not in (50, 51) else 2000.0
        if week == 11:
            count = 9000.0 if hour == 50 else 100.0
        if model.step(Point(second, count)) is not None:
            weeks.add(week + 1)
    assert sorted(weeks) == [*told, 12]


@pytest.mark.parametrize(("direction", "told"), [("up", [300.0]), ("down", [5.0]), ("both", [300.0, 5.0])])
def test_directions(direction: str, told: list[float]) -> None:
    model = season(direction=direction)
    found = []
    for row, second in enumerate(hours(datetime(2026, 1, 5, tzinfo=UTC), 24 * 20)):
        count = {400: 300.0, 420: 5.0}.get(row, 100.0)
        verdict = model.step(Point(second, count))
        if verdict:
            found.append(verdict.value)
            assert not verdict.lower <= count <= verdict.upper
            assert verdict.lower <= 100 <= verdict.upper
    assert found == told


def test_a_state_that_is_none() -> None:
    settings = Settings.of(SurgeConfig())
    for state in ([], [1, 2], "no", (*season().dump()[:3], [0.0], *season().dump()[4:])):
        with pytest.raises(ValueError, match="no season"):
            Season(settings, state)


@pytest.mark.parametrize(
    "wrong",
    [{"bin": "7m"}, {"bin": "1s"}, {"bin": "2d"}, {"window": "5m"}, {"memory": "10m"}, {"sensitivity": 0},
     {"min_count": 0}, {"timezone": "Mars/Olympus"}, {"direction": "sideways"}, {"holidays": ["soon"]}],
    ids=str,
)  # fmt: skip
def test_settings_that_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SurgeConfig(**wrong)


class Looks:
    """Runs a detector as alerting does: what it keeps is there the next time."""

    def __init__(self, judge: Any) -> None:
        self.judge, self.learned = judge, None

    async def look(self, detector: Surge, at_ns: int) -> list[Finding]:
        run = await self.judge.look("orders", at_ns, self.learned)
        found = await detector.detect(run)
        self.learned = run.learned
        return found


async def days_of_orders(judge: Any, until_ns: int, days: int = 8) -> None:
    """20 orders of a shop in each half hour, 3 of another."""
    events = [
        {"message": "order", "service": service, "host": f"h{i % 2}", "timestamp": begin + i * SECOND}
        for begin in range(until_ns - days * 24 * HOUR, until_ns, 30 * MINUTE)
        for service, count in (("shop", 20), ("kiosk", 3))
        for i in range(count)
    ]
    await judge.commit(*events)


def surge(count: int, begin: int, host: str = "h1") -> list[dict[str, Any]]:
    return [
        {"message": "order", "service": "shop", "host": host, "timestamp": begin + i * SECOND} for i in range(count)
    ]


DETECTOR = Surge(SurgeConfig(query="order", by=["service"], bin="30m", window="1h", grace="1h", explain=["host"]))


@pytest.mark.anyio
async def test_a_surge_in_real_events(judge: Any) -> None:
    await days_of_orders(judge, T0)
    looks = Looks(judge)
    assert await looks.look(DETECTOR, T0) == []
    await judge.commit(*surge(20, T0, "h0"), *surge(100, T0 + 60 * SECOND))
    assert await looks.look(DETECTOR, T0 + 29 * MINUTE) == []  # the bin is not over
    (found,) = await looks.look(DETECTOR, T0 + 30 * MINUTE)
    assert found.group == {"service": "shop"}
    assert found.title.startswith("orders: count() 120 in 30m, ")
    assert found.title.endswith("expected, for service shop")
    assert found.sample_query == 'order service="shop"'
    values = found.values
    assert (values["value"], values["direction"], values["at"]) == (120.0, "up", "2026-01-31T12:00:00Z")
    assert 18 < values["expected"] < 22  # type: ignore[operator]
    assert values["lower"] < 20 < values["upper"] < 120  # type: ignore[operator]
    assert values["causes"][0] == {"field": "host", "is": "h1", "value": 100.0, "before": 10.0}  # type: ignore[index]
    assert [one.group for one in await looks.look(DETECTOR, T0 + 89 * MINUTE)] == [{"service": "shop"}]
    # The window has passed; and nothing came since, which is a drop.
    (later,) = await looks.look(DETECTOR, T0 + 120 * MINUTE)
    assert (later.values["direction"], later.values["value"]) == ("down", 0.0)


@pytest.mark.anyio
async def test_late_events_change_their_bin_and_not_what_was_learned(judge: Any) -> None:
    await days_of_orders(judge, T0)
    looks = Looks(judge)
    (gap,) = await looks.look(DETECTOR, T0 + 30 * MINUTE)
    assert gap.values["direction"] == "down"
    before = looks.learned
    await judge.commit(*surge(20, T0))
    assert await looks.look(DETECTOR, T0 + 31 * MINUTE) == []
    assert looks.learned == before
    await judge.commit(*surge(100, T0 + 2 * MINUTE))
    (late,) = await looks.look(DETECTOR, T0 + 40 * MINUTE)
    assert late.values["value"] == 120.0


@pytest.mark.anyio
async def test_what_was_learned_is_read_no_more(judge: Any) -> None:
    """A run asks for the bins since the last settled one; one at a time gives what all at once gives."""
    await days_of_orders(judge, T0)
    looks, asked = Looks(judge), []
    for minutes in range(0, 241, 30):
        await looks.look(DETECTOR, T0 - 240 * MINUTE + minutes * MINUTE)
    stepwise = looks.learned

    class Asks(Run):
        async def query(self, text: str, *, from_ns: int, to_ns: int) -> list[dict[str, Any]]:
            asked.append((to_ns - from_ns) // MINUTE)
            return await super().query(text, from_ns=from_ns, to_ns=to_ns)

    await DETECTOR.detect(await judge.look("orders", T0, stepwise, Asks))
    assert asked == [60]
    looks.learned = None
    await looks.look(DETECTOR, T0)
    # The first learned from where its memory began, four hours earlier, where there was nothing.
    assert looks.learned == stepwise


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("why", "at", "settings"),
    [
        pytest.param("of other settings", T0, {"bin": "15m"}, id="settings"),
        pytest.param("of another time", T0 - 9 * HOUR, {}, id="clock"),
        pytest.param("of another time", T0 + 30 * 24 * HOUR, {}, id="long ago"),
    ],
)
async def test_it_learns_anew(
    judge: Any, caplog: pytest.LogCaptureFixture, why: str, at: int, settings: dict[str, Any]
) -> None:
    looks = Looks(judge)
    await judge.commit(*surge(3, T0 - HOUR))
    await looks.look(DETECTOR, T0)
    with caplog.at_level(logging.WARNING):
        await looks.look(Surge(SurgeConfig(**DETECTOR.config.model_dump() | settings)), at)
    assert why in caplog.text


@pytest.mark.anyio
async def test_a_run_reads_so_much_and_the_next_goes_on(judge: Any) -> None:
    """Where one answer has no room for all rows it asks for less at a time, and no bin is read in part or twice."""
    begin = T0 - 200 * MINUTE
    await judge.commit(
        *({"message": "x", "host": f"h{i % 60}", "timestamp": begin + i * SECOND} for i in range(12_000))
    )
    reader, run = Reader("x", "count()", ["host"], MINUTE), await judge.look("orders", T0)
    at, parts, bins = begin, 0, {}
    while at < T0:
        came, read = await reader.read(run, at, T0, 1, queries=5)
        assert came % MINUTE == 0
        assert not bins.keys() & read.keys()
        at, parts, bins = came, parts + 1, bins | read
    assert parts > 1
    assert len(bins) == 200
    assert all(values == {f'["h{i}"]': 1.0 for i in range(60)} for values in bins.values())


@pytest.mark.anyio
async def test_queries_that_are_refused(judge: Any) -> None:
    with pytest.raises(QueryError, match="aggregates"):
        await judge.found(Surge(SurgeConfig(query="order | stats count()")))
