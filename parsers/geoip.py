"""Where an address is, by a database of yours in MaxMind's format (MMDB).

    parse:
      - {type: clf}
      - {type: geoip, database: /var/lib/GeoIP/GeoLite2-City.mmdb}
      - {type: geoip, database: /var/lib/GeoIP/GeoLite2-ASN.mmdb}
      - {type: geoip, database: /etc/ours.mmdb, fields: {site: "site.name"}}

Databases are MaxMind's, DB-IP's, IPinfo's, or ones of your own; Cordwood brings none. Source of the format: MaxMind DB
File Format Specification, 2.0. Names of fields: OpenTelemetry's for `geo`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import maxminddb
import polars as pl
from pydantic import Field

from ..plugins import Batch, ConfigError, Parser, PluginConfig, columns_of, enriched, hookimpl, text_of
from .addresses import address_of
from .refreshed import Refreshed

MOST_BYTES = 4 << 30  # of a database: what is there is copied
_HINT = "use a database in MaxMind's format, as geoipupdate or its maker's page gives it, whole"
_Path: TypeAlias = tuple[str | int, ...]
_USUAL: Mapping[str, _Path] = {
    "continent.code": ("continent", "code"),
    "country.iso_code": ("country", "iso_code"),
    "country.name": ("country", "names", "en"),
    "region.iso_code": ("subdivisions", 0, "iso_code"),
    "region.name": ("subdivisions", 0, "names", "en"),
    "locality.name": ("city", "names", "en"),
    "postal_code": ("postal", "code"),
    "location.lat": ("location", "latitude"),
    "location.lon": ("location", "longitude"),
    "time_zone": ("location", "time_zone"),
    "as.number": ("autonomous_system_number",),
    "as.organization.name": ("autonomous_system_organization",),
}


class GeoipConfig(PluginConfig):
    """Settings of finding where an address is."""

    database: Path
    """The MMDB file. A new version of it is used from the next second on, however it came there."""
    field: str = Field("client.ip", min_length=1, max_length=200)
    """The field that holds the address."""
    into: str = Field("geo", min_length=1, max_length=200)
    """What the names of the usual fields begin with: `geo` gives `geo.country.iso_code`, `geo.locality.name` and so
    on."""
    fields: dict[str, str] = Field({}, max_length=100)
    """What to take instead of the usual fields: names, and where the value stands in the database's record, such as
    `{isp: traits.isp, region: subdivisions.0.names.de}`."""
    language: str = Field("en", min_length=1, max_length=20)
    """Language of the usual names, as the database calls it, such as `de` or `pt-BR`."""


class Geoip(Parser[GeoipConfig]):
    """Add country, region, place and network of an address, by an MMDB file.

    Python for each distinct address of a batch, not for each event. What is no address, or none that the database
    knows, gets nothing, and no `parse_error`.
    """

    def __init__(self, config: GeoipConfig) -> None:
        super().__init__(config)
        self._checked()
        self._reader = Refreshed("database", config.database, _opened)
        self._paths: dict[str, _Path] = {
            name: tuple(int(part) if part.isdecimal() else part for part in path.split("."))
            for name, path in config.fields.items()
        }
        if not self._paths:
            for name, usual in _USUAL.items():
                self._paths[f"{config.into}.{name}"] = (*usual[:-1], config.language) if "names" in usual else usual

    def _checked(self) -> None:
        """Refuse a file that is no database, without reading all of it."""
        try:
            with maxminddb.open_database(self.config.database, maxminddb.MODE_FILE):
                pass
        except (OSError, maxminddb.InvalidDatabaseError, ValueError) as why:
            raise _unusable(self.config.database, why) from None

    def parse(self, batch: Batch) -> Batch:
        """Fields of events whose address is known; a damaged record gives a `parse_error`."""
        return enriched(batch, text_of(batch, self.config.field), self._look_up)

    def _look_up(self, texts: pl.Series) -> pl.DataFrame:
        reader = self._reader.get()
        rows: list[list[Any]] = []
        errors: list[str | None] = []
        for text in texts:
            address = address_of(text)
            record, error = None, None
            if address is not None and (address.version == 4 or reader.metadata().ip_version == 6):
                try:
                    record = reader.get(address)
                except (maxminddb.InvalidDatabaseError, ValueError) as why:
                    error = f"geoip: {self.config.database.name} is damaged: {str(why)[:100]}"
            rows.append([_at(record, path) for path in self._paths.values()])
            errors.append(error)
        found = columns_of(rows, list(self._paths))
        country, region = (f"{self.config.into}.{name}.iso_code" for name in ("country", "region"))
        if not self.config.fields and {country, region} <= set(found.columns):  # ISO 3166-2: `DE-HH`
            found = found.with_columns(pl.concat_str(country, region, separator="-").alias(region))
        return found.with_columns(pl.Series("parse_error", errors, dtype=pl.String))


def _at(record: Any, path: _Path) -> Any:
    """The value at a path of a record; None: there is none."""
    for part in path:
        if isinstance(part, int) and isinstance(record, list):
            record = record[part] if part < len(record) else None
        elif isinstance(record, dict):
            record = record.get(str(part))
        else:
            return None
    return record


def _opened(path: Path) -> maxminddb.Reader:
    """A reader of a copy that is nobody else's: where a mapped file is written over, reading it kills the process."""
    with tempfile.NamedTemporaryFile(prefix="cordwood-geoip-") as copy:
        try:
            with path.open("rb") as file:
                if path.stat().st_size > MOST_BYTES:
                    raise ValueError(f"it has more than {MOST_BYTES} bytes")
                shutil.copyfileobj(file, copy, 1 << 20)
            copy.flush()
            return maxminddb.open_database(copy.name)
        except (OSError, maxminddb.InvalidDatabaseError, ValueError) as why:
            raise _unusable(path, why) from None


def _unusable(path: Path, why: Exception) -> ConfigError:
    if isinstance(why, OSError):
        return ConfigError(f"database: {path} cannot be read: {why.strerror}", hint=_HINT)
    return ConfigError(f"database: {path} is no MMDB file: {why}", hint=_HINT)


@hookimpl
def cordwood_plugins() -> list[type[Geoip]]:
    """The geoip parser."""
    return [Geoip]
