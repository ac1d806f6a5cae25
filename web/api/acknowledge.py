"""`/acknowledge/{token}`: the link in a notification, and `/api/v1/slack/actions`: the button in Slack.

Neither needs an account: the token says which incident its holder may acknowledge. Looking at the page changes nothing,
since mail scanners look at every link; its button does.
"""

from __future__ import annotations

from html import escape
from typing import Annotated, Any, Final, TypeAlias

from litestar import Request, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter
from litestar.response import Response

from ...core.alerting import AlertingRepository, IncidentRecord
from ...core.alerting.links import LONGEST, Claim
from ..problems import ProblemException, described
from .node import NodeDependency

HTML: Final = "text/html"
Token: TypeAlias = Annotated[
    str, PathParameter(name="token", max_length=LONGEST, description="As it stands in the notification's link")
]
_GONE: Final = ResponseSpec(
    str, media_type=HTML, generate_examples=False, description="The link is not valid, as a page"
)
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ max-width: 36rem; margin: 3rem auto; padding: 0 1rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.4rem; }}
button {{ font: inherit; font-weight: 600; padding: 0.6rem 1.4rem; }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""


@get(
    "/acknowledge/{token:str}",
    operation_id="showAcknowledgement",
    summary="Ask whether to acknowledge",
    tags=["alerts"],
    media_type=HTML,
    opt={"access": "open"},
    responses={**described(), 404: _GONE},
)
async def show_acknowledgement(node: NodeDependency, token: Token) -> Response[str]:
    """A page with the incident and a button. It changes nothing."""
    found = await _incident(node, node.links.read(token))
    if found is None:
        return _gone()
    about = f"<p>{escape(found.title)}</p><p>{escape(found.severity)}, {escape(found.detector)}, {found.state}</p>"
    if found.state in ("acknowledged", "resolved"):
        return _page(f"Incident {found.id} is {found.state}", about)
    button = '<form method="post"><button>Acknowledge</button></form>'
    return _page(f"Acknowledge incident {found.id}?", about + button)


@post(
    "/acknowledge/{token:str}",
    operation_id="acknowledgeByLink",
    summary="Acknowledge by a notification's link",
    tags=["alerts"],
    status_code=200,
    media_type=HTML,
    opt={"access": "open"},
    responses={**described(), 404: _GONE},
)
async def acknowledge_by_link(node: NodeDependency, token: Token) -> Response[str]:
    """Acknowledge the incident of the link, and say so on a page."""
    claim = node.links.read(token)
    found = await _acknowledged(node, claim, f"the link sent by {claim.notifier}") if claim else None
    if found is None:
        return _gone()
    return _page(f"Incident {found.id} is {found.state}", f"<p>{escape(found.title)}</p>")


@post(
    "/api/v1/slack/actions",
    operation_id="takeSlackAction",
    summary="Slack says that a button was pressed",
    tags=["alerts"],
    status_code=200,
    opt={"access": "open"},
    responses=described(401),
)
async def take_slack_action(request: Request[Any, Any, Any], node: NodeDependency) -> None:
    """The request URL for interactivity of the Slack app whose `signing_secret` a notifier has."""
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    for entry in node.config.notifiers.values():
        pressed = entry.make().pressed(headers, body) if entry.type == "slack" else None
        if pressed is not None:
            await _acknowledged(node, node.links.read(pressed.token), f"{pressed.by} in Slack")
            return
    raise ProblemException(
        401, "no Slack notifier's signing_secret made this signature, or it is older than five minutes"
    )


async def _incident(node: NodeDependency, claim: Claim | None) -> IncidentRecord | None:
    if claim is None:
        return None
    return await AlertingRepository(node.store.pool).get_incident(claim.project_id, claim.incident_id)


async def _acknowledged(node: NodeDependency, claim: Claim | None, by: str) -> IncidentRecord | None:
    if claim is None:
        return None
    return await AlertingRepository(node.store.pool).acknowledge(claim.project_id, claim.incident_id, by=by)


def _gone() -> Response[str]:
    return _page("This link is not valid", "<p>It may be older than a week. Sign in to see the incident.</p>", 404)


def _page(title: str, body: str, status: int = 200) -> Response[str]:
    # With `no-referrer`, which other pages have, a browser would send the form without saying where it comes from.
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}
    return Response(_PAGE.format(title=title, body=body), status_code=status, media_type=HTML, headers=headers)
