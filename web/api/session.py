"""`/api/v1/session`: people sign in with email and password, and out again."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post
from litestar.response import Response
from msgspec import Meta

from ..problems import described
from .node import NodeDependency


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
    scopes: Annotated[list[str], Meta(description="ingest, query, admin; empty: sign in first")]


@get(
    "/api/v1/session",
    operation_id="getSession",
    summary="Who am I?",
    tags=["access"],
    opt={"access": "open"},
    responses=described(),
)
async def get_session(request: Request[Any, Any, Any]) -> SessionState:
    """Who is signed in, and what they may do; answers everybody."""
    raise NotImplementedError


@post(
    "/api/v1/session",
    operation_id="signIn",
    summary="Sign in",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(429),
)
async def sign_in(data: SignIn, request: Request[Any, Any, Any], node: NodeDependency) -> Response[SessionState]:
    """Sign in with email and password; the answer sets an HttpOnly cookie."""
    raise NotImplementedError


@delete(
    "/api/v1/session",
    operation_id="signOut",
    summary="Sign out",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(),
)
async def sign_out(request: Request[Any, Any, Any], node: NodeDependency) -> Response[None]:
    """End the session and take its cookie away."""
    raise NotImplementedError
