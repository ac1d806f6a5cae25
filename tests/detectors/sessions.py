"""Made-up sessions of a distributed file system, with labels: the way of a block through HDFS.

The lines are those of Loghub's HDFS sample. A block is allocated, received by three nodes, acknowledged, entered; some
are read, verified, replicated, deleted. A `share` is in trouble: a node never answers, a write is tried over and
over, a block is deleted before it is complete, it is never entered, a line comes that is in no other. Harmless
blocks have warnings too, and half of the trouble has none, as in the labelled log (Xu et al., 2009).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

TROUBLES = ("no answer", "retries", "deleted early", "not entered", "unknown line", "cut off")


@dataclass(frozen=True, slots=True)
class Made:
    """A session: (nanoseconds after its begin, severity, message) in the order of time; `trouble`: "" if harmless."""

    name: str
    lines: tuple[tuple[int, str, str], ...]
    trouble: str


def sessions(seed: int, count: int, share: float = 0.03) -> Iterator[Made]:
    """As many sessions; the same for the same seed."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        trouble = str(random.choice(TROUBLES)) if random.random() < share else ""
        yield _session(random, trouble)


def _session(random: Any, trouble: str) -> Made:
    block = f"blk_{random.integers(10**15, 10**18)}"
    nodes = [f"10.{random.integers(250, 252)}.{random.integers(1, 20)}.{random.integers(1, 250)}" for _ in range(3)]
    answers = {"no answer": int(random.integers(1, 3)), "cut off": 0}
    answering = nodes[: answers.get(trouble, 3)]
    lines: list[tuple[float, str, str]] = []
    clock = 0.0

    def say(text: str, severity: str = "info", after: float = 0.05) -> None:
        nonlocal clock
        clock += float(random.exponential(after))
        lines.append((clock, severity, text))

    part = random.integers(100, 999)
    say(f"BLOCK* NameSystem.allocateBlock: /user/root/rand{random.integers(9)}/part-00{part}. {block}")
    tries = int(random.integers(4, 9)) if trouble == "retries" else 1
    for node in nodes:
        for _ in range(tries):
            say(f"Receiving block {block} src: /{node}:{random.integers(30000, 60000)} dest: /{node}:50010")
    early = trouble == "deleted early"
    if early:
        say(f"BLOCK* NameSystem.delete: {block} is added to invalidSet of {nodes[0]}:50010")
        say(f"Deleting block {block} file /mnt/hadoop/dfs/data/current/{block}")
    for number, node in enumerate(answering):
        both = [
            f"Received block {block} of size 67108864 from /{node}",
            f"PacketResponder {number} for block {block} terminating",
        ]
        if random.random() < 0.2:
            both.reverse()
        for text in both:
            say(text)
        if trouble != "not entered":
            say(f"BLOCK* NameSystem.addStoredBlock: blockMap updated: {node}:50010 is added to {block} size 67108864")
    if trouble == "unknown line":
        say(f"Unexpected checksum of {block} in replica {nodes[0]}:50010, it is marked as corrupt", after=1.0)
    if answering and not early:
        _later(random, say, block, nodes)
    if trouble and random.random() < 0.5:
        say(f"{nodes[0]}:50010:Got exception while serving {block} to /{nodes[1]}:", "error")
    return Made(block, tuple((int(at * 1e9), severity, text) for at, severity, text in lines), trouble)


def _later(random: Any, say: Any, block: str, nodes: list[str]) -> None:
    """What may happen to a block that is complete."""
    for _ in range(int(random.geometric(0.6)) - 1):
        say(f"{nodes[0]}:50010 Served block {block} to /{nodes[int(random.integers(3))]}", after=2.0)
        if random.random() < 0.06:  # a reader that went away
            say(f"{nodes[0]}:50010:Got exception while serving {block} to /{nodes[2]}:", "error")
    if random.random() < 0.3:
        say(f"Verification succeeded for {block}", after=2.0)
    if random.random() < 0.04:
        say(f"BLOCK* ask {nodes[0]}:50010 to replicate {block} to datanode(s) {nodes[1]}:50010", after=2.0)
        say(f"{nodes[0]}:50010 Starting thread to transfer block {block} to {nodes[1]}:50010")
        say(f"Received block {block} src: /{nodes[0]}:50010 dest: /{nodes[1]}:50010 of size 67108864", after=1.0)
    if random.random() < 0.25:
        for node in nodes:
            say(f"BLOCK* NameSystem.delete: {block} is added to invalidSet of {node}:50010", after=0.5)
        for _ in nodes:
            say(f"Deleting block {block} file /mnt/hadoop/dfs/data/current/{block}", after=0.5)
