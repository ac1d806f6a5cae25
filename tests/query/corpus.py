"""The golden corpus: files of cases, each a query with what it must become and answer.

    === name of the case
    the query, on one or more lines
    --- SECTION
    …

Sections: `rows` (a JSON array a line, in order), `unordered` (the same, in any order), `columns`, `warnings`,
`complete` (false where a limit cut), `sampled`, `error` (line:column message; hint), `sql` (of the whole query in one
statement) and `tree`. With CORDWOOD_UPDATE_GOLDEN=1 the tests write what they get into the sections that are there;
read the difference before committing it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).with_name("cases")
UPDATE = bool(os.environ.get("CORDWOOD_UPDATE_GOLDEN"))


@dataclass
class Case:
    file: Path
    name: str
    query: str
    sections: dict[str, str] = field(default_factory=dict)

    def check(self, section: str, got: str) -> None:
        """Hold what was got against a section, or write it there."""
        if UPDATE:
            self.sections[section] = got
            cases = [self if case.name == self.name else case for case in load(self.file)]
            self.file.write_text("\n".join(written(case) for case in cases), encoding="utf-8")
        assert got == self.sections[section]


def load(file: Path) -> list[Case]:
    """The cases of a file."""
    cases = []
    for block in ("\n" + file.read_text(encoding="utf-8")).split("\n=== ")[1:]:
        head, *parts = block.split("\n--- ")
        name, _, query = head.partition("\n")
        sections = {title: body.strip("\n") for title, _, body in (part.partition("\n") for part in parts)}
        cases.append(Case(file, name.strip(), query.strip("\n"), sections))
    return cases


def written(case: Case) -> str:
    """A case as text."""
    parts = [f"=== {case.name}", case.query]
    for title, body in case.sections.items():
        parts += [f"--- {title}", body] if body else [f"--- {title}"]
    return "\n".join(parts) + "\n"


def all_cases() -> list[Case]:
    """Every case of every file."""
    return [case for file in sorted(FOLDER.glob("*.cases")) for case in load(file)]
