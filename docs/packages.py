"""What a wheel of Cordwood brings with it; `python docs/packages.py` prints it as a bill of materials (CycloneDX).

`python docs/packages.py requirements.txt requirements-aws.txt …` does so of what these files pin, as an image needs.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cordwood import __version__

ROOT = Path(__file__).parent.parent
_PIN = re.compile(r"^([\w.-]+)==([\w.+!-]+)", re.MULTILINE)
_LONG = 40  # characters: a licence field that is longer is the licence's text
_SHA512 = "sha512-"


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is shipped. `kind` is that of package URLs: pypi or npm. `sha512`: of its file, in hex."""

    kind: str
    name: str
    version: str
    licence: str
    sha512: str | None = None

    @property
    def url(self) -> str:
        """Its package URL.

        >>> Package("npm", "@tanstack/table", "1.0", "MIT").url
        'pkg:npm/%40tanstack/table@1.0'
        """
        name = re.sub(r"[-_.]+", "-", self.name).lower() if self.kind == "pypi" else self.name
        return f"pkg:{self.kind}/{quote(name)}@{quote(self.version)}"


def python_packages(*files: str) -> list[Package]:
    """Those that the files pin, with what they say of themselves where they are installed."""
    texts = ((ROOT / file).read_text() for file in files or ("requirements.txt",))
    pins = dict(pin for text in texts for pin in _PIN.findall(text))
    return [Package("pypi", name, version, licence(distribution(name).metadata.json)) for name, version in pins.items()]


def licence(about: Mapping[str, str | list[str]]) -> str:
    """What a package's metadata says: its SPDX expression, else its field, else its classifiers."""
    expression, field = about.get("license_expression"), str(about.get("license", ""))
    if expression or (field and len(field) <= _LONG and "\n" not in field):
        return str(expression or field)
    named = [one.rsplit(" :: ", 1)[-1] for one in about.get("classifier", ()) if one.startswith("License ::")]
    return ", ".join(named) or "see its source"


def javascript_packages() -> list[Package]:
    """Those that the built UI holds."""
    locked = json.loads((ROOT / "web/ui/package-lock.json").read_text())["packages"]
    return [
        Package(
            "npm",
            path.rsplit("node_modules/", 1)[-1],
            about["version"],
            about.get("license", "see its source"),
            _hex(about.get("integrity", "")),
        )
        for path, about in sorted(locked.items())
        if path and not about.get("dev") and not about.get("optional")
    ]


def _hex(integrity: str) -> str | None:
    """The SHA-512 of a lock file's `integrity`."""
    return base64.b64decode(integrity.removeprefix(_SHA512)).hex() if integrity.startswith(_SHA512) else None


def bill_of_materials(*files: str) -> dict[str, Any]:
    """All of them as CycloneDX 1.6 has it (ECMA-424), without time and serial number, so that it is repeatable."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {"type": "application", **_component(Package("pypi", "cordwood", __version__, "Apache-2.0"))}
        },
        "components": [
            {"type": "library", **_component(package)} for package in (*python_packages(*files), *javascript_packages())
        ],
    }


def _component(package: Package) -> dict[str, Any]:
    made: dict[str, Any] = {
        "bom-ref": package.url,
        "name": package.name,
        "version": package.version,
        "purl": package.url,
        "licenses": [{"license": {"name": package.licence}}],
    }
    if package.sha512:
        made["hashes"] = [{"alg": "SHA-512", "content": package.sha512}]
    return made


if __name__ == "__main__":
    json.dump(bill_of_materials(*sys.argv[1:]), sys.stdout, indent=2)
    sys.stdout.write("\n")
