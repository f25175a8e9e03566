"""Turns errors into problem+json answers (RFC 9457), the same on every HTTP door."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    Overloaded,
    RequestError,
    TooLarge,
    TooManyAttempts,
)
from shared.logs import get_logger

log = get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BODY_SECS: Final = 10.0

M = TypeVar("M", bound=BaseModel)


def problem(
    code: Code,
    status: int,
    detail: str,
    *,
    field: str | None = None,
    retry_after: int | None = None,
) -> web.Response:
    """An error answer: `code` is stable, `detail` is for people."""
    body: dict[str, object] = {"code": code.value, "status": status, "detail": detail}
    if field is not None:
        body["field"] = field
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        status=status,
        text=json.dumps(body),
        content_type="application/problem+json",
        headers=headers,
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers every error of a handler with its code; unforeseen ones are logged as such."""
    try:
        return await handler(request)
    except RequestError as error:
        retry_after = None
        if isinstance(error, Overloaded | TooManyAttempts):
            retry_after = error.retry_after_secs
        return problem(
            error.code, error.status, error.detail, field=error.field, retry_after=retry_after
        )
    except web.HTTPNotFound as error:
        return problem(Code.NOT_FOUND, error.status, f"no such path: {request.path}")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = problem(Code.METHOD_NOT_ALLOWED, error.status, f"allowed here: {allowed}")
        response.headers["Allow"] = allowed
        return response
    except web.HTTPException:
        raise
    except Exception:
        log.exception("request failed", method=request.method, path=request.path)
        return problem(Code.INTERNAL, 500, "something went wrong on our side; it was logged")


async def read_body(request: web.Request, model: type[M]) -> M:
    """The request's JSON body as `model`.

    Raises BadMessage if it is not JSON, InvalidField (first broken rule) if it does not fit,
    TooLarge if it is longer than the site allows.
    """
    try:
        async with asyncio.timeout(_BODY_SECS):
            body = await request.read()
        return model.model_validate_json(body)
    except TimeoutError:
        raise BadMessage(f"the body did not come within {_BODY_SECS:.0f} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge("the body is too large") from None
    except ValidationError as error:
        raise _broken_rule(error, "body") from None


def read_query(request: web.Request, model: type[M]) -> M:
    """The request's query as `model`; raises InvalidField (first broken rule)."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise _broken_rule(error, "query") from None


def _broken_rule(error: ValidationError, whole: str) -> RequestError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return BadMessage("the body is not valid JSON")
    field = ".".join(str(part) for part in first["loc"]) or whole
    rule = first["msg"].removeprefix("Value error, ")
    return InvalidField(f"{field}: {rule}", field=field)
