"""`/api/v1/users`: accounts of people. Administrators of `default` see those of all projects, others their own."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.response import Response
from msgspec import Meta

from ...core.paging import page, possible_id
from ...plugins import RejectedError, rfc3339
from ..auth import accounts
from ..auth.credentials import one_time_password
from ..auth.gate import is_home
from ..auth.projects import DEFAULT_PROJECT
from ..auth.roles import Role
from ..problems import ProblemException, described
from .alerts import Limit
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks
from .session import Email, Password, be_confirmed
from .times import Time

ProjectName: TypeAlias = Annotated[str, Meta(max_length=63)]
UserId: TypeAlias = Annotated[int, PathParameter(name="id", description="The account's number")]
IfMatch: TypeAlias = Annotated[
    str | None, HeaderParameter(name="If-Match", description="The ETag it was read with: 412 where it changed since")
]
After: TypeAlias = Annotated[str | None, QueryParameter(name="cursor", max_length=200, description="`next_cursor`")]


class NewUser(msgspec.Struct, frozen=True):
    """A person who is to have an account."""

    email: Email
    role: Annotated[Role, Meta(max_length=63, description="A built-in role or one's own", examples=["viewer"])] = (
        "viewer"
    )
    password: Annotated[Password | None, Meta(description="Without it, one for one use is made and answered")] = None
    project: Annotated[
        ProjectName | None, Meta(description="Another than one's own: for administrators of default")
    ] = None
    service: Annotated[
        bool, Meta(description="A service account: a program's, with tokens; `email` is its name, such as ci-bot")
    ] = False


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed; what is not named stays."""

    role: Annotated[Role, Meta(max_length=63, examples=["editor"])] | None = None
    disabled: Annotated[bool | None, Meta(description="True closes the account and ends its sessions")] = None


class User(msgspec.Struct, frozen=True):
    """An account."""

    id: int
    email: Annotated[str, Meta(examples=["ada@example.com"])]
    role: Role
    project: Annotated[str, Meta(examples=["default"])]
    disabled: bool
    must_change_password: Annotated[bool, Meta(description="The password is for one use")]
    created_at: Time
    signed_in_at: Annotated[Time | None, Meta(description="When they last signed in")]
    service: Annotated[bool, Meta(description="A program's: it has tokens and does not sign in")]


class UserWithPassword(msgspec.Struct, frozen=True):
    """An account, and the password for one use that was made for it. It is not shown again."""

    user: User
    password: Annotated[str | None, Meta(description="null: the request had one", examples=["k7nd-2xwp-mq4h-9ubz"])]


class UserList(msgspec.Struct, frozen=True):
    """A page of accounts, in the order they were made."""

    items: list[User]
    next_cursor: str | None


@get(
    "/api/v1/users",
    operation_id="listUsers",
    summary="Accounts",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(),
)
async def list_users(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    project_id: ProjectDependency,
    cursor: After = None,
    limit: Limit = 100,
) -> UserList:
    """Accounts in the order they were made, closed ones included."""
    found = await accounts.list_users(
        node.store.pool, project_id=seen(request, project_id), after=after(cursor), limit=limit + 1
    )
    part = page(found, limit, lambda user: str(user.id))
    return UserList([_shown(user) for user in part.items], part.next_cursor)


@post(
    "/api/v1/users",
    operation_id="createUser",
    summary="Invite somebody",
    tags=["access"],
    status_code=201,
    opt={"access": "admin"},
    responses=described(404, 409),
)
async def create_user(
    data: JSONBody[NewUser],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
) -> Response[UserWithPassword]:
    """Make an account. Without a password, the answer has one for one use, to hand on: it is not shown again.

    The first account of all closes what was open to this machine: be sure that it is an administrator's.
    """
    if not await gate.users_exist() and data.role != "admin":
        raise ProblemException(409, "the first account must be an administrator's: nobody else could make another")
    if data.service:
        return await _create_service_account(data, request, node)
    password = data.password or one_time_password()
    made = await accounts.add_user(
        node.store.pool,
        data.email,
        password,
        role=data.role,
        project=target(request, data.project),
        must_change_password=data.password is None,
        by=who_asks(request).name,
    )
    gate.distrust()
    shown = UserWithPassword(_shown(made), None if data.password else password)
    return Response(shown, status_code=201, headers={"ETag": made.etag})


async def _create_service_account(
    data: NewUser, request: Request[Any, Any, Any], node: NodeDependency
) -> Response[UserWithPassword]:
    if data.password is not None:
        raise ProblemException(400, "a service account has no password: make a token for it")
    made = await accounts.add_service_account(
        node.store.pool, data.email, role=data.role, project=target(request, data.project), by=who_asks(request).name
    )
    return Response(UserWithPassword(_shown(made), None), status_code=201, headers={"ETag": made.etag})


@get(
    "/api/v1/users/{id:int}",
    operation_id="getUser",
    summary="One account",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(404),
)
async def get_user(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: UserId
) -> Response[User]:
    """One account, with its ETag."""
    found = await accounts.get_user(node.store.pool, possible_id(number), project_id=seen(request, project_id))
    return Response(_shown(found), headers={"ETag": found.etag})


@patch(
    "/api/v1/users/{id:int}",
    operation_id="changeUser",
    summary="Change a role, close or open an account",
    tags=["access"],
    opt={"access": "admin"},
    responses=described(404, 409, 412),
)
async def change_user(
    data: JSONBody[UserChange],
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
    number: UserId,
    if_match: IfMatch = None,
) -> Response[User]:
    """Change an account. The last administrator of a project stays one."""
    found = await accounts.change_user(
        node.store.pool,
        possible_id(number),
        role=data.role,
        disabled=data.disabled,
        etag=if_match,
        project_id=seen(request, project_id),
        by=who_asks(request).name,
    )
    gate.distrust()
    return Response(_shown(found), headers={"ETag": found.etag})


@delete(
    "/api/v1/users/{id:int}",
    operation_id="deleteUser",
    summary="Delete an account",
    tags=["access"],
    status_code=204,
    opt={"access": "admin"},
    responses=described(404, 409),
)
async def delete_user(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
    number: UserId,
) -> None:
    """Delete an account and end its sessions. What it did stays in the audit log."""
    await accounts.delete_user(
        node.store.pool, possible_id(number), project_id=seen(request, project_id), by=who_asks(request).name
    )
    gate.distrust()


@post(
    "/api/v1/users/{id:int}/password",
    operation_id="resetPassword",
    summary="A new password for one use",
    tags=["access"],
    status_code=200,
    opt={"access": "admin"},
    responses=described(404),
)
async def reset_password(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    project_id: ProjectDependency,
    number: UserId,
) -> UserWithPassword:
    """Give somebody who forgot it a password for one use, shown here once. Ends their sessions.

    People do it within five minutes after they signed in: else 403 with the type `urn:cordwood:problem:sign-in-again`.
    """
    if who_asks(request).email is not None:
        await be_confirmed(request, node)
    found, password = await accounts.reset_password(
        node.store.pool, possible_id(number), project_id=seen(request, project_id), by=who_asks(request).name
    )
    gate.distrust()
    return UserWithPassword(_shown(found), password)


def seen(request: Request[Any, Any, Any], project_id: int) -> int | None:
    """The project whose accounts and tokens who asks may see; None: all."""
    return None if is_home(who_asks(request)) else project_id


def target(request: Request[Any, Any, Any], wanted: str | None) -> str:
    """The name of the project that something is made in.

    :raises ProblemException: 403, it is another than one's own
    """
    principal = who_asks(request)
    own = principal.project or DEFAULT_PROJECT
    if wanted is not None and wanted != own and not is_home(principal):
        raise ProblemException(403, f"{principal.name} is of the project {own}, and makes nothing in another")
    return wanted or own


def after(cursor: str | None) -> int:
    """The id that those of the page lie above.

    :raises RejectedError: the cursor is none of ours
    """
    number = possible_id(int(cursor)) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 20 else 0
    if cursor is not None and not number:
        raise RejectedError("this cursor was given out by no page of this list; start without a cursor")
    return number


def _shown(user: accounts.User) -> User:
    return User(
        id=user.id,
        email=user.email,
        role=user.role,
        project=user.project,
        disabled=user.disabled_at is not None,
        must_change_password=user.must_change_password,
        created_at=rfc3339(user.created_at),
        signed_in_at=None if user.signed_in_at is None else rfc3339(user.signed_in_at),
        service=user.is_service,
    )
