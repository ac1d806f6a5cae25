"""Errors as the API answers them: RFC 9457 `application/problem+json`, with the place where there is one."""

from __future__ import annotations

import logging
import math
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

import anyio
import asyncpg
import msgspec
from litestar.connection import Request
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Response
from msgspec import UNSET, Meta, UnsetType

from ..core.storage.database import trouble
from ..plugins import LimitError, QueryError, RejectedError, RetryableError
from .auth.errors import AccountError

MEDIA_TYPE: Final = "application/problem+json"
LIMIT_REACHED: Final = "urn:cordwood:problem:limit-reached"
CODE_NEEDED: Final = "urn:cordwood:problem:code-needed"
SIGN_IN_AGAIN: Final = "urn:cordwood:problem:sign-in-again"
RETRY_AFTER: Final = 1.0  # seconds, where nobody says a better number
_log = logging.getLogger(__name__)


class ProblemError(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where: in the query or the document sent."""

    line: Annotated[int, Meta(description="Counts from 1; 0 where there is no line to point at", examples=[1])]
    column: Annotated[int, Meta(description="Counts from 1; 0 where there is no column to point at", examples=[17])]
    message: Annotated[str, Meta(examples=["no such stage: stat"])]
    hint: Annotated[str | None, Meta(description="What to do", examples=["did you mean stats?"])]
    pointer: Annotated[
        str | UnsetType,
        Meta(description="JSON pointer to the value of the body, or the parameter", examples=["/limit"]),
    ] = UNSET


class ProblemLimit(msgspec.Struct, frozen=True):
    """The limit that was reached."""

    name: Annotated[str, Meta(description="Its name under `limits` in the YAML", examples=["daily_bytes"])]
    value: Annotated[int, Meta(description="What it is set to", examples=[10_000_000_000])]
    free_at: Annotated[
        str | UnsetType, Meta(description="When something is let in again", examples=["2026-11-25T00:00:00Z"])
    ] = UNSET


class Problem(msgspec.Struct, frozen=True):
    """RFC 9457 problem details."""

    title: Annotated[str, Meta(description="The status in words", examples=["Bad Request"])]
    status: Annotated[int, Meta(description="The HTTP status", examples=[400])]
    detail: Annotated[str, Meta(description="What is wrong and what to do", examples=["1:17 no such stage: stat"])]
    type: Annotated[str, Meta(description="A URI of the kind of problem; `about:blank`: the status says all")]
    errors: list[ProblemError]
    instance: Annotated[
        str | UnsetType, Meta(description="Set for status 500: the id under which the server's log has the cause")
    ] = UNSET
    limit: Annotated[ProblemLimit | UnsetType, Meta(description="Set for status 413 and 429")] = UNSET


class ProblemException(Exception):  # noqa: N818 - the framework's word for it, and it is no error of ours
    """Ends a request with this problem. `after`: seconds for Retry-After; `limit`: name and value of a limit;
    `type_`: a URI of the kind of problem, for clients that do something about it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        after: float | None = None,
        headers: Mapping[str, str] | None = None,
        errors: list[ProblemError] | None = None,
        limit: tuple[str, int] | None = None,
        type_: str = "about:blank",
    ) -> None:
        super().__init__(detail)
        self.limit, self.type = limit, type_
        self.status, self.detail, self.after = status, detail, after
        self.headers, self.errors = dict(headers or {}), errors or []


class NotFoundProblem(ProblemException):
    """There is no such thing."""

    def __init__(self, what: str) -> None:
        super().__init__(404, what)


def to_problem(why: Exception) -> tuple[Problem, dict[str, str]]:
    """The problem for any exception, and the headers that go with it. What nobody expected is logged, here and once."""
    match why:
        case ProblemException():
            problem = msgspec.structs.replace(_problem(why.status, why.detail, why.errors), type=why.type)
            if why.limit is not None:
                problem = _of_limit(problem, *why.limit, why.after)
            return problem, _retry(why.after) | why.headers
        case QueryError():
            place = ProblemError(why.line, why.column, why.message, why.hint or None)
            return _problem(400, f"{why.line}:{why.column} {why.message}", [place]), {}
        case AccountError():
            return _problem(why.status, str(why)), {}
        case RejectedError():
            return _problem(400, str(why)), {}
        case LimitError():
            return _of_limit(_problem(429, str(why)), why.limit, why.value, why.after), _retry(why.after)
        case RetryableError():
            return _problem(503, str(why)), _retry(why.after or RETRY_AFTER)
        case TimeoutError():
            return _problem(503, str(why) or "it took too long; try again"), _retry(RETRY_AFTER)
        case ValidationException():
            errors = _invalid(why)
            return _problem(400, "; ".join(f"{e.pointer}: {e.message}" for e in errors) or why.detail, errors), {}
        case HTTPException() if why.status_code < 500:
            return _problem(why.status_code, why.detail), dict(why.headers or {})
        case _ if is_database_trouble(why):
            _log.warning("the database did not answer: %s", why)
            return _problem(503, f"{trouble(why)}; try again"), _retry(RETRY_AFTER)
    reference = secrets.token_hex(8)
    _log.error("request failed, %s", reference, exc_info=why)
    text = f"something is wrong in the server; its log says more under {reference}"
    return msgspec.structs.replace(_problem(500, text), instance=f"urn:cordwood:error:{reference}"), {}


def is_database_trouble(why: Exception) -> bool:
    """Whether PostgreSQL was not reachable or gave up, rather than refused what we asked."""
    if isinstance(why, FileNotFoundError) and why.filename is None:
        return True  # the socket of a server that has stopped; a file that we miss has a name
    return isinstance(
        why,
        asyncpg.PostgresConnectionError
        | asyncpg.OperatorInterventionError
        | asyncpg.InsufficientResourcesError
        | asyncpg.TransactionRollbackError
        | asyncpg.ReadOnlySQLTransactionError
        | asyncpg.InvalidAuthorizationSpecificationError
        | asyncpg.InvalidCatalogNameError
        | asyncpg.InterfaceError
        | asyncpg.InternalClientError
        | ConnectionError
        | anyio.BrokenResourceError,
    )


def problem_response(request: Request[Any, Any, Any], why: Exception) -> Response[Problem]:
    """Litestar's exception handler for everything."""
    match why:
        case NotFoundException():
            why = NotFoundProblem(f"there is no {request.url.path[:200]}; /schema lists what is")
        case MethodNotAllowedException():
            allow = (why.headers or {}).get("allow", "")
            text = f"{request.url.path[:200]} takes {allow}, not {request.method}"
            why = ProblemException(405, text, headers={"Allow": allow})
    problem, headers = to_problem(why)
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def described(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route for the OpenAPI document; every route may answer 400, 401, 403, 500 and 503."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
            generate_examples=False,
        )
        for status in sorted({400, 401, 403, 500, 503, *statuses})
    }


def _problem(status: int, detail: str, errors: list[ProblemError] | None = None) -> Problem:
    return Problem(HTTPStatus(status).phrase, status, detail, "about:blank", errors or [])


def _of_limit(problem: Problem, name: str, value: int, after: float | None) -> Problem:
    limit = ProblemLimit(name, value)
    if after is not None:
        free_at = datetime.now(UTC) + timedelta(seconds=math.ceil(after))
        limit = msgspec.structs.replace(limit, free_at=free_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return msgspec.structs.replace(problem, type=LIMIT_REACHED, limit=limit)


def _retry(after: float | None) -> dict[str, str]:
    return {} if after is None else {"Retry-After": str(max(1, math.ceil(after)))}


def _invalid(why: ValidationException) -> list[ProblemError]:
    """What a schema did not allow: a message with a pointer for each."""
    found = why.extra if isinstance(why.extra, list) else []
    errors = []
    for item in found:
        key, message = str(item.get("key", "")), str(item.get("message", ""))
        if (key, message) == ("data", "'data'"):
            key, message = "", "the body is empty; send a JSON object"
        errors.append(ProblemError(0, 0, message, None, pointer="/" + key.replace(".", "/")))
    return errors


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body may be no JSON at all, which is the client's fault and not a defect."""

    async def json(self) -> Any:
        """The body as JSON values.

        :raises ProblemException: 400, with the place
        """
        body = await self.body()
        try:
            return msgspec.json.decode(body)
        except RecursionError:
            message, at = "nested too deep", 0
        except UnicodeDecodeError as why:
            message, at = "no UTF-8", why.start
        except msgspec.DecodeError as why:
            message = str(why).removeprefix("JSON is malformed: ")
            found = _BYTE.search(message)
            at = int(found[1]) if found else len(body)
        before = body[:at]
        line, column = before.count(b"\n") + 1, at - (before.rfind(b"\n") + 1) + 1
        detail = f"the body is no JSON: {message}" if body else "the body is empty; send a JSON object"
        raise ProblemException(400, detail, errors=[ProblemError(line, column, message, None)])


_BYTE: Final = re.compile(r"\(byte (\d+)\)")
