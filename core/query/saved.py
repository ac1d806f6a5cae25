"""Saved queries: `` `name`(args) `` becomes what was saved under the name, before anything is planned. Pure.

It stands for a search term where its text is a search; at the head of a query (alone, or beside other terms) and behind
a pipe it may have stages too. A `$parameter` of its text is replaced in the tree, never in the text, so an argument is
a value or a field and nothing else. What comes out of it keeps the place of its use, and the names it came through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import structs

from ...plugins.errors import QueryError
from .build import placed
from .mistakes import did_you_mean
from .parser import check_size, nodes_of, parse
from .printer import duration, number
from .stage import Stage, Use
from .stages.where import Where
from .tree import (
    EVENTS,
    MAX_NODES,
    And,
    Bare,
    Constant,
    Duration,
    Everything,
    FieldContains,
    Mistake,
    Name,
    Named,
    Node,
    Number,
    Parameter,
    Place,
    Query,
    Saved,
    Text,
    Word,
)  # fmt: skip

MAX_DEPTH = 8  # saved queries that use one another: enough for any house, and a chain that can still be read
DOLLAR = re.compile(r"\$([a-z_]\w*)", re.IGNORECASE)


class SavedParameter(msgspec.Struct, frozen=True):
    """A parameter by its name; `default` is a value as it is typed, None where an argument is needed."""

    name: str
    default: str | None = None


class SavedQuery(msgspec.Struct, frozen=True):
    """What is saved under a name."""

    name: str
    text: str
    parameters: tuple[SavedParameter, ...] = ()

    def usage(self) -> str:
        """How it is called, with the defaults.

        >>> SavedQuery("slow", "", (SavedParameter("service"), SavedParameter("ms", "500"))).usage()
        '`slow`(service, ms = 500)'
        """
        shown = (item.name + (f" = {item.default}" if item.default is not None else "") for item in self.parameters)
        return f"`{self.name}`({', '.join(shown)})"

    def parsed(self) -> Query:
        """Its tree.

        :raises QueryError: it is wrong
        """
        names = [item.name for item in self.parameters]
        return parse(self.text, any_head=True, saved=True, parameters=names)


def used(query: Query) -> list[str]:
    """The names of the saved queries in a tree, each once.

    >>> used(parse("`a`() or `b`(1) | where `a`() | `c`()", saved=True))
    ['a', 'b', 'c']
    """
    found = (node.name for top in nodes_of(query) for node in top.walk() if isinstance(node, Saved))
    return list(dict.fromkeys(found))


def argument(text: str) -> Node:
    """The value of a default, as it would be typed in a call.

    :raises QueryError: it is none
    """
    call = parse(f"`x`({text})", saved=True).search
    if not isinstance(call, Saved) or len(call.args) != 1:
        raise QueryError(f"`{text[:40]}` is no single value", text=text, hint='values: 500, "web", 5m, true, a field')
    return checked(call.args[0])


def expanded(query: Query, library: Mapping[str, SavedQuery], chain: tuple[str, ...] = ()) -> Query:
    """The query with what it uses put in.

    :param library: all that there are, by name.
    :param chain: the saved queries that it comes out of.
    :raises QueryError: with the place of the use in the query's text, and the names through which it came
    """
    try:
        made = _Expansion(library).query(query, chain)
    except Mistake as mistake:
        raise mistake.error(query.text) from None
    check_size(made)
    return made


def tried(saved: SavedQuery, library: Mapping[str, SavedQuery]) -> Query:
    """What a saved query is with some values for its parameters: whether it can be used at all.

    :raises QueryError: with the place in its text
    """
    arguments = {item.name: argument(item.default) if item.default is not None else Text("x")
                 for item in saved.parameters}  # fmt: skip
    tree = saved.parsed()
    try:
        tree = rebuilt(tree, _Here(saved, Place(), arguments).node, None)
    except Mistake as mistake:
        raise mistake.error(saved.text) from None
    return expanded(tree, library, (saved.name,))


class _Expansion:
    """One query's: what is put in counts against the size of one query."""

    def __init__(self, library: Mapping[str, SavedQuery]) -> None:
        self._library = library
        self._nodes = 0

    def query(self, query: Query, chain: tuple[str, ...]) -> Query:
        """The query with everything put in, its stages placed anew."""
        search, stages = self.head(query, chain)
        for stage in query.stages:
            if isinstance(stage, Use):
                body = self.body(stage.saved, chain)
                if not isinstance(body.search, Everything):
                    stages.append(Where(condition=body.search, at=stage.at))
                stages += body.stages
            else:
                stages.append(self.put_in(stage, chain))
        return Query(search, placed(search, stages), query.text, query.head)

    def head(self, query: Query, chain: tuple[str, ...]) -> tuple[Node, list[Stage]]:
        """The search, and the stages that came with it: those of the one saved query in it that has some."""
        items = query.search.items if isinstance(query.search, And) else (query.search,)
        terms: list[Node] = []
        stages: list[Stage] = []
        for item in items:
            body = self.body(item, chain) if isinstance(item, Saved) else None
            if body is None:
                terms.append(self.put_in(item, chain))
                continue
            if body.stages and stages:
                raise Mistake("two saved queries with stages at the head", item.at, "put the second behind a pipe")
            stages += body.stages
            terms.append(body.search)
        wanted = [term for term in terms if not isinstance(term, Everything)] or terms[:1]
        return wanted[0] if len(wanted) == 1 else And(tuple(wanted), at=query.search.at), stages

    def put_in(self, value: Any, chain: tuple[str, ...]) -> Any:
        """A node or stage with the searches of what it uses put in, and its sub-queries whole."""

        def change(node: Node) -> Node:
            if not isinstance(node, Saved):
                return node
            body = self.body(node, chain)
            if body.stages:
                hint = "it stands at the head of a query, beside other terms, or behind a pipe"
                raise Mistake(f"`{node.name}` has stages, so it is no condition", node.at, hint)
            return body.search

        return rebuilt(value, change, lambda query: self.query(query, chain))

    def body(self, call: Saved, chain: tuple[str, ...]) -> Query:
        """What a use stands for, whole, at the place of the use."""
        if call.name in chain:
            listed = " → ".join(f"`{name}`" for name in (*chain[chain.index(call.name) :], call.name))
            raise Mistake(f"the saved query `{call.name}` uses itself: {listed}", call.at, "take it out of one of them")
        if len(chain) == MAX_DEPTH:
            raise Mistake(f"more than {MAX_DEPTH} saved queries that use one another", call.at, "put some into one")
        saved = self._library.get(call.name)
        if saved is None:
            hint = did_you_mean(call.name, self._library, "/api/v1/saved-queries says which there are")
            raise Mistake(f"no saved query `{call.name[:80]}`", call.at, hint)
        arguments = bound(saved, call)
        try:
            tree = saved.parsed()
        except QueryError as why:
            message = f"the saved query `{saved.name}` is wrong at {why.line}:{why.column}: {why.message}"
            raise Mistake(message, call.at, why.hint) from None
        if tree.head != EVENTS:
            raise Mistake(
                f"`{saved.name}` reads {tree.head}, and only events can be put in", call.at, "open it instead"
            )
        self._nodes += sum(1 for top in nodes_of(tree) for _ in top.walk())
        if self._nodes > MAX_NODES:
            raise Mistake(f"saved queries of more than {MAX_NODES} terms", call.at, "ask for less at once")
        here = _Here(saved, call.at, arguments)
        return self.query(here.query(tree), (*chain, call.name))


def bound(saved: SavedQuery, call: Saved) -> dict[str, Node]:
    """The argument, or the default, of each parameter.

    :raises Mistake: too many or too few, or something that is no value
    """
    needed = sum(item.default is None for item in saved.parameters)
    if not needed <= len(call.args) <= len(saved.parameters):
        count = len(saved.parameters)
        wanted = f"{count}" if needed == count else f"{needed} to {count}"
        raise Mistake(f"`{saved.name}` takes {wanted} arguments, not {len(call.args)}", call.at, saved.usage())
    given = {item.name: checked(arg) for item, arg in zip(saved.parameters, call.args, strict=False)}
    defaults = {item.name: argument(item.default) for item in saved.parameters if item.default is not None}
    return {**defaults, **given}


def checked(node: Node) -> Node:
    """An argument, if it is a value or a field.

    :raises Mistake: it is something else
    """
    is_value = isinstance(node, Number | Text | Duration | Name) or (
        isinstance(node, Constant) and node.value is not None
    )
    if not is_value:
        raise Mistake("an argument is a value or a field", node.at, 'as in 500, "web", 5m, true or service')
    return node


class _Here:
    """Brings the tree of a saved query to the place of its use, with the arguments in the places of its parameters."""

    def __init__(self, saved: SavedQuery, at: Place, arguments: Mapping[str, Node]) -> None:
        self._name, self._at, self._arguments = saved.name, at, arguments

    def query(self, tree: Query) -> Query:
        """The tree at its place."""
        made = rebuilt(tree, self.node, None, self.place)
        assert isinstance(made, Query)
        return made

    def place(self, at: Place) -> Place:
        """A place in the saved text as one in the caller's; it stays another for each node."""
        way = f"`{self._name}` at {at.line}:{at.column}"
        return Place(self._at.line, self._at.column, f"{self._at.within}, {way}" if self._at.within else way)

    def node(self, node: Node) -> Node:
        """The node, or the argument that it stands for."""
        match node:
            case Parameter(name=name):
                return structs.replace(self._arguments[name], at=node.at)
            case Bare(text=text) | Word(text=text) if (value := self.argument(text, node.at)) is not None:
                return structs.replace(value if isinstance(value, Text) else type(node)(typed(value)), at=node.at)
            case FieldContains(text=text) if (value := self.argument(text, node.at)) is not None:
                return structs.replace(node, text=typed(value))
        return node

    def argument(self, text: str, at: Place) -> Node | None:
        """The argument of the parameter that a bare text is; None: it is a text.

        :raises Mistake: a parameter is only a part of it
        """
        names = [found[1] for found in DOLLAR.finditer(text) if found[1] in self._arguments]
        if names and text != f"${names[0]}":
            hint = f"write it alone, as in `x>=${names[0]} x<=9`; a text with a dollar sign in it goes in quotes"
            raise Mistake(f"${names[0]} is a whole value, not a part of one", at, hint)
        return self._arguments[names[0]] if names else None


def typed(value: Node) -> str:
    """An argument as it is typed in a search."""
    match value:
        case Text(text=text):
            return text
        case Number(value=found):
            return number(found)
        case Duration(ns=ns):
            return duration(ns)
        case Constant(value=constant):
            return "true" if constant else "false"
        case Name(name=name):
            return name
    raise TypeError(type(value).__name__)


def rebuilt(
    value: Any,
    change: Callable[[Node], Node],
    subquery: Callable[[Query], Query] | None,
    place: Callable[[Place], Place] | None = None,
) -> Any:
    """A part of a tree made anew from the bottom up.

    :param change: what becomes of each node.
    :param subquery: what becomes of each query within; None: it is made anew as all else.
    :param place: what becomes of each place; None: it stays.
    """
    if isinstance(value, tuple):
        return tuple(rebuilt(item, change, subquery, place) for item in value)
    if isinstance(value, Place):
        return place(value) if place is not None else value
    if isinstance(value, Query) and subquery is not None:
        return subquery(value)
    if not isinstance(value, Node | Stage | Named | Query):
        return value
    fields = {name: rebuilt(getattr(value, name), change, subquery, place) for name in value.__struct_fields__}
    made = type(value)(**fields)
    return change(made) if isinstance(made, Node) else made
