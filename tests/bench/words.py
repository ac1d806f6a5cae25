"""The words of the benchmark's corpus: services, message templates and the values in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


SERVICES: Final = _split(
    "frontend gateway checkout payment inventory catalog search recommend cart account auth session "
    "mailer billing scheduler thumbnailer warehouse telemetry kubelet postgres"
)

LEVELS: Final = {"debug": 0.09, "info": 0.77, "warn": 0.09, "error": 0.045, "fatal": 0.005}
"""Share of each level among all events."""

_TEMPLATES_PER_SERVICE = 20


@dataclass(frozen=True, slots=True)
class Template:
    """A message: literal, slot, literal, … (one literal more than slots); literals are JSON text inside quotes."""

    service: str
    level: str
    request: bool
    literals: tuple[str, ...]
    slots: tuple[str, ...]


# What is said, by level; <slot> is a variable part, {thing} and {deed} are words fixed in a template.
_REQUESTS = (
    "GET <path> served in <ms> for <ip> by {thing}",
    "request <hex> completed: {thing} answered <int> bytes after <ms>",
    "POST <path> from <ip>, user <user> is {deed} {thing} <id>",
    "{deed} {thing} <id> for user <user> took <ms> in region {region}",
    "upstream {thing} replied to <path> within <ms>, cache {cache}",
)
_SENTENCES = {
    "debug": (
        "entering {deed} step <int> of {thing}, buffer holds <int> items, <size>",
        "cache {cache} for key {thing}:<id> after <ms>, generation <int>",
        "connection <int> to {thing} pool borrowed by thread <hex>, <int> idle",
        "lock on {thing} <id> released after <ms> by owner <hex>",
    ),
    "info": (
        "{thing} <id> {done} by user <user> after <int> steps, total <money> EUR",
        "finished {deed} <int> {thing} records in <ms>",
        "session for user <user> opened from <ip>, agent <version>",
        "scheduled {thing} job <uuid>, next run in <int> s",
        "published <int> messages to topic {thing}.{deed} at offset <id>",
        "health probe of {thing} passed: <int> of <int> replicas ready, lag <ms>",
        "reloaded {thing} configuration, revision <hex>, <int> keys changed",
    ),
    "warn": (
        "slow {deed} of {thing} <id>: <ms> exceeds the budget, retry <int> follows",
        "{thing} queue depth <int> is above the watermark, consumers are {deed} at <int> per second",
        "client <ip> sent too many requests for {thing}, throttled for <int> s",
        'deprecated field "{thing}_ref" used by agent version <version> from <ip>',
    ),
    "error": (
        "failed {deed} {thing} <id>: connection refused by <ip>:<int> after <int> attempts",
        "timeout while {deed} {thing} for user <user>: no answer within <ms>, request <uuid>",
        "payment declined for order <id>: issuer {region} answered code <int> for amount <money>",
        "unhandled exception in {thing} handler: KeyError '<word>' at /srv/app/{deed}.py line <int>",
    ),
    "fatal": (
        "{thing} process <int> killed: out of memory at <size>, last request <uuid>",
        "cannot open {thing} store at /var/lib/{thing}/<int>: no space left on device, quorum lost",
    ),
}
_WORDS = {
    "thing": _split(
        "order invoice basket shipment voucher coupon profile avatar thumbnail product variant price "
        "stock ledger refund receipt address wishlist banner campaign segment replica shard index "
        "snapshot tenant quota webhook"
    ),
    "deed": _split(
        "resolving loading storing validating encoding indexing reserving releasing charging merging "
        "syncing pruning rendering dispatching compacting importing exporting archiving"
    ),
    "done": _split("created updated confirmed cancelled shipped archived reopened priced merged approved"),
    "region": _split("eu-central eu-west us-east us-west ap-south sa-east af-south"),
    "cache": _split("hit miss stale bypass"),
}
_RARE = _split("quetzal wombat zeitgeist kerfuffle sassafras xylophone gossamer bumblebee")


def templates(rng: np.random.Generator) -> list[Template]:
    """Some 400 templates, 20 a service: the levels of each service are mixed as a program's log statements are."""
    found = []
    for service in SERVICES:
        for n in range(_TEMPLATES_PER_SERVICE):
            level = ("debug", "info", "info", "info", "info", "info", "warn", "warn", "error", "fatal")[n % 10]
            request = level in ("info", "error") and n % 5 in (1, 3)
            choice = _REQUESTS if request and level == "info" else _SENTENCES[level]
            found.append(_template(service, level, request, choice[rng.integers(len(choice))], rng))
    return found


def _template(service: str, level: str, request: bool, sentence: str, rng: np.random.Generator) -> Template:
    for word, choices in _WORDS.items():
        while f"{{{word}}}" in sentence:
            sentence = sentence.replace(f"{{{word}}}", choices[rng.integers(len(choices))], 1)
    pieces = re.split(r"<(\w+)>", sentence)
    literals = tuple(json.dumps(piece)[1:-1] for piece in pieces[::2])
    return Template(service, level, request, literals, tuple(pieces[1::2]))


def paths() -> list[str]:
    """Forty request paths, the frequent ones first."""
    verbs = ["list", "view", "add", "remove", "search", "export", "history", "status"]
    return [f"/api/v{1 + i % 2}/{_WORDS['thing'][i % 14]}/{verbs[i % 8]}" for i in range(40)]


def pool(kind: str, size: int, rng: np.random.Generator) -> list[str]:
    """`size` values of a kind of variable part (fewer where there are not so many)."""
    return SLOTS[kind](size, rng)


def _numbers(low: int, high: int, form: str) -> Callable[[int, np.random.Generator], list[str]]:
    def draw(size: int, rng: np.random.Generator) -> list[str]:
        return [form.format(n) for n in rng.integers(low, high, size).tolist()]

    return draw


def _decimals(mean: float, spread: float, form: str) -> Callable[[int, np.random.Generator], list[str]]:
    def draw(size: int, rng: np.random.Generator) -> list[str]:
        return [form.format(x) for x in rng.lognormal(mean, spread, size).tolist()]

    return draw


def _ips(size: int, rng: np.random.Generator) -> list[str]:
    return [f"10.{a}.{b}.{c}" for a, b, c in rng.integers(0, 256, (min(size, 5000), 3)).tolist()]


def _hexes(digits: int) -> Callable[[int, np.random.Generator], list[str]]:
    def draw(size: int, rng: np.random.Generator) -> list[str]:
        text = rng.bytes(size * digits // 2).hex()
        return [text[i : i + digits] for i in range(0, len(text), digits)]

    return draw


def _uuids(size: int, rng: np.random.Generator) -> list[str]:
    return [f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in _hexes(32)(size, rng)]


def _paths_with_ids(size: int, rng: np.random.Generator) -> list[str]:
    known = paths()
    return [f"{known[p]}/{n}" for p, n in zip(rng.integers(0, 40, size), rng.integers(1, 99_999, size), strict=True)]


def _words(size: int, rng: np.random.Generator) -> list[str]:
    """Field names; one in a thousand is a rare word, for searches that find a needle."""
    common = [f"{thing}_{part}" for thing in _WORDS["thing"] for part in ("id", "ref", "count")]
    chosen = rng.integers(0, len(common), size).tolist()
    rare = rng.random(size) < 0.001
    return [_RARE[n % len(_RARE)] if is_rare else common[n] for n, is_rare in zip(chosen, rare, strict=True)]


SLOTS: Final[dict[str, Callable[[int, np.random.Generator], list[str]]]] = {
    "id": _numbers(100_000, 9_999_999, "{}"),
    "int": _numbers(1, 9_000, "{}"),
    "user": _numbers(1, 40_000, "{}"),
    "ms": _decimals(3.0, 1.2, "{:.1f}ms"),
    "money": _decimals(3.5, 1.0, "{:.2f}"),
    "size": _numbers(1, 4096, "{}MiB"),
    "version": _numbers(0, 40, "3.{}.1"),
    "ip": _ips,
    "hex": _hexes(12),
    "uuid": _uuids,
    "path": _paths_with_ids,
    "word": _words,
}
"""Variable parts by the name they have in a template; each draws a pool of values."""
