"""From a Sigma rule's conditions to a search, by pySigma.

Every term but one stands in a search and in a `where` alike; a reference to another field makes the rule a `where`.
Text is compared ignoring case, as Sigma says, unless the rule says `cased`; keywords are looked for in the message.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.conversion.base import TextQueryBackend
from sigma.conversion.deferred import DeferredQueryExpression
from sigma.conversion.state import ConversionState
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaRegularExpressionFlag, SigmaString, SpecialChars

_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARED = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
BY_EXPRESSION = "by_expression"
"""In the state of a conversion: the rule compares two fields, which a search cannot."""


class CordwoodBackend(TextQueryBackend):
    """Searches of Cordwood's query language."""

    name: ClassVar[str] = "Cordwood"
    formats: ClassVar[dict[str, str]] = {"default": "searches"}
    precedence: ClassVar[Any] = (ConditionNOT, ConditionAND, ConditionOR)
    parenthesize: bool = True
    group_expression: ClassVar[str | None] = "({expr})"
    token_separator: str = " "  # noqa: S105 - no secret
    or_token: ClassVar[str] = "or"  # noqa: S105 - no secret
    and_token: ClassVar[str] = "and"  # noqa: S105 - no secret
    not_token: ClassVar[str] = "not"  # noqa: S105 - no secret
    eq_token: ClassVar[str] = ":"  # noqa: S105 - no secret
    bool_values: ClassVar[dict[bool, str | None]] = {True: "true", False: "false"}
    field_null_expression: ClassVar[str | None] = "not {field}:*"
    field_exists_expression: ClassVar[str | None] = "{field}:*"
    field_not_exists_expression: ClassVar[str | None] = "not {field}:*"

    def escape_and_quote_field(self, field_name: str) -> str:
        """A field in backticks, whatever it is called."""
        escaped = field_name.replace("\\", "\\\\").replace("`", "\\`")
        return f"`{escaped}`"

    def convert_condition_field_eq_val_str(self, cond: Any, state: ConversionState) -> str:
        """Equal, or like, ignoring case."""
        return f"{self.escape_and_quote_field(cond.field)}{compared(cond.value, cased=False)}"

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Any, state: ConversionState) -> str:
        """Equal, or like, in the same case."""
        return f"{self.escape_and_quote_field(cond.field)}{compared(cond.value, cased=True)}"

    def convert_condition_field_eq_val_re(self, cond: Any, state: ConversionState) -> str:
        """A regular expression, anywhere in the value."""
        return f"{self.escape_and_quote_field(cond.field)}:{regular(cond.value)}"

    def convert_condition_field_eq_val_cidr(self, cond: Any, state: ConversionState) -> str:
        """An address in a network."""
        return f"{self.escape_and_quote_field(cond.field)}:{cond.value.network}"

    def convert_condition_field_compare_op_val(self, cond: Any, state: ConversionState) -> str:
        """Less, or more."""
        number = str(cond.value.number)
        if not re.fullmatch(r"-?\d+(\.\d+)?", number):
            raise SigmaFeatureNotSupportedByBackendError(f"a comparison with {number}, which is no number")
        return f"{self.escape_and_quote_field(cond.field)} {_COMPARED[cond.value.op.name]} {number}"

    def convert_condition_field_eq_field(self, cond: Any, state: ConversionState) -> str:
        """The value of another field, ignoring case."""
        state.processing_state = {**state.processing_state, BY_EXPRESSION: True}
        left, right = (f"lower(text({self.escape_and_quote_field(name)}))" for name in (cond.field, cond.value.field))
        test = {(False, False): "=", (True, False): "startswith", (False, True): "endswith", (True, True): "contains"}
        return f"{left} {test[cond.value.starts_with, cond.value.ends_with]} {right}"

    def convert_condition_field_eq_val_timestamp_part(self, cond: Any, state: ConversionState) -> str:
        """Not there: what hour it is depends on a time zone that no rule says."""
        raise SigmaFeatureNotSupportedByBackendError("a part of a time; use a `where` with hour() or weekday()")

    def convert_condition_val_str(self, cond: Any, state: ConversionState) -> str:
        """A keyword: in the message, ignoring case."""
        parts = list(cond.value.s)
        while parts and parts[0] == SpecialChars.WILDCARD_MULTI:
            parts.pop(0)
        while parts and parts[-1] == SpecialChars.WILDCARD_MULTI:
            parts.pop()
        if all(isinstance(part, str) for part in parts) and parts:
            return quoted("".join(parts))
        return f"/{_slashed('(?s)' + _pattern(parts))}/i"

    def convert_condition_val_num(self, cond: Any, state: ConversionState) -> str:
        """A number as a keyword."""
        return quoted(str(cond.value))

    def convert_condition_val_re(self, cond: Any, state: ConversionState) -> str:
        """A regular expression over the message."""
        return regular(cond.value)

    def convert_condition_query_expr(self, cond: Any, state: ConversionState) -> str:
        """Not there: such a text is of another product's language."""
        raise SigmaFeatureNotSupportedByBackendError("a part in the language of another product")

    def finalize_query_default(self, rule: Any, query: Any, index: int, state: ConversionState) -> str:
        """The search, or the `where` behind one that finds all."""
        if isinstance(query, DeferredQueryExpression):
            raise SigmaFeatureNotSupportedByBackendError("a deferred expression")
        return f"* | where {query}" if state.processing_state.get(BY_EXPRESSION) else str(query)


def compared(value: SigmaString, *, cased: bool) -> str:
    """What stands behind the field.

    >>> compared(SigmaString("*whoami*"), cased=False), compared(SigmaString("a/b?"), cased=True)
    ('~"whoami"', ':/(?s)^a\\\\/b.$/')
    """
    parts = list(value.s)
    many = SpecialChars.WILDCARD_MULTI
    if not cased and len(parts) == 3 and parts[0] == parts[2] == many and isinstance(parts[1], str):
        return f"~{quoted(parts[1])}"
    if parts == [many]:
        return ":*"
    begin = "" if parts and parts[0] == many else "^"
    end = "" if parts and parts[-1] == many else "$"
    inner = _pattern(parts[0 if begin else 1 : None if end else -1])
    return f":/{_slashed(f'(?s){begin}{inner}{end}')}/{'' if cased else 'i'}"


def regular(value: Any) -> str:
    """A rule's regular expression between slashes; pySigma has refused what RE2 does not know."""
    flags = "".join(sorted(letter for flag, letter in _FLAGS.items() if flag in value.flags))
    text = str(value.regexp.original)
    return f"/{_slashed(f'(?{flags}){text}' if flags else text)}/"


def quoted(text: str) -> str:
    r"""A text in double quotes.

    >>> print(quoted('a "b" \\c'))
    "a \"b\" \\c"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pattern(parts: list[Any]) -> str:
    """Text and wildcards as a regular expression of RE2."""
    made = ""
    for part in parts:
        if isinstance(part, str):
            made += re.sub(r"[^\w\s]", lambda match: f"\\{match[0]}" if match[0].isascii() else match[0], part)
        elif part == SpecialChars.WILDCARD_SINGLE:
            made += "."
        elif part == SpecialChars.WILDCARD_MULTI:
            made += ".*"
        else:
            raise SigmaFeatureNotSupportedByBackendError("a placeholder that no pipeline filled")
    return made


def _slashed(pattern: str) -> str:
    r"""A pattern as it stands between slashes.

    >>> print(_slashed("a/b\\/c\n"))
    a\/b\/c\n
    """
    return re.sub(
        r"\\.|/|\n", lambda found: {"/": r"\/", "\n": r"\n"}.get(found[0], found[0]), pattern, flags=re.DOTALL
    )
