"""A database in MaxMind's format, written for tests."""

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

HAMBURG = {
    "city": {"names": {"en": "Hamburg", "de": "Hamburg (Stadt)"}},
    "continent": {"code": "EU"},
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "location": {"latitude": 53.55, "longitude": 10.0, "time_zone": "Europe/Berlin"},
    "postal": {"code": "20095"},
    "subdivisions": [{"iso_code": "HH", "names": {"en": "Hamburg", "de": "Hamburg"}}],
    "autonomous_system_number": 64500,
    "autonomous_system_organization": "Example",
    "traits": {"proxy": True, "score": 7, "tags": ["a", "b"]},
}
OSLO = {"country": {"iso_code": "NO", "names": {"en": "Norway"}}, "traits": {"proxy": False, "score": "high"}}


def written(path: Path, networks: dict[str, dict[str, Any]], version: int = 6) -> Path:
    """A database at the path."""
    writer = MMDBWriter(version, "Test-City", languages=["en", "de"], ipv4_compatible=version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path
