"""`/api/v1/session/passkey…`: people sign in with a passkey, and add and remove their own."""

from __future__ import annotations

import logging
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, delete, get, post
from litestar.params import JSONBody, PathParameter
from litestar.response import Response
from msgspec import Meta

from ...core.paging import possible_id
from ...core.storage.audit import audit
from ...plugins import rfc3339
from ..auth import passkeys
from ..auth.attempts import Attempts
from ..auth.passkeys import LONGEST_NAME, NoPasskeyError, Site
from ..problems import ProblemException, described
from .node import GateDependency, NodeDependency
from .session import SessionState, client_of, confirmed_account, own_account, signed_in
from .times import Time

Encoded = Annotated[str, Meta(max_length=20_000, description="Base64url")]
_log = logging.getLogger(__name__)


class PasskeyOptions(msgspec.Struct, frozen=True):
    """PublicKeyCredentialRequestOptions of WebAuthn, in JSON."""

    challenge: Encoded
    rpId: Annotated[str, Meta(examples=["logs.example.com"])]
    timeout: int
    userVerification: str


class PasskeySite(msgspec.Struct, frozen=True):
    """Whom the passkey is for."""

    id: Annotated[str, Meta(examples=["logs.example.com"])]
    name: str


class PasskeyUser(msgspec.Struct, frozen=True):
    """Whose passkey it is."""

    id: Encoded
    name: str
    displayName: str


class PasskeyAlgorithm(msgspec.Struct, frozen=True):
    """A signature algorithm, by its COSE number."""

    type: str
    alg: int


class PasskeyDescriptor(msgspec.Struct, frozen=True):
    """A passkey that the device may have."""

    id: Encoded
    type: str


class PasskeySelection(msgspec.Struct, frozen=True):
    """What a device must be able to do."""

    residentKey: str
    requireResidentKey: bool
    userVerification: str


class NewPasskeyOptions(msgspec.Struct, frozen=True):
    """PublicKeyCredentialCreationOptions of WebAuthn, in JSON."""

    rp: PasskeySite
    user: PasskeyUser
    challenge: Encoded
    pubKeyCredParams: list[PasskeyAlgorithm]
    timeout: int
    excludeCredentials: list[PasskeyDescriptor]
    authenticatorSelection: PasskeySelection
    attestation: str


class PasskeyProof(msgspec.Struct, frozen=True):
    """What the device answered to a challenge."""

    clientDataJSON: Encoded
    authenticatorData: Encoded
    signature: Encoded
    userHandle: Encoded | None = None


class PasskeyAnswer(msgspec.Struct, frozen=True):
    """AuthenticationResponseJSON of WebAuthn."""

    id: Encoded
    rawId: Encoded
    response: PasskeyProof
    type: Annotated[str, Meta(pattern="^public-key$")] = "public-key"


class PasskeyAttestation(msgspec.Struct, frozen=True):
    """The key that the device made."""

    clientDataJSON: Encoded
    attestationObject: Encoded


class PasskeyMade(msgspec.Struct, frozen=True):
    """RegistrationResponseJSON of WebAuthn."""

    id: Encoded
    rawId: Encoded
    response: PasskeyAttestation
    type: Annotated[str, Meta(pattern="^public-key$")] = "public-key"


class NewPasskey(msgspec.Struct, frozen=True):
    """A passkey to add, under a name."""

    name: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, pattern="^[^\\x00]*$", examples=["laptop"])]
    credential: PasskeyMade


class Passkey(msgspec.Struct, frozen=True):
    """One's own passkey."""

    id: int
    name: Annotated[str, Meta(examples=["laptop"])]
    created_at: Time
    used_at: Time | None


class PasskeyList(msgspec.Struct, frozen=True):
    """One's own passkeys, in the order they were added."""

    items: list[Passkey]


@post(
    "/api/v1/session/passkey/options",
    operation_id="startPasskey",
    summary="A challenge to sign in with",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(429),
)
async def start_passkey(request: Request[Any, Any, Any], node: NodeDependency) -> PasskeyOptions:
    """A challenge for any passkey of this site. It is answered once, within five minutes."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    _attempts(request).check(client_of(request))
    options = generate_authentication_options(
        rp_id=site_of(request, node).host,
        challenge=await passkeys.new_challenge(node.store.pool, None),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return msgspec.json.decode(options_to_json(options), type=PasskeyOptions)


@post(
    "/api/v1/session/passkey",
    operation_id="signInByPasskey",
    summary="Sign in with a passkey",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(404, 429),
)
async def sign_in_by_passkey(
    data: JSONBody[PasskeyAnswer], request: Request[Any, Any, Any], node: NodeDependency
) -> Response[SessionState]:
    """Sign in with a device's answer to a challenge; the answer sets an HttpOnly cookie."""
    attempts, client = _attempts(request), client_of(request)
    attempts.check(client)
    try:
        user_id = await passkeys.owner_of(node.store.pool, msgspec.to_builtins(data), site_of(request, node))
    except NoPasskeyError as why:
        attempts.failed(client)
        _log.info("sign-in by passkey: %s", why)
        await audit(node.store.pool, "somebody", "session.refused", project_id=None, by="passkey")
        raise ProblemException(401, "this passkey is not known here, or its answer came too late") from None
    return await signed_in(request, node, user_id, "passkey")


@get(
    "/api/v1/session/passkeys",
    operation_id="listPasskeys",
    summary="My passkeys",
    tags=["access"],
    opt={"access": "open"},
    responses=described(),
)
async def list_passkeys(request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency) -> PasskeyList:
    """The passkeys of who is signed in."""
    found = await passkeys.list_passkeys(node.store.pool, await own_account(request, gate))
    return PasskeyList([_shown(one) for one in found])


@post(
    "/api/v1/session/passkeys/options",
    operation_id="startNewPasskey",
    summary="A challenge to make a passkey with",
    tags=["access"],
    status_code=200,
    opt={"access": "open"},
    responses=described(),
)
async def start_new_passkey(
    request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> NewPasskeyOptions:
    """What a device needs to make a passkey for who signed in within the last five minutes.

    Else 403 with the type `urn:cordwood:problem:sign-in-again`.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    account, pool = await confirmed_account(request, node, gate), node.store.pool
    principal = await gate.identify(request.headers)
    email = (principal and principal.email) or ""
    options = generate_registration_options(
        rp_id=site_of(request, node).host,
        rp_name="Cordwood",
        user_name=email,
        user_id=account.to_bytes(8, "big"),
        challenge=await passkeys.new_challenge(pool, account),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=one) for one in await passkeys.credential_ids(pool, account)
        ],
    )
    return msgspec.json.decode(options_to_json(options), type=NewPasskeyOptions)


@post(
    "/api/v1/session/passkeys",
    operation_id="addPasskey",
    summary="Add a passkey",
    tags=["access"],
    status_code=201,
    opt={"access": "open"},
    responses=described(404, 409),
)
async def add_passkey(
    data: JSONBody[NewPasskey], request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> Passkey:
    """Keep the public key of a passkey that a device has made."""
    account, credential = await own_account(request, gate), msgspec.to_builtins(data.credential)
    try:
        made = await passkeys.add_passkey(node.store.pool, account, data.name, credential, site_of(request, node))
    except NoPasskeyError as why:
        raise ProblemException(400, str(why)) from None
    return _shown(made)


@delete(
    "/api/v1/session/passkeys/{id:int}",
    operation_id="deletePasskey",
    summary="Remove a passkey",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(404),
)
async def delete_passkey(
    request: Request[Any, Any, Any],
    node: NodeDependency,
    gate: GateDependency,
    number: Annotated[int, PathParameter(name="id", description="The passkey's number")],
) -> None:
    """Forget one of one's own passkeys: nobody signs in with it any more. Sessions stay."""
    await passkeys.delete_passkey(node.store.pool, await own_account(request, gate), possible_id(number))


def site_of(request: Request[Any, Any, Any], node: NodeDependency) -> Site:
    """Whom passkeys are for: the host that browsers ask. A proxy may have taken the TLS off."""
    host = request.headers.get("host", "")
    if address := node.settings.public_url:
        parts = urlsplit(address)
        return Site(parts.hostname or "", (f"{parts.scheme}://{parts.netloc}",))
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        raise ProblemException(400, "Host is no name of a host") from None
    return Site(name, (f"{request.url.scheme}://{host}", f"https://{host}"))


def _attempts(request: Request[Any, Any, Any]) -> Attempts:
    attempts: Attempts = request.app.state.attempts
    return attempts


def _shown(one: passkeys.Passkey) -> Passkey:
    return Passkey(one.id, one.name, rfc3339(one.created_at), None if one.used_at is None else rfc3339(one.used_at))
