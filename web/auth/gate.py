"""The gate that every request passes: was it meant for this server, who sent it, and may they do this?"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

import anyio
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from ...plugins import DeniedError
from ..problems import ProblemException
from . import accounts, sessions, tokens
from .accounts import Pool
from .origin import is_loopback, is_own_host, is_own_origin
from .principal import Principal
from .projects import DEFAULT_PROJECT
from .roles import PERMISSIONS, Permission

COOKIE: Final = "cordwood_session"
THIS_MACHINE: Final = Principal("this machine", frozenset(PERMISSIONS))
_NOT_YET: Final = "until a user exists, only this machine is served: run `cordwood user add --admin`"
_KEYS: Final = ("dd-api-key", "x-amz-firehose-access-key")
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_TRUSTED: Final = 10_000  # credentials remembered; beyond, all are looked up again


@dataclass(eq=False)
class _Lookup:
    """A credential that is looked up. Not answered: who looked failed or went away, and the next one looks."""

    over: anyio.Event = field(default_factory=anyio.Event)
    principal: Principal | None = None
    is_answered: bool = False


class Gate:
    """Decides over requests. One for an application; remembers for some seconds whom it has let in."""

    TRUST_S: Final = 0.9
    """Seconds until a credential is looked up again: a revoked token is refused within a second on every node."""
    RECHECK_S: Final = 1.0
    """Seconds until it is looked up again whether somebody has an account."""

    def __init__(self, pool: Callable[[], Pool], bound: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool, self._bound, self._clock = pool, bound, clock
        self._users_exist = False
        self._checked_at = float("-inf")
        self._trusted: dict[str, tuple[float, Principal]] = {}
        self._lookups: dict[str, _Lookup] = {}
        self._pages: tuple[float, frozenset[str]] = (float("-inf"), frozenset())

    async def users_exist(self) -> bool:
        """Whether anybody has an account; once true it stays true."""
        now, checked_at = self._clock(), self._checked_at
        if not self._users_exist and now - checked_at >= self.RECHECK_S:
            if checked_at > float("-inf"):
                self._checked_at = now  # one request looks: those that come meanwhile go by what was seen before
            try:
                self._users_exist = await accounts.users_exist(self._pool())
            except BaseException:
                self._checked_at = checked_at
                raise
            self._checked_at = self._clock()
        return self._users_exist

    async def admit(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Let a request in that was meant for this server. `headers` have names in lower case.

        :raises ProblemException: 403, the Host is a stranger's, or the client is not on this machine
        """
        users_exist = await self.users_exist()
        host = headers.get("host", "")
        if not users_exist:
            if not is_own_host(host, self._bound):
                raise ProblemException(
                    403, f"Host {host[:100]!r} is not this machine: until a user exists, use http://localhost"
                )
            client = scope.get("client")
            if client and not is_loopback(client[0]):
                raise ProblemException(403, _NOT_YET)

    async def admit_page(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Let a request in that no page of another server made a browser send.

        :raises ProblemException: 403, the Origin is a stranger's
        """
        origin, host = headers.get("origin"), headers.get("host", "")
        if (
            origin is not None
            and scope["method"] not in _SAFE_METHODS
            and not is_own_origin(origin, scope["scheme"], host, behind_proxy=await self.users_exist())
        ):
            raise ProblemException(403, f"a page of {origin[:100]} may not send this to {host[:100]}")

    async def knows_page(self, origin: str) -> bool:
        """Whether there is a token for pages of this origin."""
        checked_at, pages = self._pages
        if self._clock() - checked_at >= self.TRUST_S:
            pages = await tokens.pages(self._pool())
            self._pages = (self._clock(), pages)
        return origin.lower() in pages

    async def identify(self, headers: Mapping[str, str]) -> Principal | None:
        """Who sends the request; None: nobody we know, though users exist."""
        if not await self.users_exist():
            return THIS_MACHINE
        kind, secret = presented(headers)
        if not secret:
            return None
        key = f"{kind} {secret}"
        known = self._trusted.get(key)
        if known and known[0] > self._clock():
            return known[1]
        while (asked := self._lookups.get(key)) is not None:  # one looks: those that come meanwhile wait for it
            await asked.over.wait()
            if asked.is_answered:
                return asked.principal
        asked = self._lookups[key] = _Lookup()
        until = self._clock() + self.TRUST_S  # from the question on: what is ended meanwhile ends in time
        try:
            verify = sessions.verify_session if kind == "session" else tokens.verify_token
            asked.principal = await verify(self._pool(), secret)
            asked.is_answered = True
            if self._lookups.get(key) is asked:
                self._remember(key, until, asked.principal)
            return asked.principal
        finally:
            if self._lookups.get(key) is asked:
                del self._lookups[key]
            asked.over.set()

    def _remember(self, key: str, until: float, principal: Principal | None) -> None:
        if principal is None:
            self._trusted.pop(key, None)
            return
        if len(self._trusted) >= _MOST_TRUSTED:
            self._trusted.clear()
        self._trusted[key] = (until, principal)

    async def authorise(self, headers: Mapping[str, str], permission: Permission) -> Principal:
        """Who sends the request, if they may do this.

        :raises ProblemException: 401, sign in first; 403, this one may not
        """
        principal = await self.identify(headers)
        if principal is None:
            raise ProblemException(
                401,
                "show who you are: a token in Authorization, or sign in",
                headers={"WWW-Authenticate": 'Bearer realm="cordwood"'},
            )
        if principal.must_change_password:
            raise ProblemException(
                403, "this password was for one use: choose another first (PUT /api/v1/session/password)"
            )
        page = headers.get("origin")
        if principal.origins and (page is None or page.lower() not in principal.origins):
            text = f"{principal.name} is a token for pages of {', '.join(principal.origins[:3])}"
            raise ProblemException(403, f"{text}, and this comes from {(page or 'none')[:100]}")
        if permission not in principal.permissions:
            who = f"{principal.name}, {principal.role}," if principal.role else principal.name
            raise ProblemException(403, f"{who} lacks the permission {permission}")
        return principal

    async def welcome(self, headers: Mapping[str, str], client: str, project: str) -> None:
        """Let in who came to a source's own listener, which stores in a project. `headers` have names in lower case.

        :raises DeniedError: users exist and it is none of them, or they may not; none exist and it is another machine
        """
        if not is_loopback(client) and not await self.users_exist():
            raise DeniedError(_NOT_YET, known=True)
        try:
            principal = await self.authorise(headers, "ingest")
        except ProblemException as why:
            raise DeniedError(why.detail, known=why.status == 403) from None
        if principal.project not in (None, project):
            text = f"this listener stores in {project}, and {principal.name} is of {principal.project}"
            raise DeniedError(f"{text}: send by HTTP", known=True)

    def distrust(self) -> None:
        """Look everything up again: credentials were ended here, or the first account was made."""
        self._trusted.clear()
        self._lookups.clear()
        self._pages = (float("-inf"), frozenset())
        if not self._users_exist:
            self._checked_at = float("-inf")

    def forget(self, headers: Mapping[str, str]) -> None:
        """Look the credential of this request up again next time, because it was ended."""
        kind, secret = presented(headers)
        self._trusted.pop(f"{kind} {secret}", None)
        self._lookups.pop(f"{kind} {secret}", None)


def presented(headers: Mapping[str, str]) -> tuple[str, str]:
    """The credential of a request: ("token", secret) of Authorization, else ("session", secret) of the cookie.

    Shippers have schemes of their own: `Splunk TOKEN`, `ApiKey TOKEN` or its base64 `ID:TOKEN`, and headers of `_KEYS`.
    """
    kind, _, value = headers.get("authorization", "").strip().partition(" ")
    match kind.lower():
        case "bearer" | "splunk":
            return "token", value.strip()
        case "apikey":
            try:
                _, colon, key = base64.b64decode(value.strip(), validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                colon = ""
            return "token", key if colon else value.strip()
        case "basic":
            try:
                _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                password = ""
            return "token", password
        case "":
            if own := [headers[name] for name in _KEYS if name in headers]:
                return "token", own[0].strip()
            return "session", session_cookie(headers)
    return "token", ""


def session_cookie(headers: Mapping[str, str]) -> str:
    """The session's secret, or the empty text."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def check_access(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar's guard on all routes: a route says `opt={"access": permission}` or "open", else it is admin's.

    A route whose handler takes no `project_id` is about the whole installation, and not for who is of another project
    than `default`, unless it says `opt={"any_project": True}`. A role that sees a part of the events comes to routes
    alone that say `opt={"filtered": True}`: those that show no event, or ask the engine with the principal's rights.
    """
    permission = handler.opt.get("access", "admin")
    if permission == "open":
        return
    gate: Gate = connection.app.state.gate
    principal = await gate.authorise(connection.headers, permission)
    bound = "project_id" in handler.parsed_fn_signature.parameters or handler.opt.get("any_project")
    if not bound and not is_home(principal):
        text = f"this is about the whole installation, and {principal.name} is of the project {principal.project}"
        raise ProblemException(403, f"{text}: ask an account or a token of {DEFAULT_PROJECT}")
    if principal.rights is not None and not handler.opt.get("filtered"):
        text = f"{principal.name}, {principal.role}, sees a part of the events, and this is made of all of them"
        raise ProblemException(403, text)
    connection.scope["user"] = principal


def is_home(principal: Principal) -> bool:
    """Whether it is of the installation's own project, or this machine."""
    return principal.project in (None, DEFAULT_PROJECT)
