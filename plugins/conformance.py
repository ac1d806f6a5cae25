"""The kit for plugin authors: one line in a test file checks a plugin against the contract of its kind.

    from cordwood.plugins.conformance import parser_contract
    test_contract = parser_contract(Glog, lines=["E0314 15:09:26.535897 1234 server.go:42] connection refused"])

pytest collects it as one test for each check. pytest is needed only here, where it is used.
"""

from __future__ import annotations

from .conformance_class import Contract
from .conformance_detector import detector_contract
from .conformance_notifier import LocalServer, notifier_contract
from .conformance_outlet import MemoryOutlet, MemoryStore
from .conformance_output import OutputPeer, output_contract
from .conformance_parser import parser_contract
from .conformance_place import place_contract
from .conformance_source import Scenario, http_source_contract, source_contract

__all__ = [
    "Contract",
    "LocalServer",
    "MemoryOutlet",
    "MemoryStore",
    "OutputPeer",
    "Scenario",
    "detector_contract",
    "http_source_contract",
    "notifier_contract",
    "output_contract",
    "parser_contract",
    "place_contract",
    "source_contract",
]
