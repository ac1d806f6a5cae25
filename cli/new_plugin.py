"""`cordwood plugins new`: a package with a plugin that works, its tests, a CI file and a page to begin with."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from pathlib import Path
from string import Template

from .. import __version__
from .exits import InputError

KINDS = ("source", "parser", "detector", "notifier", "output", "place")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40  # characters of a name: it becomes that of a module, a class and a package


def write_package(kind: str, type_: str, folder: Path) -> list[Path]:
    """Write the package into a folder that is not there yet, or is empty; the files, in the order of reading.

    :raises InputError: there is no such kind, the name will not do, or something is in the way
    """
    if kind not in KINDS:
        raise InputError(f"there is no kind {kind} of plugin; there are {', '.join(KINDS)}")
    if not _NAME.fullmatch(type_) or len(type_) > _LONGEST or keyword.iskeyword(type_):
        raise InputError(
            f"{type_} will not do as a type: name the protocol or format in small letters, digits, _: such as aws_waf"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already, and not empty; name another with --folder")
    names = {
        "kind": kind,
        "type": type_,
        "cls": "".join(part.capitalize() for part in type_.split("_")),
        "package": f"cordwood-{type_.replace('_', '-')}",
        "module": f"cordwood_{type_}",
        "version": __version__,
    }
    module = f"src/{names['module']}"
    texts = {
        "README.md": _filled("README.md", names),
        f"{module}/{type_}.py": _filled(f"{kind}.py", names),
        f"tests/test_{type_}.py": _filled(f"{kind}_test.py", names),
        f"{module}/__init__.py": f'"""The {kind} {type_} for Cordwood."""\n',
        f"{module}/py.typed": "",
        "pyproject.toml": _filled("pyproject.toml", names),
        ".github/workflows/test.yml": _filled("workflow.yml", names),
        ".gitignore": "__pycache__/\n*.egg-info/\n/dist/\n/build/\n/.venv/\n",
    }
    written = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        written.append(path)
    return written


def _filled(name: str, names: dict[str, str]) -> str:
    return Template((files(f"{__package__}.kit") / f"{name}.txt").read_text("utf-8")).substitute(names)
