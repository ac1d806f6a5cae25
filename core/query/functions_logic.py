"""Functions of conditions and of values that may be missing."""

from __future__ import annotations

import re
from ipaddress import ip_network

from . import sql
from .expressions import Arguments
from .function import MANY, function
from .terms import in_network, over_texts
from .tree import Mistake, Text
from .value import Value, choose, one, present


@function('if(status >= 500, "bad", "good")', 2, 3)
def if_(args: Arguments) -> Value:
    """The second argument where the condition holds, else the third, or null without one."""
    return choose(args.condition(0), args.value(1), args.value(2) if len(args) > 2 else Value())


@function('case(n > 9, "many", n > 0, "some", "none")', 2, MANY)
def case(args: Arguments) -> Value:
    """The value after the first condition that holds; a last argument alone is for the rest."""
    result = args.value(len(args) - 1) if len(args) % 2 else Value()
    for i in range(len(args) // 2 * 2 - 2, -1, -2):
        result = choose(args.condition(i), args.value(i + 1), result)
    return result


@function('coalesce(user, "nobody")', 1, MANY)
def coalesce(args: Arguments) -> Value:
    """The first argument that is not null."""
    result = args.value(len(args) - 1)
    for i in range(len(args) - 2, -1, -1):
        value = args.value(i)
        result = choose(present(value), value, result)
    return result


@function("isnull(user)", 1)
def isnull(args: Arguments) -> Value:
    """Whether the value is missing."""
    return one("bool", sql.negate(present(args.value(0))))


@function("isnotnull(user)", 1)
def isnotnull(args: Arguments) -> Value:
    """Whether there is a value."""
    return one("bool", present(args.value(0)))


@function('in_cidr(client.ip, "10.0.0.0/8")', 2)
def in_cidr(args: Arguments) -> Value:
    """Whether the address, IPv4 or IPv6, is in the network."""
    network = args.node(1)
    if not isinstance(network, Text) or not re.fullmatch(r"[0-9a-fA-F:.]+(/\d{1,3})?", network.text):
        raise Mistake('the network must be a text such as "10.0.0.0/8"', network.at)
    try:
        parsed = ip_network(network.text, strict=False)
    except ValueError as error:
        raise Mistake(f"no network: {error}", network.at) from None
    return one("bool", over_texts(args.value(0), lambda tree: in_network(tree, parsed)))
