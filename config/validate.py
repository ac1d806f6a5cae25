"""Checks an element against a pydantic model: every error at its line and column, in plain words, without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from ..plugins import ConfigError, QueryError
from .errors import nearest
from .tree import Element, Path, Place, Report, kind_of

M = TypeVar("M", bound=BaseModel)

_PLAIN_WORDS = (
    ("a string", "text"),
    ("a tuple", "a list"),
    ("a set", "a list"),
    ("a dictionary", "a mapping"),
    ("a integer", "a whole number"),
    ("an integer", "a whole number"),
    ("a boolean", "true or false"),
)

_QUOTABLE = 60  # characters of a wrong value that a message shows
_SENSITIVE = re.compile(r"pass|secret|token|credential|authorization|(^|[_.-])key$|api_?key|private", re.IGNORECASE)
_WRITTEN_BY_VALIDATORS = {"value_error", "assertion_error"}


def sensitive(name: str) -> bool:
    """Whether a setting of this name usually holds a secret."""
    return bool(_SENSITIVE.search(name))


def validated(model: type[M], element: Element, path: str, report: Report, owner: str = "") -> M | None:
    """The element as the model, or None where something was reported. `owner` is the plugin to name in its defects."""
    try:
        return model.model_validate(element.plain())
    except ValidationError as why:
        for error in _translated(why, model, element, path):
            report(error)
    except Exception as why:  # a plugin's own validator: whatever a stranger's code raises is an error of the file
        report(element.place.error(f"{path}: {owner or 'the check'} failed on this: {type(why).__name__}"))
    return None


def guarded(message: str, element: Element) -> str:
    """The message, or less of it where it might show what `${…}` resolved to."""
    for item in element.walk():
        if item.secret and _reveals(message, str(item.value)):
            return "it does not accept this value (not shown: it comes from ${…})"
    return message


def _reveals(message: str, secret: str) -> bool:
    window = min(len(secret), 4)
    if not window:
        return False
    low, hidden = message.lower(), secret.lower()
    return any(hidden[i : i + window] in low for i in range(len(hidden) - window + 1))


def query_error(why: QueryError, element: Element, path: str) -> ConfigError:
    """The error of a query that stands in the file, at the place within the text where there is one."""
    place = element.text_at
    if element.secret:
        return element.place.error(f"{path}: {guarded(why.message, element)}")
    if place is None:
        return element.place.error(f"{path}: {why.message}", why.hint)
    column = why.column - 1 + (place.column if why.line == 1 or _is_block(element) else 1)
    return Place(place.file, place.line + why.line - 1, column).error(f"{path}: {why.message}", why.hint)


def _is_block(element: Element) -> bool:
    return element.text_at is not None and element.text_at.line > element.place.line


def _translated(why: ValidationError, model: type[BaseModel], element: Element, path: str) -> Iterator[ConfigError]:
    groups: dict[tuple[Path, bool], list[Any]] = {}
    for error in why.errors(include_url=False, include_context=True):
        steps, _ = _locate(element, error["loc"])
        groups.setdefault((steps, error["type"] in ("missing", "extra_forbidden")), []).append(error)
    for (steps, _), errors in groups.items():
        target, _ = _find(element, steps)
        if target.broken:
            continue
        # One error for each missing or unknown name; the branches of a union become one.
        named = [e for e in errors if e["type"] in ("missing", "extra_forbidden")]
        for error in named:
            yield _about_name(error, model, element, steps, path)
        rest = [e for e in errors if e not in named]
        if rest:
            yield _about_value(rest, target, steps, path)


def _about_name(error: Any, model: type[BaseModel], element: Element, steps: Path, path: str) -> ConfigError:
    name = str(error["loc"][-1])
    if error["type"] == "missing":
        target, _ = _find(element, steps)
        return target.place.error(f"{_dotted(path, steps)}: the setting {name} is missing")
    _, place = _find(element, steps)
    return place.error(f"{_dotted(path, steps)}: there is no such setting", nearest(name, _known(model, steps[:-1])))


def _about_value(errors: list[Any], target: Element, steps: Path, path: str) -> ConfigError:
    name = next((part for part in reversed(steps) if isinstance(part, str)), "")
    messages = dict.fromkeys(_message(error, target, hidden=sensitive(name)) for error in errors)
    text = " or ".join(messages) + _but(errors, target, hidden=sensitive(name))
    hint = ""
    context = errors[0].get("ctx") or {}
    if "expected" in context and isinstance(target.value, str) and not target.secret:
        hint = nearest(target.value, re.findall(r"'([^']+)'", str(context["expected"])))
        hint = hint if hint.startswith("did you") else ""
    return target.place.error(f"{_dotted(path, steps)}: {text}", hint)


def _message(error: Any, target: Element, *, hidden: bool) -> str:
    text: str = error["msg"]
    if _by_validator(error):
        text = re.sub(r"^(Value error|Assertion failed), ", "", text)
        if target.secret or (hidden and isinstance(target.value, str)):
            return "it does not accept this value (not shown: it may be a secret)"
        return guarded(text, target)
    text = re.sub(r"^Input should be (a |an )?(valid )?", lambda m: "must be " + (m[1] or ""), text)
    text = re.sub(r", unable to parse string as (a|an) \w+", "", text)
    for pythonic, plain in _PLAIN_WORDS:
        text = text.replace(pythonic, plain)
    return text


def _but(errors: list[Any], target: Element, *, hidden: bool) -> str:
    """`, not VALUE`, where pydantic worded the error and the value may be shown."""
    if target.secret or hidden or any(_by_validator(error) for error in errors):
        return ""
    if isinstance(target.value, dict | tuple):
        return f", not {kind_of(target)}"
    text = target.written or ("nothing" if target.value is None else str(target.value))
    return f", not {text if len(text) <= _QUOTABLE else text[:_QUOTABLE] + '…'}"


def _by_validator(error: Any) -> bool:
    return error["type"] in _WRITTEN_BY_VALIDATORS or error["type"] not in _known_types()


def _known_types() -> frozenset[str]:
    """The error types that pydantic words itself, without the value in them."""
    from pydantic_core import core_schema

    return frozenset(get_args(core_schema.ErrorType))


def _locate(element: Element, location: Iterable[str | int]) -> tuple[Path, Element]:
    """The steps of a pydantic location that exist in the file: names of union branches and validators are left out."""
    steps: list[str | int] = []
    for part in location:
        child = element.child(part)
        if child is not None:
            steps.append(part)
            element = child
    return tuple(steps), element


def _find(element: Element, steps: Path) -> tuple[Element, Place]:
    """The element at these steps, and the place of its key."""
    place = element.place
    for part in steps:
        child = element.child(part)
        assert child is not None, "steps come from _locate"
        place = element.keys[part] if isinstance(part, str) else child.place
        element = child
    return element, place


def _dotted(path: str, steps: Path) -> str:
    text = path
    for part in steps:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _known(model: type[BaseModel], steps: Path) -> list[str]:
    """The names that the model, or the one nested at `steps`, has."""
    models: list[type[BaseModel]] = [model]
    for part in steps:
        if isinstance(part, str):
            fields = [f for m in models for n, f in m.model_fields.items() if part in (n, f.alias)]
            models = [m for f in fields for m in _models_in(f.annotation)] or models
    return [f.alias or name for m in models for name, f in m.model_fields.items()]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    return [found for argument in get_args(annotation) for found in _models_in(argument)]


_USERINFO = re.compile(r"(://[^/:@\s]*:)[^/@\s]+@")
MASK = "***"


def shown(element: Element, name: str = "") -> Any:
    """The value as a page or an answer may show it: `${NAME}` as written, without its default, and passwords masked."""
    if isinstance(element.value, dict):
        return {key: shown(item, key) for key, item in element.items.items()}
    if isinstance(element.value, tuple):
        return [shown(item, name) for item in element.elements]
    if element.secret:
        return masked_url(re.sub(r":-[^}]*\}", "}", element.written))
    if isinstance(element.value, str):
        return MASK if sensitive(name) else masked_url(element.value)
    return element.value


def concealed(value: Any, setting: Any) -> Any:
    """What `shown` gave, with that masked which the settings hold as a secret; `${NAME}` tells nothing, and stays."""
    match setting:
        case SecretStr() | SecretBytes():
            return value if isinstance(value, str) and re.fullmatch(r"\$\{[^}]*\}", value) else MASK
        case BaseModel() if isinstance(value, dict):
            names = {field.alias or name: name for name, field in type(setting).model_fields.items()}
            return {key: concealed(item, getattr(setting, names.get(key, ""), None)) for key, item in value.items()}
        case dict() if isinstance(value, dict):
            return {key: concealed(item, setting.get(key)) for key, item in value.items()}
        case list() | tuple() if isinstance(value, list) and len(value) == len(setting):
            return [concealed(item, own) for item, own in zip(value, setting, strict=True)]
    return value


def masked_url(url: str) -> str:
    """A URL without its password."""
    return _USERINFO.sub(rf"\1{MASK}@", url)


def fields_by_name(model: type[BaseModel]) -> Mapping[str, Any]:
    """The model's fields under the names that the YAML uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
