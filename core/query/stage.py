"""What a stage of the pipeline is: the base class of core/query/stages/*.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from . import printer
from .tree import InTable, Named, Node, Place, Query, Saved

if TYPE_CHECKING:
    from .relation import Relation


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the tree that turns a relation into another.

    `GRAMMAR` is the stage's rule in Lark's words, named as the stage; its first child is the keyword's token, a
    terminal that the loader makes (`STATS` for `stats`). `DOC` is its documentation in Markdown, with examples.
    """

    name: ClassVar[str]
    GRAMMAR: ClassVar[str]
    DOC: ClassVar[str]
    keeps_events: ClassVar[bool] = False
    """Rows in are rows out, or some of them, with their order: the events can be looked for with few columns first."""
    samples: ClassVar[bool] = False
    """It leaves out what the answer should have: such an answer is of a sample, and says so."""

    at: Place = Place()

    def placed_after(self, search: Node, stages: tuple[Stage, ...]) -> Self:
        """This stage at its place in a query, where what is before matters."""
        return self

    def placed_before(self, stages: Sequence[Stage]) -> Self:
        """This stage at its place in a query, where what is behind matters."""
        return self

    def shift_ns(self) -> int:
        """How far back in time the sub-queries of this stage read: their events seem that much later."""
        return 0

    def gives_events(self) -> bool:
        """Whether rows that are events stay events, so that an answer has as many as one of events."""
        return self.keeps_events

    @classmethod
    def build(cls, at: Place, children: Sequence[Any]) -> Self:
        """The node from the rule's children after the keyword.

        :raises Mistake: where an option is wrong.
        """
        raise NotImplementedError

    def written(self) -> str:
        """The stage as it is typed behind a pipe, in one way: what it is built from again is equal to it."""
        raise NotImplementedError

    def apply(self, relation: Relation) -> Relation:
        """The relation after this stage; pure.

        :raises Mistake: for an unknown function or column, or kinds that do not fit.
        """
        raise NotImplementedError

    def nodes(self) -> Iterator[Node]:
        """The expressions of this stage, for walks over the whole query."""
        for field in self.__struct_fields__:
            value = getattr(self, field)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, Named):
                    yield item.node
                elif isinstance(item, Query):
                    yield item.search
                    for stage in item.stages:
                        yield from stage.nodes()

    def tables(self) -> Iterator[str]:
        """The lookup tables that this stage and its sub-queries name."""
        yield from (node.table for top in self.nodes() for node in top.walk() if isinstance(node, InTable))
        yield from (name for query in self.queries() for stage in query.stages for name in stage.tables())

    def queries(self) -> Iterator[Query]:
        """The sub-queries of this stage, without theirs."""
        values = (getattr(self, field) for field in self.__struct_fields__)
        yield from (value for value in values if isinstance(value, Query))


class Use(Stage, frozen=True, kw_only=True):
    """A saved query in the place of a stage; saved.py puts its stages there."""

    name = "a saved query"

    saved: Saved

    def written(self) -> str:
        return printer.expression(self.saved)
