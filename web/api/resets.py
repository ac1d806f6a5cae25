"""`/api/v1/session/reset`: a link by mail, or of an administrator, to choose another password."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Final

import anyio
import msgspec
from litestar import Request, post, put
from litestar.background_tasks import BackgroundTask
from litestar.params import JSONBody
from litestar.response import Response
from msgspec import Meta

from ...core.paging import possible_id
from ...core.storage.audit import audit
from ...plugins import DeliveryError, Letter, Mailer, RetryableError, rfc3339
from ..auth import resets
from ..auth.attempts import Attempts
from ..auth.errors import NoSuchError
from ..problems import ProblemException, described
from .node import GateDependency, NodeDependency, ProjectDependency, who_asks
from .session import Email, Password, be_confirmed, client_of
from .times import Time
from .users import UserId, seen

_PATIENCE_S: Final = 60.0  # for a mail: each answer of its server is waited for by the notifier's own timeout
_SUBJECT: Final = "Choose a new password for Cordwood"
_TEXT: Final = """\
Somebody, probably you, asked for a new password for {email} at {home}

Choose it here, within half an hour:

{link}

It ends all sessions of this account. Did you not ask for it? Then do nothing: without this link nothing changes.
"""
_log = logging.getLogger(__name__)


class ResetAsked(msgspec.Struct, frozen=True):
    """Who forgot their password."""

    email: Email


class NewPassword(msgspec.Struct, frozen=True):
    """What the link has after `#`, and the password that is to count from now on."""

    token: Annotated[str, Meta(max_length=100, examples=["cwr_…"])]
    new: Password


class ResetLink(msgspec.Struct, frozen=True):
    """A link by which somebody chooses a new password, once. It is not shown again."""

    link: Annotated[str, Meta(examples=["https://logs.example/reset-password#cwr_…"])]
    expires_at: Time


@post(
    "/api/v1/session/reset",
    operation_id="askForReset",
    summary="I forgot my password",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(404, 429),
)
async def ask_for_reset(
    data: JSONBody[ResetAsked], request: Request[Any, Any, Any], node: NodeDependency
) -> Response[None]:
    """Mail a link, by the notifier that `sign_in.mail` names, to who has an account with a password.

    The answer is the same for everybody, and sent before anything is looked up. 404: nobody mails links here.
    """
    mailer = _mailer(node)
    if mailer is None:
        raise ProblemException(404, "no mail is sent from here (sign_in.mail is not set): ask an administrator")
    asked: Attempts = request.app.state.resets_asked
    keys = (f"reset of {data.email.strip().lower()}", client_of(request))
    asked.check(*keys)
    asked.failed(*keys)
    return Response(None, status_code=204, background=BackgroundTask(_mailed, node, mailer, data.email))


def _mailer(node: NodeDependency) -> Mailer[Any] | None:
    entry = node.config.notifiers.get(node.config.sign_in.mail or "")
    made = None if entry is None else entry.make()
    return made if isinstance(made, Mailer) else None


async def _mailed(node: NodeDependency, mailer: Mailer[Any], email: str) -> None:
    """Send the link, if there is an account to send it to. What goes wrong is for the operator to read alone."""
    found = await resets.reset_by_mail(node.store.pool, email)
    if found is None:
        return
    text = _TEXT.format(email=found.email, home=node.url, link=_link(node, found))
    try:
        with anyio.fail_after(_PATIENCE_S):
            await mailer.write_to(Letter(found.email, _SUBJECT, text))
    except Exception as why:  # a stranger's code: what it says otherwise may hold an address or a key
        known = isinstance(why, DeliveryError | RetryableError)
        problem = str(why) if known else f"no answer within {_PATIENCE_S:.0f} s, or a defect ({type(why).__name__})"
        _log.warning("sign_in.mail: a link for a new password was not mailed: %s", problem)
        told = {"email": found.email, "why": problem[:200]}
        await audit(node.store.pool, found.email, "user.reset_not_mailed", project_id=found.project_id, **told)


def _link(node: NodeDependency, reset: resets.Reset) -> str:
    """What stands after # is sent to no server: neither a log nor a referrer has it."""
    return f"{node.url}/reset-password#{reset.secret}"


@put(
    "/api/v1/session/reset",
    operation_id="choosePassword",
    summary="Choose a new password by a link",
    tags=["access"],
    status_code=204,
    opt={"access": "open"},
    responses=described(404, 429),
)
async def choose_password(
    data: JSONBody[NewPassword], request: Request[Any, Any, Any], node: NodeDependency, gate: GateDependency
) -> None:
    """Put another password in the place of a forgotten one. All sessions of the account end; then sign in with it.

    404: the link was used, or is over.
    """
    attempts: Attempts = request.app.state.attempts
    client = client_of(request)
    attempts.check(client)
    try:
        email = await resets.choose_password(node.store.pool, data.token, data.new)
    except NoSuchError:
        attempts.failed(client)
        raise
    attempts.succeeded(f"account {email.lower()}")
    gate.distrust()


@post(
    "/api/v1/users/{id:int}/reset-link",
    operation_id="makeResetLink",
    summary="A link to choose a new password",
    tags=["access"],
    status_code=201,
    opt={"access": "admin"},
    responses=described(404, 409),
)
async def make_reset_link(
    request: Request[Any, Any, Any], node: NodeDependency, project_id: ProjectDependency, number: UserId
) -> ResetLink:
    """A link to hand to somebody who forgot their password, shown here once. Until it is used, nothing changes.

    People make one within five minutes after they signed in: else 403 with the type
    `urn:cordwood:problem:sign-in-again`.
    """
    if who_asks(request).email is not None:
        await be_confirmed(request, node)
    made = await resets.reset_by_admin(
        node.store.pool, possible_id(number), project_id=seen(request, project_id), by=who_asks(request).name
    )
    return ResetLink(_link(node, made), rfc3339(made.expires_at))
