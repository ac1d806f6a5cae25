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
:root {{ color-scheme: light dark; font: 15px/1.5 -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }}
body {{ margin: 0; min-height: 100vh; padding: 1.5rem; box-sizing: border-box; display: grid; place-items: center;
  overflow-wrap: anywhere; background: light-dark(#f6f4ef, #141210); color: light-dark(#221d16, #ece6dc); }}
main {{ box-sizing: border-box; width: min(30rem, 100%); padding: 28px; border-radius: 14px;
  background: light-dark(#fffefb, #1b1916); border: 1px solid light-dark(#e3ddd1, #2d2924);
  box-shadow: 0 10px 32px light-dark(rgb(60 45 20 / 16%), rgb(0 0 0 / 60%)); }}
.brand {{ display: flex; align-items: center; gap: 10px; margin: 0 0 20px; font-size: 17px; font-weight: 650; }}
h1 {{ margin: 0 0 12px; font-size: 21px; line-height: 1.25; letter-spacing: -0.015em; }}
p {{ margin: 0 0 6px; }}
.about {{ font-size: 13px; color: light-dark(#575046, #b9b0a2); }}
.severity {{ font: 600 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
.error, .fatal {{ color: light-dark(#b0301c, #ff8a75); }}
.warn {{ color: light-dark(#7a5200, #f3bd4e); }}
button {{ width: 100%; height: 38px; margin-top: 16px; border: 0; border-radius: 7px; font: inherit; font-weight: 600;
  cursor: pointer; background: light-dark(#1b6b50, #74cba8); color: light-dark(#fff, #0c1f17); }}
button:hover {{ background: light-dark(#14563f, #93dabd); }}
button:focus-visible {{ outline: 2px solid light-dark(#1b6b50, #74cba8); outline-offset: 2px; }}
</style></head><body><main><p class="brand">{logo}<span>Cordwood</span></p><h1>{title}</h1>{body}</main></body></html>
"""
_LOG: Final = (
    '<g transform="translate({} {})"><circle r="6.4" fill="#d79a5b" stroke="#6d4524" stroke-width="1.6"/>'
    '<circle r="3.6" stroke="#8a5a2e" stroke-width="1.2"/><circle r="1.1" stroke="#8a5a2e" stroke-width="1.2"/></g>'
)
_LOGO: Final = (
    '<svg width="34" height="34" viewBox="0 0 32 32" fill="none" aria-hidden="true">'
    f"{_LOG.format(16, 9.4)}{_LOG.format(8.9, 21.6)}{_LOG.format(23.1, 21.6)}</svg>"
)
"""The ends of three stacked logs, as the pages of the UI have them."""


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
    level = escape(found.severity.lower().rstrip("234"))
    severity = f'<span class="severity {level}">{escape(found.severity)}</span>'
    about = f'<p>{escape(found.title)}</p><p class="about">{severity} · {escape(found.detector)} · {found.state}</p>'
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
    return Response(
        _PAGE.format(title=title, body=body, logo=_LOGO), status_code=status, media_type=HTML, headers=headers
    )
