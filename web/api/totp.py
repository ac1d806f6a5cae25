"""`/api/v1/session/totp`: people add a second factor to their password, and turn it off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post, put
from litestar.params import JSONBody
from msgspec import Meta

from ..auth import totp
from ..auth.attempts import Attempts
from ..auth.totp import Seal, WrongCodeError
from ..problems import described
from .node import GateDependency, NodeDependency
from .session import Code, confirmed_account, own_account


class SecondFactor(msgspec.Struct, frozen=True):
    """Whether signing in with the password needs a code."""

    on: bool
    recovery_codes_left: int


class NewSecondFactor(msgspec.Struct, frozen=True):
    """What an authenticator app needs. It is not shown again."""

    secret: Annotated[str, Meta(description="Base32, to type in", examples=["JBSWY3DPEHPK3PXP"])]
    uri: Annotated[str, Meta(description="`otpauth:`, for apps on this device")]
    qr: Annotated[str, Meta(description="The same as a picture to scan: `data:image/svg+xml,…`")]


class CodeGiven(msgspec.Struct, frozen=True):
    """A code of the app, or a recovery code."""

    code: Code


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Each signs in once in the place of a code. They are not shown again."""

    recovery_codes: list[str]


@get(
    "/api/v1/session/totp",
    operation_id="getSecondFactor",
    summary="My second factor",
    tags=["access"],
    opt={"access": "open"},
    responses=described(),
)
async def get_second_factor(
    request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> SecondFactor:
    """Whether who is signed in has a second factor, and how many recovery codes are left."""
    left = await totp.codes_left(node.store.pool, await own_account(request, gate))
    return SecondFactor(left is not None, left or 0)


@post(
    "/api/v1/session/totp",
    operation_id="startSecondFactor",
    summary="Begin a second factor",
    tags=["access"],
    status_code=201,
    opt={"access": "open"},
    responses=described(409),
)
async def start_second_factor(
    request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> NewSecondFactor:
    """Make a secret for an authenticator app (TOTP: SHA-1, 6 digits, 30 s). It counts once a code of it is shown.

    Asks for a sign-in of the last five minutes: else 403 with the type `urn:cordwood:problem:sign-in-again`.
    """
    import pyotp
    import segno

    account = await confirmed_account(request, node, gate)
    principal = await gate.identify(request.headers)
    secret = await totp.begin(node.store.pool, account, Seal(node.settings.secret_key))
    name = (principal and principal.email) or "account"
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Cordwood")
    return NewSecondFactor(secret, uri, segno.make(uri, error="m").svg_data_uri(scale=4, border=3, light="white"))


@put(
    "/api/v1/session/totp",
    operation_id="confirmSecondFactor",
    summary="Turn the second factor on",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(409, 429),
)
async def confirm_second_factor(
    data: JSONBody[CodeGiven], request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> RecoveryCodes:
    """Turn it on with a code of the app; the answer has the recovery codes, once."""
    account = await own_account(request, gate)
    with _counted(request, account):
        codes = await totp.confirm(node.store.pool, account, data.code, Seal(node.settings.secret_key))
    return RecoveryCodes(codes)


@post(
    "/api/v1/session/totp/off",
    operation_id="stopSecondFactor",
    summary="Turn the second factor off",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(409, 429),
)
async def stop_second_factor(
    data: JSONBody[CodeGiven], request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> None:
    """Turn it off with a code of the app, or a recovery code. From then on the password is enough."""
    account = await own_account(request, gate)
    with _counted(request, account):
        await totp.turn_off(node.store.pool, account, data.code, Seal(node.settings.secret_key))


@contextlib.contextmanager
def _counted(request: Request[Any, Any, Any], account: int) -> Iterator[None]:
    """Counts a wrong code that is given within.

    :raises ProblemException: 429, there were too many
    """
    attempts: Attempts = request.app.state.attempts
    key = f"codes of {account}"
    attempts.check(key)
    try:
        yield
    except WrongCodeError:
        attempts.failed(key)
        raise
