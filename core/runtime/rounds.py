"""A worker's jobs one round at a time, for whoever is called by a schedule instead of running all the time.

A round takes the advisory lock that a worker node holds for the same job. Where one has it nothing is done; where two
rounds meet, one of them does it. So an installation may use nodes, schedules or both, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

import anyio

from ..storage.leader import Session, lead_once
from .node import Node


async def _alerting(node: Node) -> bool:
    return await node.alerting.once(node.project_id, node.config)


async def _compaction(node: Node) -> bool:
    async def work(_: Session) -> None:
        while await node.store.compactor.round():
            pass

    return await lead_once(node.store.pool, "compaction", work)


async def _deletion(node: Node) -> bool:
    async def work(_: Session) -> None:
        await node.deletion_worker().run_all()

    return await lead_once(node.store.pool, "deletion", work)


async def _retention(node: Node) -> bool:
    async def work(_: Session) -> None:
        await node.retention.apply()

    return await lead_once(node.store.pool, "retention", work)


async def _recordings(node: Node) -> bool:
    return await lead_once(node.store.pool, "recordings", node.recordings.once)


async def _reports(node: Node) -> bool:
    return await lead_once(node.store.pool, "reports", node.reports.once)


ROUNDS: Mapping[str, Callable[[Node], Awaitable[bool]]] = MappingProxyType(
    {
        "alerting": _alerting,
        "compaction": _compaction,
        "deletion": _deletion,
        "recordings": _recordings,
        "reports": _reports,
        "retention": _retention,
    }
)


async def run_round(node: Node, name: str, seconds: float) -> bool:
    """Do one round of a job, for at most so long; whether it was done: False, another node does it.

    The node must run, in a role that does not do the job by itself. What is cut off is done by the next round: each
    step commits by itself.

    :raises RetryableError: the database does not answer
    :raises TimeoutError: the time was not enough
    """
    with anyio.fail_after(seconds):
        return await ROUNDS[name](node)
