"""Tries what the plugins of a configuration need, without running them: `cordwood check --deep`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import anyio
from pydantic import BaseModel, SecretStr

from ...config import Config, Entry
from ...plugins import ConfigError, DeliveryError, Need

TRIAL_SECONDS: Final = 15.0
"""How long one need may take."""
_AT_ONCE: Final = 8


@dataclass(slots=True)
class Tried:
    """A need, and what came of it: a `problem`, a `warning`, or neither where all is well."""

    path: str
    entry: Entry[Any]
    need: Need
    problem: str = ""
    warning: str = ""

    def error(self) -> ConfigError:
        """The problem, at the place of the entry."""
        return self.entry.place.error(f"{self.path}.{self.need.setting}: {self.problem}")


async def tried(config: Config) -> tuple[list[Tried], list[str]]:
    """Every need of sources, outputs, notifiers and places, and the paths of those whose plugins do not say any."""
    found: list[Tried] = []
    silent: list[str] = []
    for path, entry in _entries(config):
        found += (
            Tried(path, entry, Need(setting, "have a secret", _nothing), "it is empty; set its variable or its file")
            for setting in _empty_secrets(entry.config)
        )
        needs = entry.make().needs()
        if needs is None:
            silent.append(f"{path} ({entry.type})")
        else:
            found += (Tried(path, entry, need) for need in needs)
    limit = anyio.Semaphore(_AT_ONCE)
    async with AsyncExitStack() as held, anyio.create_task_group() as tasks:
        for one in found:
            if not one.problem:
                tasks.start_soon(_try, one, held, limit)
    return found, silent


async def _try(one: Tried, held: AsyncExitStack, limit: anyio.Semaphore) -> None:
    try:
        async with limit:
            with anyio.fail_after(TRIAL_SECONDS):
                one.warning = await one.need.trial(held)
    except TimeoutError:
        one.problem = f"no answer within {TRIAL_SECONDS:.0f} s; is it up, and does a firewall stop it?"
    except (DeliveryError, OSError) as why:
        one.problem = str(why)
    except Exception as why:  # a stranger's code: whatever it raises is a problem of its own
        one.problem = f"the plugin {one.entry.type} failed to try it: {type(why).__name__}"


async def _nothing(_: AsyncExitStack) -> str:
    return ""


def _entries(config: Config) -> Iterator[tuple[str, Entry[Any]]]:
    sections: Mapping[str, Mapping[str, Entry[Any]]] = {
        "sources": config.sources,
        "outputs": config.outputs,
        "notifiers": config.notifiers,
        "store.places": config.places,
    }
    for section, entries in sections.items():
        yield from ((f"{section}.{name}", entry) for name, entry in entries.items())


def _empty_secrets(settings: BaseModel) -> Iterator[str]:
    """Names of the secrets that are given, and hold nothing."""
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        inner = value.items() if isinstance(value, dict) else ()
        if isinstance(value, SecretStr) and not value.get_secret_value().strip():
            yield name
        elif isinstance(value, BaseModel):
            yield from (f"{name}.{below}" for below in _empty_secrets(value))
        for key, item in inner:
            if isinstance(item, SecretStr) and not item.get_secret_value().strip():
                yield f"{name}.{key}"
