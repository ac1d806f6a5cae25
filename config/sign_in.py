"""`sign_in:`, ways to sign in beside a password: by an OpenID Connect provider; and who mails new passwords."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from ..plugins.described import Described
from .shapes import Names


class _Model(Described, BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _issuer(url: str) -> str:
    """As the provider writes it: the `iss` of its tokens is compared letter by letter.

    >>> _issuer("https://id.example/realms/main"), _issuer("http://127.0.0.1:9000")
    ('https://id.example/realms/main', 'http://127.0.0.1:9000')
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an address such as https://id.example/realms/main")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(parts.hostname)):
        raise ValueError("must begin with https://; http:// is for a provider on this machine alone")
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class OidcSettings(_Model):
    """A provider of OpenID Connect, by authorization code with PKCE."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(examples=["https://id.example/realms/main"])
    """The provider's issuer; `/.well-known/openid-configuration` below it says the rest."""
    client_id: str = Field(min_length=1)
    """What the provider calls this installation."""
    client_secret: SecretStr | None = None
    """Its secret there; without one the client is public, and PKCE alone protects the code."""
    name: str = Field(default="single sign-on", min_length=1, max_length=60)
    """What the button of the sign-in page says after `Sign in with`."""
    scopes: Names = ["openid", "email", "profile"]
    """Scopes that are asked for; `openid` is among them in any case."""
    hosts: Names = []
    """Hosts beside the issuer's where the provider's endpoints may be."""
    groups_claim: str = "groups"
    """The claim that holds somebody's groups."""
    roles: dict[str, str] = {}
    """The role of each group. Of several, the first in this order counts, and it is set at each sign-in."""
    default_role: str | None = "viewer"
    """The role of who is in none of these groups; `null`: they are refused."""
    project: str = "default"
    """The project of the accounts."""
    create_users: bool = True
    """Whether who has no account gets one at the first sign-in."""


class SignInSettings(_Model):
    """`sign_in:`, ways to sign in beside a password."""

    oidc: OidcSettings | None = None
    """A provider of OpenID Connect."""
    mail: str | None = None
    """The notifier, of a type that can write to one person (`email`), that mails who forgot their password a link."""
