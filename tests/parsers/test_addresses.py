"""What is known of addresses: places by a database of MaxMind's format, and networks of one's own."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cordwood.config import ConfigErrors, load
from cordwood.parsers.cidr import Cidr, CidrConfig
from cordwood.parsers.geoip import Geoip, GeoipConfig
from cordwood.parsers.refreshed import Refreshed
from cordwood.plugins import Batch, load_plugins
from cordwood.plugins.conformance import parser_contract

from .geoip_database import HAMBURG, OSLO, written


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of two networks and one of IPv6."""
    path = tmp_path_factory.mktemp("geoip") / "places.mmdb"
    return written(path, {"192.0.2.0/24": HAMBURG, "198.51.100.0/24": OSLO, "2001:db8::/32": HAMBURG})


def events(parser: Geoip | Cidr, *values: Any, field: str = "client.ip") -> list[dict[str, Any]]:
    """What the parser adds to an event of each value."""
    batch = Batch.from_records([{"message": "x"} if value is None else {field: value} for value in values])
    parsed = parser.parse(batch)
    assert parsed.frame["observed_timestamp"].equals(batch.frame["observed_timestamp"])
    own = {"timestamp", "observed_timestamp", "message", field}
    return [{name: value for name, value in one.items() if name not in own} for one in parsed.events()]


def test_the_usual_fields_of_an_address(database: Path) -> None:
    found = events(Geoip(GeoipConfig(database=database)), "192.0.2.7", "198.51.100.1", "203.0.113.1")
    assert found == [
        {
            "geo.continent.code": "EU", "geo.country.iso_code": "DE", "geo.country.name": "Germany",
            "geo.region.iso_code": "DE-HH", "geo.region.name": "Hamburg", "geo.locality.name": "Hamburg",
            "geo.postal_code": "20095", "geo.location.lat": 53.55, "geo.location.lon": 10.0,
            "geo.time_zone": "Europe/Berlin", "geo.as.number": 64500, "geo.as.organization.name": "Example",
        },
        {"geo.country.iso_code": "NO", "geo.country.name": "Norway"},
        {},
    ]  # fmt: skip


def test_fields_of_ones_own_keep_their_kinds_even_where_records_differ(database: Path) -> None:
    fields = {"proxy": "traits.proxy", "score": "traits.score", "tags": "traits.tags", "first": "traits.tags.0",
              "ninth": "traits.tags.9", "none": "traits.proxy.deeper", "sub": "subdivisions.0.names.de"}  # fmt: skip
    found = events(Geoip(GeoipConfig(database=database, fields=fields)), "192.0.2.7", "198.51.100.1")
    assert found == [
        {"proxy": True, "score": 7, "tags": ["a", "b"], "first": "a", "sub": "Hamburg"},
        {"proxy": False, "score": "high"},
    ]


def test_names_in_another_language_and_under_another_prefix(database: Path) -> None:
    (found,) = events(Geoip(GeoipConfig(database=database, language="de", into="from")), "192.0.2.7")
    assert (found["from.country.name"], found["from.locality.name"]) == ("Deutschland", "Hamburg (Stadt)")


HOSTILE = ["", " ", "-", "unknown", "web-1", "1.2.3", "999.1.1.1", "1.2.3.4.5", "01.2.3.4", "::g", "x" * 100_000, 7,
           3.5, True, ["192.0.2.7"], "192.0.2.7, 10.0.0.1", "192.0.2.7/24", "0", "::ffff:999.1.1.1", None,
           "192.0.2.7:notaport", "[192.0.2.7", "\0"]  # fmt: skip
WRITTEN = ["192.0.2.7", " 192.0.2.7 ", "192.0.2.7:443", "::ffff:192.0.2.7", "[::ffff:192.0.2.7]:80",
           "2001:db8::1", "2001:DB8::1%eth0", "[2001:db8::1%eth0]:80", "::FFFF:C000:207"]  # fmt: skip


def test_an_address_is_known_however_it_is_written_and_nothing_else_is(database: Path) -> None:
    geoip, cidr = (
        Geoip(GeoipConfig(database=database)),
        Cidr(CidrConfig(networks={"192.0.2.0/24": 1, "2001:db8::/32": 1})),
    )
    assert [one["geo.country.iso_code"] for one in events(geoip, *WRITTEN)] == ["DE"] * len(WRITTEN)
    assert events(cidr, *WRITTEN) == [{"network.name": 1}] * len(WRITTEN)
    for parser in (geoip, cidr):
        assert events(parser, *HOSTILE) == [{}] * len(HOSTILE)


def test_a_database_of_ipv4_knows_no_ipv6(tmp_path: Path) -> None:
    path = written(tmp_path / "four.mmdb", {"192.0.2.0/24": OSLO}, version=4)
    found = events(Geoip(GeoipConfig(database=path)), "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.9")
    assert [one.get("geo.country.iso_code") for one in found] == ["NO", None, "NO"]


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("network,name\n10.0.0.0/8,office\n")


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:200])


def _gone(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [_empty, _text, _half, _gone, _folder])
def test_a_database_that_is_none_is_an_error_of_the_file_with_its_place(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    path = written(tmp_path / "x.mmdb", {"192.0.2.0/24": OSLO})
    spoil(path)
    assert wrong(tmp_path, f"{{type: geoip, database: {path}}}").startswith(
        f"web.yaml:6:37 pipelines.web.parse[0].database: {path} "
    )


def wrong(folder: Path, step: str) -> str:
    """What `check` says of a file with this step."""
    text = f"version: 1\nsources: {{http: {{type: http}}}}\npipelines:\n  web:\n    from: [http]\n    parse: [{step}]\n"
    (folder / "web.yaml").write_text(text)
    with pytest.raises(ConfigErrors) as told:
        load(folder / "web.yaml", load_plugins())
    (error,) = told.value.errors
    return str(error).replace(f"{folder}/", "", 1)


def test_a_damaged_record_marks_its_events_and_spares_the_others(tmp_path: Path) -> None:
    path = written(tmp_path / "x.mmdb", {"192.0.2.0/24": HAMBURG, "198.51.100.0/24": OSLO})
    data = bytearray(path.read_bytes())
    at = data.index(b"Norway") - 1
    data[at] = 0xFF  # a control byte of a type that there is not
    path.write_bytes(data)
    found = events(Geoip(GeoipConfig(database=path)), "192.0.2.7", "198.51.100.1", "203.0.113.1")
    assert found[0]["geo.country.iso_code"] == "DE"
    assert found[1]["parse_error"].startswith("geoip: x.mmdb is damaged: ")
    assert found[2] == {}


@pytest.mark.parametrize("way", ["moved over it", "written over it"])
def test_a_new_version_is_used_and_a_broken_one_is_not(
    way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it is written over in place, which would kill a process that has it mapped."""
    monkeypatch.setattr("cordwood.parsers.refreshed._EVERY_S", 0.0)
    path = written(tmp_path / "x.mmdb", {f"192.0.{n}.0/24": HAMBURG | {"n": n} for n in range(200)})
    parser = Geoip(GeoipConfig(database=path))

    def country(address: str = "192.0.2.7") -> Any:
        return events(parser, address)[0].get("geo.country.iso_code")

    def put(data: bytes) -> None:
        if way == "moved over it":
            (tmp_path / "new").write_bytes(data)
            (tmp_path / "new").replace(path)
        else:
            path.write_bytes(data)
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns + 1_000_000_000))

    assert country() == "DE"
    put(b"nothing")
    assert (country(), country()) == ("DE", "DE")
    assert [one.getMessage() for one in caplog.records if "used on" in one.getMessage()] != []
    assert len(caplog.records) == 1
    put(written(tmp_path / "other.mmdb", {"192.0.2.0/24": OSLO}).read_bytes())
    assert country() == "NO"
    path.unlink()
    assert (country(), country()) == ("NO", "NO")
    assert [one.levelno for one in caplog.records if one.name.endswith("refreshed")].count(logging.WARNING) == 2


def test_a_file_is_looked_at_once_a_second(tmp_path: Path) -> None:
    path, read = tmp_path / "x", []
    path.write_text("a")

    def reads(path: Path) -> str:
        read.append(path)
        return path.read_text()

    file = Refreshed("file", path, reads)
    assert file.get() == "a"
    path.write_text("longer")
    assert (file.get(), len(read)) == ("a", 1)


NETWORKS = {"10.0.0.0/8": "office", "10.1.0.0/16": {"network.name": "lab", "site": "berlin", "floor": 3},
            "10.1.2.3": {"site": "mine", "critical": True}, "2001:db8::/32": "six", "0.0.0.0/0": "world"}  # fmt: skip


def test_the_smallest_network_counts() -> None:
    parser = Cidr(CidrConfig.model_validate({"networks": NETWORKS}))
    assert events(parser, "10.9.9.9", "10.1.9.9", "10.1.2.3", "2001:db8::9", "8.8.8.8", "2001:db9::1") == [
        {"network.name": "office"},
        {"network.name": "lab", "site": "berlin", "floor": 3},
        {"site": "mine", "critical": True},
        {"network.name": "six"},
        {"network.name": "world"},
        {},
    ]


def test_networks_of_a_file_and_those_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordwood.parsers.refreshed._EVERY_S", 0.0)
    path = tmp_path / "networks.csv"
    path.write_text("network,network.name,site\n10.0.0.0/8,office,007\n192.0.2.0/24,lab,\n")
    parser = Cidr(CidrConfig(file=path, networks={"192.0.2.0/24": "mine"}, field="source.ip"))
    found = events(parser, "10.0.0.1", "192.0.2.1", field="source.ip")
    assert found == [{"network.name": "office", "site": "007"}, {"network.name": "mine"}]
    path.write_text("network,network.name,site\n10.0.0.0/8,head office,8\n")
    assert events(parser, "10.0.0.1", field="source.ip") == [{"network.name": "head office", "site": "8"}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "must have a column network and 1 to 50 others"),
        ("network\n10.0.0.0/8\n", "must have a column network and 1 to 50 others"),
        ("network,name\n10.0.0.0/8,a\n10.0.0.1/8,b\n", "x.csv:3: 10.0.0.1/8 is an address in a network"),
        ("network,name\n,b\n", "x.csv:2: '' is no network; write one such as 10.0.0.0/8"),
        ("network,name\n::ffff:10.0.0.0/104,b\n", "x.csv:2: ::ffff:10.0.0.0/104: write mapped addresses as IPv4"),
        ("network,parse_error\n10.0.0.0/8,b\n", "the field 'parse_error' cannot be set"),
        ('network,name\n"10.0.0.0/8,b\n', "x.csv"),
        ("", "is no CSV"),
        ("network,name\n" + "10.0.0.0/8,a\n" * 200_001, "more than 200,000 networks"),
    ],
)  # fmt: skip
def test_a_file_of_networks_that_is_none_is_an_error_with_its_place(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    told = wrong(tmp_path, f"{{type: cidr, file: {path}}}")
    assert told.startswith("web.yaml:6:32 pipelines.web.parse[0].file: ")
    assert reason in told


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("networks: {office: 10.0.0.0/8}", "'office' is no network"),
        ("networks: {10.0.0.1/8: office}", "write 10.0.0.0/8 for all of it"),
        ("networks: {10.0.0.0/8: a, 010.0.0.0/8: b}", "is no network"),
        ("networks: {192.0.2.7: a, 192.0.2.7/32: b}", "192.0.2.7/32 is the same network as 192.0.2.7"),
        ("networks: {10.0.0.0/8: {timestamp: x}}", "timestamp is set by others"),
        ("field: x", "there are no networks"),
        ("file: /nowhere/x.csv", "/nowhere/x.csv cannot be read: No such file"),
    ],
)
def test_wrong_networks_are_refused(settings: str, reason: str, tmp_path: Path) -> None:
    assert reason in wrong(tmp_path, f"{{type: cidr, {settings}}}")


def test_each_distinct_address_is_looked_up_once(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser, asked = Geoip(GeoipConfig(database=database)), []
    inner = parser._look_up

    def look_up(texts: pl.Series) -> pl.DataFrame:
        asked.extend(texts)
        return inner(texts)

    monkeypatch.setattr(parser, "_look_up", look_up)
    found = events(parser, *["192.0.2.7", "198.51.100.1"] * 500)
    assert len(found) == 1000
    assert sorted(asked) == ["192.0.2.7", "198.51.100.1"]


ADDRESSES = ["192.0.2.7", "2001:db8::1", "x"]
test_cidr = parser_contract(Cidr, {"field": "message", "networks": NETWORKS}, ADDRESSES)


def test_geoip_holds_the_contract(database: Path) -> None:
    contract = parser_contract(Geoip, {"field": "message", "database": database}, ADDRESSES)
    for case in contract.pytestmark[0].args[1]:  # type: ignore[attr-defined]
        case.values[0]()
