"""`/api/v1/session`: people sign in with email and password, choose another password, and sign out again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta

from ...core.paging import possible_id
from ...core.storage.audit import audit
from ...plugins import rfc3339
from ..auth import accounts, sessions, totp
from ..auth.accounts import LONGEST_PASSWORD
from ..auth.attempts import Attempts
from ..auth.gate import COOKIE, session_cookie
from ..auth.principal import Principal
from ..auth.roles import PERMISSIONS, SCOPE_PERMISSIONS, SCOPES, Permission, Role, Scope
from ..auth.sessions import SESSION_DAYS
from ..auth.totp import Seal, WrongCodeError
from ..problems import CODE_NEEDED, SIGN_IN_AGAIN, ProblemException, described
from .node import GateDependency, NodeDependency
from .times import Time

Password = Annotated[str, Meta(max_length=LONGEST_PASSWORD, examples=["correct horse battery staple"])]
Email = Annotated[str, Meta(max_length=320, examples=["ada@example.com"])]


Code = Annotated[str, Meta(max_length=40, examples=["287082"])]


class FirstAdmin(msgspec.Struct, frozen=True):
    """Who becomes the first administrator."""

    email: Email
    password: Password


class SignIn(msgspec.Struct, frozen=True):
    """Who signs in."""

    email: Email
    password: Password
    code: Annotated[
        Code | None, Meta(description="Of the authenticator app, or a recovery code, where one is needed")
    ] = None


class PasswordChange(msgspec.Struct, frozen=True):
    """One's own password, and the one that is to replace it."""

    current: Password
    new: Password


class SessionUser(msgspec.Struct, frozen=True):
    """A person with an account."""

    email: str
    is_admin: bool
    role: Role
    must_change_password: Annotated[bool, Meta(description="True: the password was for one use; choose another first")]
    has_password: Annotated[bool, Meta(description="False: they sign in by a provider or a passkey alone")]


class SessionState(msgspec.Struct, frozen=True):
    """Who asks, and what they may do."""

    users_exist: Annotated[bool, Meta(description="False: this machine is served without signing in")]
    user: SessionUser | None
    project: Annotated[
        str | None, Meta(description="Whose events are seen; null: nobody is signed in, or no user exists")
    ]
    scopes: Annotated[list[Scope], Meta(description="What a token could have to do as much; empty: sign in first")]
    permissions: Annotated[list[Permission], Meta(description="What is allowed; empty: sign in first")]
    oidc: Annotated[
        str | None,
        Meta(description="The provider that `GET /api/v1/session/oidc` signs in with; null: none", examples=["Okta"]),
    ]
    mails_links: Annotated[
        bool, Meta(description="Whether `POST /api/v1/session/reset` mails a link for a new password")
    ]


@get(
    "/api/v1/session",
    operation_id="getSession",
    summary="Who am I?",
    tags=["access"],
    opt={"access": "open"},
    responses=described(),
)
async def get_session(request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency) -> SessionState:
    """Who is signed in, and what they may do; answers everybody."""
    return _state(await gate.identify(request.headers), node, users_exist=await gate.users_exist())


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
    """Sign in with email and password; the answer sets an HttpOnly cookie.

    Of an account with a second factor, 401 with the type `urn:cordwood:problem:code-needed` asks for `code` as well.
    """
    attempts: Attempts = request.app.state.attempts
    account, client = f"account {data.email.strip().lower()}", client_of(request)
    attempts.check(account, client)
    user_id = await sessions.check_password(node.store.pool, data.email, data.password)
    if user_id is None:
        attempts.failed(account, client)
        raise ProblemException(401, "email or password is wrong, or the account is closed")
    by = "password"
    if await totp.is_on(node.store.pool, user_id):
        by = "password and code"
        await _second_factor(data, request, node, user_id, account)
    attempts.succeeded(account)
    return await signed_in(request, node, user_id, by)


async def _second_factor(
    data: SignIn, request: Request[Any, Any, Any], node: NodeDependency, user_id: int, account: str
) -> None:
    """Let who shows the code pass. Wrong ones count as wrong passwords do, and the password before them was right."""
    if not data.code:
        raise ProblemException(401, "the password is right: the code of the authenticator app too", type_=CODE_NEEDED)
    try:
        await totp.check(node.store.pool, user_id, data.code, Seal(node.settings.secret_key))
    except WrongCodeError as why:
        request.app.state.attempts.failed(account, client_of(request))
        user = await accounts.get_user(node.store.pool, user_id)
        await audit(node.store.pool, user.email, "session.refused", project_id=user.project_id, by="code")
        raise ProblemException(401, str(why), type_=CODE_NEEDED) from None


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
        await sessions.sign_out(node.store.pool, secret)
        gate.forget(request.headers)


@put(
    "/api/v1/session/password",
    operation_id="changePassword",
    summary="Change one's own password",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(409, 429),
)
async def change_password(
    data: JSONBody[PasswordChange], request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> None:
    """Change the password of who is signed in, by the current one. All other sessions of the account end."""
    attempts: Attempts = request.app.state.attempts
    principal = await gate.identify(request.headers)
    if principal is None or principal.email is None:
        raise ProblemException(401, "sign in first: only people have a password")
    account, client = f"account {principal.email.lower()}", client_of(request)
    attempts.check(account, client)
    keep = session_cookie(request.headers)
    try:
        await accounts.change_password(node.store.pool, principal.email, data.current, data.new, keep=keep)
    except accounts.WrongPasswordError:
        attempts.failed(account, client)
        raise
    gate.distrust()


@post(
    "/api/v1/session/first",
    operation_id="createFirstAdmin",
    summary="Make the first administrator",
    tags=["access"],
    status_code=201,
    opt={"access": "open"},
    responses=described(409),
)
async def create_first_admin(
    data: JSONBody[FirstAdmin], request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> Response[SessionState]:
    """Make the first account, an administrator, and sign in. Only from this machine, and only while nobody has one.

    From then on everybody must sign in or show a token.
    """
    if await gate.users_exist():
        raise ProblemException(409, "there are accounts already: sign in, or ask an administrator")
    pool = node.store.pool
    made = await accounts.add_first_admin(pool, data.email, data.password, by="this machine")
    gate.distrust()
    return await signed_in(request, node, made.id, "password", status=201)


async def signed_in(
    request: Request[Any, Any, Any], node: NodeDependency, user_id: int, by: str, *, status: int = 200
) -> Response[SessionState]:
    """A new session for somebody who has shown who they are, and who they are."""
    cookie = await new_session(request, node, user_id, by, confirmed_at=datetime.now(UTC))
    state = _state(await sessions.principal_of(node.store.pool, user_id), node, users_exist=True)
    return Response(state, status_code=status, cookies=[cookie])


async def new_session(
    request: Request[Any, Any, Any], node: NodeDependency, user_id: int, by: str, *, confirmed_at: datetime | None
) -> Cookie:
    """The cookie of a new session; the one of before in this browser ends. `confirmed_at`: as `start_session` has it.

    :raises NoSuchError: the account is closed
    """
    pool = node.store.pool
    if old := session_cookie(request.headers):
        await sessions.sign_out(pool, old)
        request.app.state.gate.forget(request.headers)
    secret = await sessions.start_session(pool, user_id, by, browser_of(request), confirmed_at=confirmed_at)
    return _cookie(request, secret, SESSION_DAYS * 86_400)


def _state(principal: Principal | None, node: NodeDependency, *, users_exist: bool) -> SessionState:
    provider = node.config.sign_in.oidc
    oidc = None if provider is None else provider.name
    mails_links = node.config.sign_in.mail is not None
    if principal is None:
        return SessionState(users_exist, None, None, [], [], oidc, mails_links)
    user = None
    if principal.email is not None and principal.role is not None:
        is_admin = principal.role == "admin"
        must_change, has_password = principal.must_change_password, principal.has_password
        user = SessionUser(principal.email, is_admin, principal.role, must_change, has_password)
    return SessionState(
        users_exist,
        user,
        principal.project,
        [scope for scope in SCOPES if SCOPE_PERMISSIONS[scope] <= principal.permissions],
        [permission for permission in PERMISSIONS if permission in principal.permissions],
        oidc,
        mails_links,
    )


class BrowserSession(msgspec.Struct, frozen=True):
    """A browser in which one is signed in."""

    id: int
    current: Annotated[bool, Meta(description="It is the one that asks")]
    client: Annotated[str, Meta(description="The address that it signed in from", examples=["192.0.2.7"])]
    agent: Annotated[str, Meta(description="What it says it is")]
    created_at: Time
    seen_at: Annotated[Time, Meta(description="To the minute")]
    expires_at: Time


class BrowserSessions(msgspec.Struct, frozen=True):
    """One's own sessions, the last used first."""

    items: list[BrowserSession]


@get(
    "/api/v1/session/all",
    operation_id="listSessions",
    summary="Where am I signed in?",
    tags=["access"],
    opt={"access": "open"},
    responses=described(401),
)
async def list_sessions(request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency) -> BrowserSessions:
    """The browsers in which who asks is signed in."""
    current = session_cookie(request.headers)
    found = await sessions.list_sessions(node.store.pool, await own_account(request, gate), current)
    return BrowserSessions(
        [
            BrowserSession(
                one.id,
                one.is_current,
                one.client,
                one.agent,
                rfc3339(one.created_at),
                rfc3339(one.seen_at),
                rfc3339(one.expires_at),
            )
            for one in found
        ]
    )


@delete(
    "/api/v1/session/all/{id:int}",
    operation_id="endSession",
    summary="Sign out elsewhere",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(401, 404),
)
async def end_session(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    number: Annotated[int, PathParameter(name="id", description="The session's number")],
) -> None:
    """End one of one's own sessions: at once here, within a second on other nodes."""
    account = await own_account(request, gate)
    await sessions.end_session(node.store.pool, account, possible_id(number))
    gate.distrust()


async def own_account(request: Request[Any, Any, Any], gate: GateDependency) -> int:
    """The account of the person who asks.

    :raises ProblemException: 401, nobody is signed in
    """
    principal = await gate.identify(request.headers)
    if principal is None or principal.email is None or principal.account_id is None:
        raise ProblemException(401, "sign in first: only people have these")
    return principal.account_id


async def confirmed_account(request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency) -> int:
    """The account of the person who asks, and who has signed in just now.

    :raises ProblemException: 401, nobody is signed in; 403, it was too long ago
    """
    account = await own_account(request, gate)
    await be_confirmed(request, node)
    return account


async def be_confirmed(request: Request[Any, Any, Any], node: NodeDependency) -> None:
    """Let who signed in just now pass: who finds a browser open does not get more than the browser.

    :raises ProblemException: 403, it was too long ago
    """
    if not await sessions.is_confirmed(node.store.pool, session_cookie(request.headers)):
        minutes = int(sessions.CONFIRMED.total_seconds() // 60)
        text = f"this asks for a sign-in of the last {minutes} minutes: sign in again, then repeat it"
        raise ProblemException(403, text, type_=SIGN_IN_AGAIN)


def browser_of(request: Request[Any, Any, Any]) -> sessions.Browser:
    """Where a session is from."""
    client = request.client.host if request.client else ""
    return sessions.Browser(client, request.headers.get("user-agent", ""))


def client_of(request: Request[Any, Any, Any]) -> str:
    """Under what the failures of a client are counted."""
    return f"client {request.client and request.client.host}"


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
