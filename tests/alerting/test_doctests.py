"""The examples in the docstrings of alerting and its plugins hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import cordwood.core.alerting
import cordwood.detectors
import cordwood.notifiers
import pytest

PACKAGES = (cordwood.core.alerting, cordwood.detectors, cordwood.notifiers)
MODULES = sorted(
    info.name for package in PACKAGES for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)
MODULES += [f"cordwood.plugins.{name}" for name in ("asking", "durations", "wording")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
