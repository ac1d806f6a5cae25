"""The anomaly detector on the given half of the Numenta Anomaly Benchmark, and the benchmark's scoring itself.

One set of settings, the detector's defaults, for all series; it sees one value after the other and no name. A detection
is the opening of an incident. The one thing that a series says of itself is its `bin`: the distance of its times.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from cordwood.detectors.anomaly import AnomalyConfig
from cordwood.detectors.anomaly.watch import Settings, Watch
from cordwood.detectors.series import Point

from tests.detectors import nab

PUBLISHED = {  # standard, reward low FP, reward low FN; the whole corpus, from NAB's README
    "ARTime": (74.9, 65.1, 80.4),
    "Numenta HTM": (70.5, 62.6, 75.2),
    "CAD OSE": (69.9, 67.0, 73.2),
    "earthgecko Skyline": (58.2, 46.2, 63.9),
    "KNN CAD": (58.0, 43.4, 64.8),
    "Relative Entropy": (54.6, 47.6, 58.8),
    "Random Cut Forest": (51.7, 38.4, 59.7),
    "Twitter ADVec": (47.1, 33.6, 53.5),
    "Windowed Gaussian": (39.6, 20.9, 47.4),
    "Etsy Skyline": (35.7, 27.1, 44.5),
    "Bayesian Changepoint": (17.7, 3.2, 32.2),
    "EXPoSE": (16.4, 3.2, 26.9),
    "Random": (11.0, 1.2, 19.5),
}
# Standard profile on these very series: the sums of the rows that NAB publishes for each file, normalised.
PUBLISHED_HERE = {"ARTime": 75.0, "CAD OSE": 70.1}
FEW = ("artificialWithAnomaly/art_daily_jumpsdown.csv", "realAdExchange/exchange-3_cpc_results.csv",
       "realAWSCloudwatch/grok_asg_anomaly.csv", "realTraffic/occupancy_t4013.csv")  # fmt: skip


@pytest.fixture(scope="module")
def corpus(nab_data: Path) -> list[nab.Series]:
    return nab.load(nab_data)


def anomalies(series: nab.Series) -> list[int]:
    """Rows at which the detector opens an incident."""
    bin_s = round(statistics.median(late - early for early, late in pairwise(series.seconds[:200])))
    usual = Settings.of(AnomalyConfig())
    settings = Settings(bin_s, max(usual.window_s, 2 * bin_s), usual.rest_s, usual.sensitivity)
    points = [Point(*row) for row in zip(series.seconds, series.values, strict=True)]
    opened, last = [], -math.inf
    for row, verdict in enumerate(Watch(settings).steps(points)):
        if verdict is not None:
            if series.seconds[row] - last >= settings.window_s:
                opened.append(row)
            last = series.seconds[row]
    return opened


def gaussian(series: nab.Series, window: int, bound: float) -> list[int]:
    """Rows whose value is far out in a normal distribution fitted to the `window` values before, as NAB's detector."""
    far: list[int] = []
    total = squares = 0.0
    for row, value in enumerate(series.values):
        if row:
            count = min(row, window)
            mean = total / count
            deviation = math.sqrt(max(0.0, squares / count - mean * mean)) or 1e-6
            if 1 - 0.5 * math.erfc(abs(value - mean) / deviation / 1.4142) >= bound:
                far.append(row)
        total, squares = total + value, squares + value * value
        if row >= window:
            gone = series.values[row - window]
            total, squares = total - gone, squares - gone * gone
    return far


def test_silence_scores_0_and_the_best_100(corpus: list[nab.Series]) -> None:
    assert len(corpus) == 29
    assert sum(len(series.windows) for series in corpus) == 61
    for profile in nab.PROFILES:
        silent: dict[str, Sequence[int]] = {series.name: [] for series in corpus}
        best = {series.name: [first for first, _ in series.windows] for series in corpus}
        assert nab.scores(corpus, silent, profile) == 0
        assert nab.scores(corpus, best, profile) == pytest.approx(100)


def test_hits_misses_and_false_alarms_by_hand() -> None:
    series = nab.Series("x/y.csv", tuple(range(1000)), (0.0,) * 1000, ((500, 599), (800, 809)))
    assert series.probation == 150
    half_way = nab.sigmoid(-0.5) / nab.sigmoid(-1)
    behind = nab.sigmoid(50 / 99)
    for profile, weight, miss in ((nab.STANDARD, 0.11, 1), (nab.LOW_FP, 0.22, 1), (nab.LOW_FN, 0.11, 2)):
        assert nab.score(series, [149], profile) == -2 * miss  # on probation
        assert nab.score(series, [200], profile) == pytest.approx(-2 * miss - weight)
        assert nab.score(series, [550, 560, 599], profile) == pytest.approx(half_way - miss)
        assert nab.score(series, [649, 500, 800], profile) == pytest.approx(2 + behind * weight)
        assert nab.score(series, [990], profile) == pytest.approx(-2 * miss - weight)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("realAdExchange/exchange-3_cpc_results.csv", 2.5026632611866138),
        ("realAdExchange/exchange-4_cpc_results.csv", 0.2922884634276035),
        ("realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv", -0.13844919792440225),
    ],
)
def test_rows_that_nab_published(corpus: list[nab.Series], name: str, published: float) -> None:
    """NAB's own windowed Gaussian detector, recomputed: the score of the file in NAB's results."""
    (series,) = (one for one in corpus if one.name == name)
    assert nab.score(series, gaussian(series, 6_400, 1.0), nab.STANDARD) == pytest.approx(published, abs=1e-9)


@pytest.mark.parametrize("name", FEW)
def test_no_look_ahead_and_no_name(corpus: list[nab.Series], name: str) -> None:
    """What is told of a value stays the same without all that comes after it, and under another name."""
    (series,) = (one for one in corpus if one.name == name)
    whole = anomalies(series)
    for share in (0.5, 0.75):
        cut = int(share * len(series.values))
        begun = nab.Series("another/name.csv", series.seconds[:cut], series.values[:cut], ())
        assert anomalies(begun) == [row for row in whole if row < cut]
    # The last thing that it told, with nothing but that very value known.
    last = whole[-1] + 1
    assert anomalies(nab.Series("", series.seconds[:last], series.values[:last], ())) == whole


def test_four_of_the_series(corpus: list[nab.Series]) -> None:
    """Nine windows of all kinds: spikes, a missing peak, shifts of the level. The whole is run by `make soak`."""
    few = [series for series in corpus if series.name in FEW]
    found = {series.name: anomalies(series) for series in few}
    assert nab.scores(few, found, nab.STANDARD) >= 80


@pytest.mark.soak
def test_the_score(corpus: list[nab.Series], capsys: pytest.CaptureFixture[str]) -> None:
    detectors: dict[str, Callable[[nab.Series], Sequence[int]]] = {
        "anomaly": anomalies,
        "z-score of 6,400 values": lambda series: gaussian(series, 6_400, 1.0),
    }
    found = {name: {series.name: detect(series) for series in corpus} for name, detect in detectors.items()}
    lines = [f"{'':26}" + "".join(f"{profile.name:>16}" for profile in nab.PROFILES)]
    for name, rows in found.items():
        figures = "".join(f"{nab.scores(corpus, rows, profile):16.1f}" for profile in nab.PROFILES)
        lines.append(f"{name:26}{figures}")
    for name, rows in found.items():
        lines.append(f"the groups of {name}:")
        quiet = sum(len(rows[series.name]) for series in corpus if not series.windows)
        lines.append(f"  without any window: {quiet} false alarms")
        for group in sorted({series.group for series in corpus if series.windows}):
            part = [series for series in corpus if series.group == group]
            figures = "".join(f"{nab.scores(part, rows, profile):16.1f}" for profile in nab.PROFILES)
            lines.append(f"  {group:24}{figures}")
    lines.append("published for these series:")
    lines += [f"  {name:24}{figure:16.1f}" for name, figure in PUBLISHED_HERE.items()]
    lines.append("published for the whole corpus:")
    lines += [f"  {name:24}" + "".join(f"{figure:16.1f}" for figure in row) for name, row in PUBLISHED.items()]
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert nab.scores(corpus, found["anomaly"], nab.STANDARD) >= 70
