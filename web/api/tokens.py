"""`/api/v1/tokens`: what programs show. Administrators of `default` see those of all projects, others their own."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, delete, get, post
from litestar.params import JSONBody, PathParameter
from msgspec import Meta

from ...config import parse_duration
from ...core.paging import before, page, possible_id
from ...plugins import RejectedError, rfc3339
from ..auth import tokens
from ..auth.roles import Scope
from ..problems import described
from .alerts import Cursor, Limit
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks
from .session import be_confirmed
from .times import Time
from .users import ProjectName, seen, target

Span: TypeAlias = Annotated[str, Meta(max_length=20)]
TokenId: TypeAlias = Annotated[int, PathParameter(name="id", description="The token's number")]


class NewToken(msgspec.Struct, frozen=True):
    """A token that is to be made."""

    name: Annotated[str, Meta(min_length=1, max_length=tokens.LONGEST_NAME, examples=["fluent-bit on web-1"])]
    scopes: Annotated[
        list[Scope], Meta(min_length=1, max_length=3, description="What it may do", examples=[["ingest"]])
    ]
    valid_for: Annotated[Span | None, Meta(description="Without it: until it is revoked", examples=["90d"])] = None
    project: Annotated[
        ProjectName | None, Meta(description="Another than one's own: for administrators of default")
    ] = None
    origins: Annotated[
        list[Annotated[str, Meta(max_length=300)]],
        Meta(
            max_length=tokens.MOST_ORIGINS,
            description="A key for browsers: pages whose scripts may send with it. It can have the scope ingest alone",
            examples=[["https://shop.example"]],
        ),
    ] = []
    account: (
        Annotated[str, Meta(max_length=63, description="The service account that it is of: it does what both may")]
        | None
    ) = None


class Token(msgspec.Struct, frozen=True):
    """A token, without its secret."""

    id: int
    name: str
    scopes: list[Scope]
    project: Annotated[str, Meta(description="Whose events it sends and reads", examples=["default"])]
    created_at: Time
    created_by: Annotated[str, Meta(description="Empty for those made before this was noted")]
    expires_at: Time | None
    last_used_at: Annotated[Time | None, Meta(description="To the minute")]
    revoked_at: Time | None
    origins: Annotated[list[str], Meta(description="Pages whose scripts may send with it; none: a program's")]
    account: Annotated[str | None, Meta(description="The service account that it is of")]


class TokenWithSecret(msgspec.Struct, frozen=True):
    """A new token. The secret is not shown again."""

    token: Token
    secret: Annotated[str, Meta(description="For `Authorization: Bearer SECRET`", examples=["cw_…"])]


class TokenList(msgspec.Struct, frozen=True):
    """A page of tokens, newest first."""

    items: list[Token]
    next_cursor: str | None


@get(
    "/api/v1/tokens",
    operation_id="listTokens",
    summary="Tokens, newest first",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(),
)
async def list_tokens(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> TokenList:
    """Tokens, newest first, revoked and expired ones included."""
    found = await tokens.list_tokens(
        node.store.pool, project_id=seen(request, project_id), before=before(cursor), limit=limit + 1
    )
    part = page(found, limit, lambda token: str(token.id))
    return TokenList([_shown(token) for token in part.items], part.next_cursor)


@post(
    "/api/v1/tokens",
    operation_id="createToken",
    summary="Make a token",
    tags=["access"],
    status_code=201,
    opt={"access": "admin"},
    responses=described(404),
)
async def create_token(
    data: JSONBody[NewToken], request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency
) -> TokenWithSecret:
    """Make a token. The answer has its secret, which is kept nowhere and not shown again.

    People make one of scope admin within five minutes after they signed in: else 403 with the type
    `urn:cordwood:problem:sign-in-again`.
    """
    if "admin" in data.scopes and who_asks(request).email is not None:
        await be_confirmed(request, node)
    try:
        span = None if data.valid_for is None else parse_duration(data.valid_for)
    except (ValueError, OverflowError) as why:
        raise RejectedError(f"valid_for: {why}") from None
    made, secret = await tokens.create_token(
        node.store.pool,
        data.name,
        data.scopes,
        valid_for=span,
        project=target(request, data.project),
        origins=data.origins,
        account=data.account,
        by=who_asks(request).name,
    )
    return TokenWithSecret(_shown(made), secret)


@get(
    "/api/v1/tokens/{id:int}",
    operation_id="getToken",
    summary="One token",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(404),
)
async def get_token(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: TokenId
) -> Token:
    """One token, without its secret."""
    return _shown(await tokens.get_token(node.store.pool, possible_id(number), project_id=seen(request, project_id)))


@delete(
    "/api/v1/tokens/{id:int}",
    operation_id="revokeToken",
    summary="Revoke a token",
    tags=["access"],
    status_code=200,
    opt={"access": "admin"},
    responses=described(404),
)
async def revoke_token(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
    number: TokenId,
) -> Token:
    """End a token: it is refused at once here, and within a second on other nodes. It stays in the list."""
    found = await tokens.revoke_token(
        node.store.pool, possible_id(number), project_id=seen(request, project_id), by=who_asks(request).name
    )
    gate.distrust()
    return _shown(found)


def _shown(token: tokens.Token) -> Token:
    expires, used, revoked = (
        None if at is None else rfc3339(at) for at in (token.expires_at, token.last_used_at, token.revoked_at)
    )
    return Token(
        id=token.id,
        name=token.name,
        scopes=list(token.scopes),
        project=token.project,
        created_at=rfc3339(token.created_at),
        created_by=token.created_by,
        expires_at=expires,
        last_used_at=used,
        revoked_at=revoked,
        origins=list(token.origins),
        account=token.account,
    )
