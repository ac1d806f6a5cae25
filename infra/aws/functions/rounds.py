"""A round of a worker's job, called by a schedule of EventBridge: detectors and notifications, compaction, and so on.

CORDWOOD_ROUND names the job. The database is CORDWOOD_DATABASE_URL without a password; that is `password` in the secret
of Secrets Manager that CORDWOOD_DATABASE_SECRET names, asked for each time, so that it may be changed at any time.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import anyio

from ....config import AwsSecrets, Settings
from ....core.runtime import load_checked
from ....core.runtime.node import Node
from ....core.runtime.rounds import ROUNDS, run_round
from ....plugins import ConfigError, RetryableError, load_plugins

CLOSING_SECONDS = 12.0
"""What closing the store may take, of the time that the function has."""


class Context(Protocol):
    """What Lambda tells of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until it is killed."""


def handler(event: Any, context: Context) -> dict[str, Any]:
    """Do one round; answers whether it was done: not where another node or function does it.

    :raises CordwoodError: it could not be done; the schedule's next call does it
    :raises TimeoutError: likewise, the time was not enough
    """
    logging.getLogger("cordwood").setLevel((os.environ.get("CORDWOOD_LOG_LEVEL") or "info").upper())
    name = os.environ.get("CORDWOOD_ROUND", "")
    if name not in ROUNDS:
        raise ConfigError(f"CORDWOOD_ROUND: must be {', '.join(ROUNDS)}, not {name}")
    seconds = context.get_remaining_time_in_millis() / 1000 - CLOSING_SECONDS
    return {"round": name, "done": anyio.run(_run, name, seconds, backend_options={"use_uvloop": True})}


async def _run(name: str, seconds: float) -> bool:
    settings = Settings.from_environment(role="query", database_url=database_url())  # a role that does none by itself
    registry = load_plugins()
    node = Node(settings, load_checked(settings.config, registry), registry)
    done, failed = False, None
    async with node.running():
        try:
            done = await run_round(node, name, seconds)
        except (RetryableError, TimeoutError) as why:  # raised below: the node's stop would put it into a group
            failed = why
    if failed is not None:
        raise failed
    return done


def database_url() -> str | None:
    """CORDWOOD_DATABASE_URL with the password of CORDWOOD_DATABASE_SECRET in it; as it is where there is none.

    :raises SecretError: the secret cannot be read
    """
    url, secret = os.environ.get("CORDWOOD_DATABASE_URL"), os.environ.get("CORDWOOD_DATABASE_SECRET")
    if not url or not secret:
        return url
    parts = urlsplit(url)
    password = quote(AwsSecrets().value(f"{secret}#password"), safe="")
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{password}@{host}").geturl()
