"""Five hundred detectors while events come in: from a commit to its notification, and what they cost.

250 `match`, of which none finds anything but the events sent for it; 200 `threshold`, half of them over a fifth of the
traffic each (20 searches with five conditions each) and half over what never comes; 25 `absence` and 25 `ratio`. The
same load runs twice, without and with detectors: the difference of CPU seconds is theirs. Times count from the
acknowledgement of an event's post, after its commit, to the arrival of the webhook's request at this process.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from pathlib import Path
from typing import Any, Final

from . import steady
from .server import Server
from .usage import cpu_seconds

MATCHES, THRESHOLDS, OTHERS = 250, 200, 25
MATCH_EVERY, STEP_SECONDS = "1s", 10
FULL_SECONDS: Final = 15
PROBE_SECONDS: Final = 1.0  # one event for a match detector so often; one in ten is a burst for a threshold
_WORDS: Final = (
    "refused",
    "declined",
    "expired",
    "corrupt",
    "denied",
    "overflow",
    "deadlock",
    "panic",
    "stalled",
    "lost",
)


def config(hook: str) -> str:
    """The YAML of a server with the detectors; the webhook's address is `hook`."""
    found: dict[str, dict[str, Any]] = {}
    for i in range(MATCHES):
        phrase = f'"{_WORDS[i % len(_WORDS)]} {i}x"'
        search = (phrase, f"service:svc{i % 40} severity>=error {phrase}", f"code=never{i}")[i % 3]
        often = {"window": "5s", "every": MATCH_EVERY, "resolve_after": "0s"}
        found[f"match{i}"] = {"type": "match", "query": search, "by": ["run"], "notify": ["hook"], **often}
    for i in range(THRESHOLDS):
        search = f"service:svc{i % 20}" if i < THRESHOLDS // 2 else f"service:svc{i % 40} code=never{i}"
        query = f'{search} | stats count() as n, countif(probe="t{i % 20}") as m by run'
        often = {"window": "1m", "every": f"{STEP_SECONDS}s", "notify": ["hook"] if i < 20 else []}
        found[f"threshold{i}"] = {"type": "threshold", "query": query, "condition": f"m > {4 + i // 20}", **often}
    for i in range(OTHERS):
        search = f"service:svc{i}"
        found[f"absence{i}"] = {"type": "absence", "query": search, "window": "5m", "every": "1m"}
        found[f"ratio{i}"] = {"type": "ratio", "query": search, "bad": "status >= 500", "above": 50, "every": "1m"}
    return json.dumps({"version": 1, "detectors": found, "notifiers": {"hook": {"type": "webhook", "url": hook}}})


class Hook:
    """A webhook's other side: notes when the first notification of each run came."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if told["event"] == "opened":
                    hook.arrived.setdefault(str(told["group"].get("run")), time.perf_counter())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def _trouble(number: int) -> tuple[str, list[dict[str, str]]]:
    """The name of a run and its events: one for a match, or for every tenth as many as a threshold needs."""
    if number % 10 == 9:
        which = number // 10 % 20
        run = f"threshold-{number}"
        return run, [{"probe": f"t{which}", "run": run, "service": f"svc{which}", "message": "probe"}] * 5
    which, run = number * 7 % MATCHES, f"match-{number}"
    event = {"service": f"svc{which % 40}", "code": f"never{which}", "severity": "ERROR", "run": run}
    return run, [event | {"message": f"{_WORDS[which % len(_WORDS)]} {which}x"}]


def _probe(server: Server, seconds: float, sent: dict[str, float]) -> None:
    """Post the events of trouble; when each was acknowledged."""
    began = time.perf_counter()
    for number in range(int(seconds / PROBE_SECONDS)):
        time.sleep(max(0.0, began + number * PROBE_SECONDS - time.perf_counter()))
        run, events = _trouble(number)
        server.post(events)
        sent[run] = time.perf_counter()


def full_speed(folder: Path) -> float:
    """Events a second that a server without detectors takes in, and merges meanwhile."""
    folder.mkdir(mode=0o755, parents=True)
    with Server(folder, config="version: 1\n") as server:
        done = steady.told(steady.started(server.port, 0, FULL_SECONDS))
    return done["acknowledged"] / done["wall_s"]


def run(folder: Path, *, rate: int | None = None, seconds: int = 40) -> dict[str, Any]:
    """The figures. `rate`: events a second; None: half of what is taken in at full speed.

    :raises RuntimeError: trouble was not told
    """
    hook = Hook()
    rate = rate or round(full_speed(folder / "full") / 2)
    costs, posted = {}, {}
    sent: dict[str, float] = {}
    for name, text in (("without", "version: 1\n"), ("with", config(hook.url))):
        own = folder / name
        own.mkdir(mode=0o755, parents=True)
        with Server(own, config=text) as server:
            time.sleep(5)  # every detector has looked once
            sent.clear()
            before = cpu_seconds(server.family())
            sender = steady.started(server.port, rate, seconds)
            _probe(server, seconds, sent)
            posted[name] = steady.told(sender)["acknowledged"]
            after = cpu_seconds(server.family())
            costs[name] = {who: after[who] - before[who] for who in before}
            deadline = time.perf_counter() + STEP_SECONDS + 10
            while name == "with" and time.perf_counter() < deadline and not sent.keys() <= hook.arrived.keys():
                time.sleep(0.1)
    missing = sent.keys() - hook.arrived.keys()
    if missing:
        raise RuntimeError(f"never told: {sorted(missing)}")
    late = {key: max(0.0, hook.arrived[key] - at) for key, at in sent.items()}
    return {
        "detectors": MATCHES + THRESHOLDS + 2 * OTHERS,
        "rate": rate,
        "events_a_second": posted["with"] / seconds,
        "match_seconds": _percentiles([value for key, value in late.items() if key[0] == "m"]),
        "threshold_seconds": _percentiles([value for key, value in late.items() if key[0] == "t"]),
        "threshold_step_seconds": STEP_SECONDS,
        "cpu_s": costs,
        "cores": (costs["with"]["total"] - costs["without"]["total"] * posted["with"] / posted["without"]) / seconds,
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {name: ordered[min(len(ordered) - 1, int(part * len(ordered)))]
            for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}  # fmt: skip


def report(figures: dict[str, Any]) -> str:
    """The figures for people."""
    match, threshold = figures["match_seconds"], figures["threshold_seconds"]
    without, beside = (figures["cpu_s"][name] for name in ("without", "with"))
    return (
        f"{figures['detectors']} detectors at {figures['events_a_second']:,.0f} events a second of "
        f"{figures['rate']:,} wanted: {figures['cores']:.2f} cores "
        f"(CPU {without['total']:.1f} s without, {beside['total']:.1f} s with)\n"
        f"  match, commit to notification      {match['p50']:.2f} s median, {match['p99']:.2f} s p99\n"
        f"  threshold, every {figures['threshold_step_seconds']} s             "
        f"{threshold['p50']:.2f} s median, {threshold['max']:.2f} s at most"
    )
