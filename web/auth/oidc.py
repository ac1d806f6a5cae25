"""OpenID Connect as a relying party: authorization code with PKCE (RFC 7636), tokens checked by OIDC Core 3.1.3.7.

Nothing of a sign-in that is under way is kept here: the browser holds one secret in a cookie, and state, nonce and
verifier are made of it. Only the hosts that the settings name are ever asked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from pydantic import SecretStr

from ...config.sign_in import OidcSettings
from ...plugins import RejectedError, RetryableError, http_send
from .credentials import new_secret

FRESH_S: Final = 3600.0  # seconds that the provider's document and keys are used before they are asked for again
KEYS_AGAIN_S: Final = 60.0  # an unknown key makes us ask again, and nobody more often than this
TIMEOUT_S: Final = 10.0
LEEWAY_S: Final = 60  # between the provider's clock and ours
MOST_GROUPS: Final = 1000
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Asymmetric ones alone: with HS256 whoever has the client's secret could sign."""
T = TypeVar("T")
_PLAIN: Final = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "Cordwood"}


class OidcError(Exception):
    """Nobody is signed in; the message is for the log, and holds no token and no code."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that is under way, made of the one secret that its browser holds."""

    secret: str

    @classmethod
    def begun(cls) -> Flow:
        """A new one."""
        return cls(new_secret())

    @property
    def state(self) -> str:
        """Comes back with the code: it is this browser's sign-in."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Comes back in the token: it was made for this sign-in."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Shown with the code: a stolen code is of no use."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider gets of the verifier beforehand (S256)."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, label: str) -> str:
        return _base64url(hmac.digest(self.secret.encode("utf-8", "surrogatepass"), label.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as the provider says."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    groups: tuple[str, ...]
    asked_at: datetime | None = None
    """When the provider last made them show who they are; None: it does not say."""


class Metadata(msgspec.Struct, frozen=True):
    """What we need of the provider's document (OpenID Connect Discovery 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: Sequence[str] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str


class OidcClient:
    """Speaks to one provider; remembers its document and keys for an hour."""

    def __init__(self, settings: OidcSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._clock = settings, clock
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, Mapping[str, Any]] | None = None

    async def start(self, flow: Flow, redirect_uri: str, *, again: bool = False) -> str:
        """Where the browser goes to sign in; `again`: and shows who it is, though the provider may know it.

        :raises OidcError: the provider cannot be asked, or its document is wrong
        """
        metadata = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *self.settings.scopes))),
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": flow.challenge,
            "code_challenge_method": "S256",
        }
        if again:  # with max_age the ID token has auth_time, which is what counts (OpenID Connect Core 3.1.2.1)
            asked |= {"prompt": "login", "max_age": "0"}
        sign = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        return f"{metadata.authorization_endpoint}{sign}{urlencode(asked)}"

    async def finish(self, flow: Flow, *, code: str, state: str, issuer: str | None, redirect_uri: str) -> Identity:
        """Who came back with this code.

        :raises OidcError: it is another browser's, another provider's, or the provider or its token does not hold
        """
        if not hmac.compare_digest(state.encode("utf-8", "surrogatepass"), flow.state.encode()):
            raise OidcError("the state is not of a sign-in that this browser began")
        metadata = await self._discovered()
        if issuer is None and metadata.authorization_response_iss_parameter_supported:
            raise OidcError("the answer lacks iss, which the provider says it sends (RFC 9207)")
        if issuer not in (None, metadata.issuer):
            raise OidcError("the answer is of another provider (RFC 9207)")
        tokens = await self._exchanged(metadata, flow, code, redirect_uri)
        claims = dict(await self._checked(metadata, tokens.id_token, flow.nonce))
        asked_at = _moment(claims.get("auth_time"))  # as the ID token says, which is signed
        wanted = {"email", self.settings.groups_claim}
        if wanted - claims.keys() and metadata.userinfo_endpoint:
            claims = await self._user_info(metadata.userinfo_endpoint, tokens.access_token, claims["sub"]) | claims
        email, groups = claims.get("email"), claims.get(self.settings.groups_claim)
        groups = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return Identity(
            metadata.issuer,
            claims["sub"],
            email if isinstance(email, str) else None,
            claims.get("email_verified") in (True, "true"),
            tuple(group for group in groups[:MOST_GROUPS] if isinstance(group, str)),
            asked_at,
        )

    async def _discovered(self) -> Metadata:
        if self._metadata is not None and self._clock() - self._metadata[0] < FRESH_S:
            return self._metadata[1]
        issuer = self.settings.issuer
        body = await self._asked("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        found = _decoded(body, Metadata, "the provider's document")
        if found.issuer != issuer:
            raise OidcError(f"the document is of the issuer {found.issuer[:200]!r}, and sign_in says {issuer!r}")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint):
            if url is not None:
                self._permitted(url)
        self._metadata = (self._clock(), found)
        return found

    async def _exchanged(self, metadata: Metadata, flow: Flow, code: str, redirect_uri: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        id_, secret = self.settings.client_id, self.settings.client_secret
        if secret is not None and "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote(id_, safe='')}:{quote(secret.get_secret_value(), safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = id_
            if secret is not None:
                form["client_secret"] = secret.get_secret_value()
        body = await self._asked("POST", metadata.token_endpoint, urlencode(form).encode(), headers)
        return _decoded(body, _Tokens, "the token answer")

    async def _checked(self, metadata: Metadata, token: str, nonce: str) -> Mapping[str, Any]:
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(metadata, header.get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self.settings.client_id,
                issuer=metadata.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as why:
            raise OidcError(f"the ID token does not hold: {why}") from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode("utf-8", "surrogatepass"), nonce.encode()):
            raise OidcError("the ID token is of another sign-in: its nonce is not ours")
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self.settings.client_id:
            raise OidcError("the ID token was made for another client (azp)")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise OidcError("the ID token has no usable sub")
        return claims

    async def _key(self, metadata: Metadata, kid: str | None) -> Any:
        """The provider's key of this id; an unknown one makes us ask again: they change."""
        found = _key_of(await self._key_set(metadata, FRESH_S), kid)
        if found is None:
            found = _key_of(await self._key_set(metadata, KEYS_AGAIN_S), kid)
        if found is None:
            raise OidcError("the ID token is signed by a key that the provider does not publish")
        return found

    async def _key_set(self, metadata: Metadata, fresh_s: float) -> Mapping[str, Any]:
        if self._keys is None or self._clock() - self._keys[0] >= fresh_s:
            body = await self._asked("GET", metadata.jwks_uri)
            self._keys = (self._clock(), _decoded(body, dict[str, Any], "the provider's keys"))
        return self._keys[1]

    async def _user_info(self, url: str, access_token: str, subject: str) -> dict[str, Any]:
        body = await self._asked("GET", url, headers={"authorization": f"Bearer {access_token}"})
        found = _decoded(body, dict[str, Any], "the user info")
        if found.get("sub") != subject:
            raise OidcError("the user info is somebody else's: its sub is not the ID token's")
        return found

    async def _asked(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
        self._permitted(url)
        try:
            answer = await http_send(
                SecretStr(url), body, _PLAIN | dict(headers or {}), seconds=TIMEOUT_S, method=method
            )
        except (RetryableError, RejectedError) as why:
            raise OidcError(f"{method} {urlsplit(url).path}: {why}") from None
        if answer.status != 200:
            raise OidcError(f"{method} {urlsplit(url).path}: {answer.words}, {_oauth_error(answer.body)}")
        return answer.body

    def _permitted(self, url: str) -> None:
        """Let an address of the provider's pass: https, or the issuer's own scheme, and a host that the settings name.

        :raises OidcError: it is another
        """
        try:
            parts, issuer = urlsplit(url), urlsplit(self.settings.issuer)
            own = (parts.scheme, parts.hostname, parts.port) == (issuer.scheme, issuer.hostname, issuer.port)
        except ValueError:
            raise OidcError("the provider's document has an address that is none") from None
        if not own and not (parts.scheme == "https" and parts.hostname in {issuer.hostname, *self.settings.hosts}):
            raise OidcError(
                f"{parts.hostname} is not the issuer's host: name it in sign_in.oidc.hosts if it may be asked"
            )


def _moment(seconds: object) -> datetime | None:
    """The time of a claim; None where it is none.

    >>> _moment(0), _moment("0"), _moment(True), _moment(float("nan"))
    (datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc), None, None, None)
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1 << 33:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _key_of(keys: Mapping[str, Any], kid: str | None) -> Any:
    """The key of an id; without an id, the only one that signs."""
    import jwt

    try:
        usable = [key for key in jwt.PyJWKSet.from_dict(dict(keys)).keys if key.public_key_use in (None, "sig")]
    except jwt.PyJWTError:
        return None
    if kid is None:
        return usable[0] if len(usable) == 1 else None
    return next((key for key in usable if key.key_id == kid), None)


def _decoded(body: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        raise OidcError(f"{what} is not as it must be: {why}") from None


def _oauth_error(body: bytes) -> str:
    """The error's code of RFC 6749, which is public; nothing else of the answer."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any]).get("error", "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "and says no more"
    return repr(str(found)[:100])


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
