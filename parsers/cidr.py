"""Which of your networks an address is in.

    parse:
      - {type: clf}
      - type: cidr
        networks:
          10.0.0.0/8: office
          10.1.0.0/16: {network.name: laboratory, site: berlin}
          2001:db8::/32: office
      - {type: cidr, field: source.ip, file: /etc/cordwood/networks.csv}

The file is CSV with a header: `network` and the fields that an address in it gets.

    network,network.name,site
    10.0.0.0/8,office,hamburg

Of several networks the smallest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator, model_validator

from ..plugins import Batch, ConfigError, Parser, PluginConfig, columns_of, enriched, hookimpl, text_of
from .addresses import address_of
from .refreshed import Refreshed

MOST_NETWORKS, MOST_COLUMNS = 200_000, 50
MOST_BYTES = 32 << 20  # of a file
_Network: TypeAlias = IPv4Network | IPv6Network
_Value: TypeAlias = StrictBool | StrictInt | StrictFloat | StrictStr
_OURS = ("timestamp", "observed_timestamp", "severity", "source", "parse_error")


def network_of(text: str) -> _Network:
    """The network.

    >>> network_of("10.0.0.0/8"), network_of("192.0.2.7")
    (IPv4Network('10.0.0.0/8'), IPv4Network('192.0.2.7/32'))

    :raises ValueError: it is none
    """
    text = text.strip()[:100]
    try:
        network = ip_network(text)
    except ValueError:
        try:
            near = ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is no network; write one such as 10.0.0.0/8 or 2001:db8::/32") from None
        raise ValueError(f"{text} is an address in a network; write {near} for all of it") from None
    if isinstance(network, IPv6Network) and (mapped := network.network_address.ipv4_mapped) and network.prefixlen >= 96:
        raise ValueError(f"{text}: write mapped addresses as IPv4, {mapped}/{network.prefixlen - 96}")
    return network


class CidrConfig(PluginConfig):
    """Settings of naming networks: they stand here, in a file, or both."""

    networks: dict[str, _Value | dict[str, _Value]] = Field({}, max_length=10_000)
    """Networks, each with its name, or with the fields that an address in it gets."""
    file: Path | None = None
    """A CSV file of networks, with a header; a new version is used from the next second on. One that also stands at
    `networks` is as it says there."""
    field: str = Field("client.ip", min_length=1, max_length=200)
    """The field that holds the address."""
    into: str = Field("network.name", min_length=1, max_length=200)
    """The field that gets the name of a network, where it has only one."""

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, networks: dict[str, _Value | dict[str, _Value]]) -> dict[str, _Value | dict[str, _Value]]:
        seen: dict[_Network, str] = {}
        for text, values in networks.items():
            network = network_of(text)
            if network in seen:
                raise ValueError(f"{text} is the same network as {seen[network]}; leave one of them out")
            seen[network] = text
            for name in values if isinstance(values, dict) else ():
                if name in _OURS:
                    raise ValueError(f"{text}: {name} is set by others; name another field")
        return networks

    @model_validator(mode="after")
    def _knows_some(self) -> CidrConfig:
        if not self.networks and self.file is None:
            raise ValueError("there are no networks: write them at networks, or name a file")
        return self


class Cidr(Parser[CidrConfig]):
    """Add the name, or other fields, of the smallest known network that an address is in.

    Python for each distinct address of a batch, not for each event. What is no address, or in no network, gets nothing,
    and no `parse_error`.
    """

    def __init__(self, config: CidrConfig) -> None:
        super().__init__(config)
        self._file: Refreshed[_Networks] | None = None
        written = {
            network_of(text): values if isinstance(values, dict) else {config.into: values}
            for text, values in config.networks.items()
        }
        if config.file is None:
            self._own = _Networks(written)
        else:
            self._file = Refreshed("file", config.file, lambda path: _Networks({**_read(path), **written}))
            self._file.get()

    def parse(self, batch: Batch) -> Batch:
        """Fields of events whose address is in a known network."""
        return enriched(batch, text_of(batch, self.config.field), self._look_up)

    def _look_up(self, texts: pl.Series) -> pl.DataFrame:
        networks = self._own if self._file is None else self._file.get()
        return networks.rows(address_of(text) for text in texts)


class _Networks:
    """Networks by their lengths, the longest first: an address is in at most one of each."""

    def __init__(self, values: Mapping[_Network, Mapping[str, Any]]) -> None:
        self._names = list(dict.fromkeys(name for one in values.values() for name in one))
        lengths: dict[tuple[int, int], dict[int, list[Any]]] = {}
        for network, fields in values.items():
            row = [fields.get(name) for name in self._names]
            base = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            lengths.setdefault((network.version, network.prefixlen), {})[base] = row
        self._lengths = [(version, length, lengths[version, length]) for version, length in sorted(lengths)[::-1]]
        self._none = [None] * len(self._names)

    def rows(self, addresses: Iterable[IPv4Address | IPv6Address | None]) -> pl.DataFrame:
        """The fields of each address, a row each."""
        return columns_of([self._none if one is None else self._row(one) for one in addresses], self._names)

    def _row(self, address: IPv4Address | IPv6Address) -> list[Any]:
        number, own = int(address), address.version
        for version, length, bases in self._lengths:
            if version == own and (row := bases.get(number >> (address.max_prefixlen - length))) is not None:
                return row
        return self._none


def _read(path: Path) -> dict[_Network, dict[str, Any]]:
    """The networks in a CSV file.

    :raises ConfigError: it is no such file
    """
    hint = "begin with a header such as network,network.name,site"
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ConfigError(f"file: {path} has more than {MOST_BYTES} bytes", hint="leave networks out")
        frame = pl.read_csv(data, infer_schema=False)
    except OSError as why:
        raise ConfigError(
            f"file: {path} cannot be read: {why.strerror}", hint="put it there, or name another"
        ) from None
    except (pl.exceptions.PolarsError, UnicodeError) as why:
        raise ConfigError(f"file: {path} is no CSV: {str(why).partition(chr(10))[0][:200]}", hint=hint) from None
    names = [name for name in frame.columns if name != "network"]
    if "network" not in frame.columns or not names or len(names) > MOST_COLUMNS:
        raise ConfigError(f"file: {path} must have a column network and 1 to {MOST_COLUMNS} others", hint=hint)
    if wrong := [name for name in names if name in _OURS or not name.strip()]:
        raise ConfigError(f"file: {path}: the field {wrong[0]!r} cannot be set", hint="call the column otherwise")
    if len(frame) > MOST_NETWORKS:
        raise ConfigError(f"file: {path} has more than {MOST_NETWORKS:,} networks", hint="leave some out")
    found: dict[_Network, dict[str, Any]] = {}
    for number, (text, *values) in enumerate(frame.select("network", *names).iter_rows(), 2):
        try:
            found[network_of(text or "")] = dict(zip(names, values, strict=True))
        except ValueError as why:
            raise ConfigError(f"file: {path}:{number}: {why}") from None
    return found


@hookimpl
def cordwood_plugins() -> list[type[Cidr]]:
    """The cidr parser."""
    return [Cidr]
