"""Conformance: what holds for a plugin class of any kind, and how checks become tests."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import anyio

from .base import Plugin, PluginConfig
from .described import descriptions

Check: TypeAlias = Callable[[], Awaitable[None] | None]
Contract: TypeAlias = Callable[..., None]
"""What pytest collects: assign it to a name that begins with `test`."""

DEADLINE_S = 10.0
"""Seconds in which a plugin must do what is asked of it: stop, answer, give up."""


def require(condition: object, message: str) -> None:
    """Fail the check with this message, which tells an author what is wrong and what to do."""
    if not condition:
        raise AssertionError(message)


def make(cls: type[Plugin[Any]], settings: Mapping[str, Any] | PluginConfig | None) -> Any:
    """An instance with these settings, as the YAML would give them."""
    if isinstance(settings, PluginConfig):
        return cls(settings)
    return cls(cls.config_model.model_validate(dict(settings or {})))


def tests_of(checks: Mapping[str, Check]) -> Contract:
    """One test function with a case for each check; asynchronous ones run in an event loop of their own."""
    import pytest

    @pytest.mark.parametrize("check", [pytest.param(check, id=name) for name, check in checks.items()])
    def test_contract(check: Check) -> None:
        if inspect.iscoroutinefunction(check):
            # In a thread of its own: this one may belong to an event loop of the suite's other fixtures.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(anyio.run, _bounded, check).result()
        else:
            check()

    return test_contract


async def _bounded(check: Callable[[], Awaitable[None]]) -> None:
    try:
        with anyio.fail_after(6 * DEADLINE_S):
            await check()
    except TimeoutError:
        raise AssertionError("the plugin did not end within its deadline: bound every network wait") from None


def class_checks(cls: type[Plugin[Any]], kind: str) -> dict[str, Check]:
    """Checks of the class itself: its name, its words, its settings."""

    def name() -> None:
        require(cls.kind == kind, f"{cls.__name__} is a {cls.kind}, not a {kind}")
        require(
            re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", cls.type),
            f"type {cls.type!r} is not snake case: name the protocol or format, such as `syslog` or `aws_firehose`",
        )
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        require(not missing, f"{cls.__name__} lacks the method {missing}")

    def words() -> None:
        require(
            (cls.__dict__.get("__doc__") or "").strip(), f"{cls.__name__} has no docstring: it is its documentation"
        )

    def settings() -> None:
        model = getattr(cls, "config_model", None)
        require(model is not None, f"{cls.__name__} names no settings: write class {cls.__name__}(Parser[Config])")
        assert model is not None
        bare = [name for name in model.model_fields if not descriptions(model).get(name, "").strip()]
        require(not bare, f"settings without a description: {', '.join(bare)}; write a docstring under each")
        require(model.model_config.get("extra") == "forbid", "a setting that does not exist must be an error")
        model.model_json_schema()

    return {"class name": name, "class docstring": words, "settings are described": settings}
