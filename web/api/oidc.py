"""`/api/v1/session/oidc`: people sign in at the provider that `sign_in.oidc` names, and come back with a session."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from litestar import Request, get
from litestar.datastructures import Cookie
from litestar.params import QueryParameter
from litestar.response import Response

from ...core.storage.audit import audit
from ..auth.attempts import Attempts
from ..auth.errors import AccountError, NoSuchError
from ..auth.identities import NotWelcomeError, account_of
from ..auth.oidc import Flow, OidcClient, OidcError
from ..problems import NotFoundProblem, described
from .node import GateDependency, NodeDependency
from .session import client_of, new_session

PATH: Final = "/api/v1/session/oidc"
COOKIE: Final = "cordwood_oidc"
MINUTES: Final = 10
"""How long somebody may take to sign in at the provider."""
HOME: Final = "/explore"
LONGEST_PATH: Final = 2000
_log = logging.getLogger(__name__)


@get(
    PATH,
    operation_id="startOidc",
    summary="Sign in at the provider",
    tags=["access"],
    status_code=302,
    opt={"access": "open"},
    responses=described(404, 429),
)
async def start_oidc(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    return_to: Annotated[
        str, QueryParameter(max_length=LONGEST_PATH, description="A page of this server to show afterwards")
    ] = HOME,
    again: Annotated[
        bool, QueryParameter(description="Have the provider ask who it is, though it may know this browser")
    ] = False,
) -> Response[None]:
    """Send the browser to the provider that `sign_in.oidc` names, which sends it back to `…/callback`."""
    client, attempts = _provider(request, node), _attempts(request)
    attempts.check(client_of(request))
    flow, page = Flow.begun(), own_path(return_to)
    try:
        address = await client.start(flow, _callback(request, node), again=again)
    except OidcError as why:
        _log.warning("sign-in by OpenID Connect: %s", why)
        return _sent(f"{page.partition('#')[0]}#sign-in=provider")
    value = f"{flow.secret}.{base64.urlsafe_b64encode(page.encode()).decode().rstrip('=')}"
    return _sent(address, _cookie(request, value, MINUTES * 60))


@get(
    f"{PATH}/callback",
    operation_id="finishOidc",
    summary="Come back from the provider",
    tags=["access"],
    status_code=302,
    opt={"access": "open"},
    responses=described(404, 429),
)
async def finish_oidc(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    code: Annotated[str, QueryParameter(max_length=4000, description="What is exchanged for tokens")] = "",
    oidc_state: Annotated[str, QueryParameter(name="state", max_length=200, description="Whose sign-in it is")] = "",
    error: Annotated[str, QueryParameter(max_length=200, description="Why there is no code")] = "",
    iss: Annotated[str | None, QueryParameter(max_length=2000, description="Who answers (RFC 9207)")] = None,
) -> Response[None]:
    """Begin a session for who comes back with a code, and show the page they came from; else say there why not."""
    client, attempts = _provider(request, node), _attempts(request)
    attempts.check(client_of(request))
    secret, page = _held(request)
    gone = _cookie(request, "", 0)
    try:
        if error:
            raise OidcError(f"the provider says {error[:100]!r}")
        who = await client.finish(
            Flow(secret), code=code, state=oidc_state, issuer=iss, redirect_uri=_callback(request, node)
        )
        user_id = await account_of(node.store.pool, who, client.settings)
    except OidcError as why:
        attempts.failed(client_of(request))
        return await _refused(node, page, "denied" if error == "access_denied" else "failed", str(why), gone)
    except NotWelcomeError as why:
        return await _refused(node, page, "no-account", str(why), gone)
    except AccountError as why:  # a role or a project of the settings that there is not
        return await _refused(node, page, "settings", str(why), gone)
    try:
        session = await new_session(request, node, user_id, "oidc", confirmed_at=who.asked_at)
    except NoSuchError as why:
        return await _refused(node, page, "closed", str(why), gone)
    gate.distrust()
    return _sent(page, session, gone)


def own_path(text: str) -> str:
    """The page of this server that the text names, or the first one: nobody is sent elsewhere.

    >>> own_path("/explore?q=a%20b"), own_path("//evil.example"), own_path("/\\\\evil.example"), own_path("https://x")
    ('/explore?q=a%20b', '/explore', '/explore', '/explore')
    """
    if not re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", text) or len(text) > LONGEST_PATH:
        return HOME
    parts = urlsplit(text)
    return HOME if parts.scheme or parts.netloc or parts.path.startswith("/api/") else text


async def _refused(node: NodeDependency, page: str, why: str, text: str, gone: Cookie) -> Response[None]:
    """Back to the page, which says it in its own words: what the provider said is for the log."""
    _log.warning("sign-in by OpenID Connect: %s", text)
    await audit(node.store.pool, "somebody", "session.refused", project_id=None, by="oidc")
    return _sent(f"{page.partition('#')[0]}#sign-in={why}", gone)


def _provider(request: Request[Any, Any, Any], node: NodeDependency) -> OidcClient:
    """Who speaks to the provider of the settings as they are now.

    :raises NotFoundProblem: there is none
    """
    settings = node.config.sign_in.oidc
    if settings is None:
        raise NotFoundProblem("there is no provider to sign in with: sign_in.oidc in the pipeline file names one")
    known: OidcClient | None = request.app.state.oidc
    if known is None or known.settings != settings:
        known = request.app.state.oidc = OidcClient(settings)
    return known


def _held(request: Request[Any, Any, Any]) -> tuple[str, str]:
    """The secret of the sign-in that this browser began, and the page it came from."""
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        morsel = None
    secret, _, page = (morsel.value if morsel else "").partition(".")
    try:
        path = base64.urlsafe_b64decode(page + "=" * (-len(page) % 4)).decode()
    except (binascii.Error, ValueError):
        path = HOME
    # Without a cookie nobody began anything: a fresh secret is one whose state nobody knows.
    return secret or Flow.begun().secret, own_path(path)


def _callback(request: Request[Any, Any, Any], node: NodeDependency) -> str:
    base = node.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return f"{base}{PATH}/callback"


def _attempts(request: Request[Any, Any, Any]) -> Attempts:
    attempts: Attempts = request.app.state.attempts
    return attempts


def _sent(where: str, *cookies: Cookie) -> Response[None]:
    return Response(None, status_code=302, headers={"Location": where}, cookies=list(cookies))


def _cookie(request: Request[Any, Any, Any], value: str, seconds: int) -> Cookie:
    return Cookie(
        COOKIE,
        value=value,
        path=PATH,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
