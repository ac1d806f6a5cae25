"""`/api/v1/session`: people sign in with email and password, and out again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody
from litestar.response import Response
from msgspec import Meta

from ..auth import accounts
from ..auth.accounts import SCOPES, SESSION_DAYS, Scope
from ..auth.attempts import Attempts
from ..auth.gate import COOKIE, session_cookie
from ..problems import ProblemException, described
from .node import GateDependency, NodeDependency


class SignIn(msgspec.Struct, frozen=True):
    """Who signs in."""

    email: Annotated[str, Meta(max_length=320, examples=["ada@example.com"])]
    password: Annotated[str, Meta(max_length=1024)]


class SessionUser(msgspec.Struct, frozen=True):
    """A person with an account."""

    email: str
    is_admin: bool


class SessionState(msgspec.Struct, frozen=True):
    """Who asks, and what they may do."""

    users_exist: Annotated[bool, Meta(description="False: this machine is served without signing in")]
    user: SessionUser | None
    scopes: Annotated[list[Scope], Meta(description="ingest, query, admin; empty: sign in first")]


@get(
    "/api/v1/session",
    operation_id="getSession",
    summary="Who am I?",
    tags=["access"],
    opt={"access": "open"},
    responses=described(),
)
async def get_session(request: Request[Any, Any, Any], gate: GateDependency) -> SessionState:
    """Who is signed in, and what they may do; answers everybody."""
    principal = await gate.identify(request.headers)
    user = SessionUser(principal.email, principal.is_admin) if principal and principal.email else None
    scopes = [scope for scope in SCOPES if principal and scope in principal.scopes]
    return SessionState(await gate.users_exist(), user, scopes)


@post(
    "/api/v1/session",
    operation_id="signIn",
    summary="Sign in",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(429),
)
async def sign_in(
    data: JSONBody[SignIn], request: Request[Any, Any, Any], node: NodeDependency
) -> Response[SessionState]:
    """Sign in with email and password; the answer sets an HttpOnly cookie."""
    attempts: Attempts = request.app.state.attempts
    account, client = f"account {data.email.strip().lower()}", f"client {request.client and request.client.host}"
    attempts.check(account, client)
    found = await accounts.sign_in(node.store.pool, data.email, data.password)
    if found is None:
        attempts.failed(account, client)
        raise ProblemException(401, "email or password is wrong, or the account is closed")
    attempts.succeeded(account)
    user, secret = found
    principal = accounts.principal_of(user.email, is_admin=user.is_admin)
    scopes = [scope for scope in SCOPES if scope in principal.scopes]
    return Response(
        SessionState(True, SessionUser(user.email, user.is_admin), scopes),
        cookies=[_cookie(request, secret, SESSION_DAYS * 86_400)],
    )


@delete(
    "/api/v1/session",
    operation_id="signOut",
    response_cookies=[Cookie(COOKIE, value="", path="/", max_age=0, httponly=True, samesite="lax")],
    summary="Sign out",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(),
)
async def sign_out(request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency) -> None:
    """End the session and take its cookie away."""
    if secret := session_cookie(request.headers):
        await accounts.sign_out(node.store.pool, secret)
        gate.forget(request.headers)


def _cookie(request: Request[Any, Any, Any], secret: str, seconds: int) -> Cookie:
    """Sent by this site's own pages only, not readable by scripts, and over TLS only where there is TLS."""
    return Cookie(
        COOKIE,
        value=secret,
        path="/",
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
