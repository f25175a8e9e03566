"""Turns errors into problem+json answers (RFC 9457), the same on every HTTP door."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar, get_args, get_origin

from aiohttp import web
from pydantic import BaseModel, ValidationError

from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    Overloaded,
    RateLimited,
    RequestError,
    TooLarge,
    TooManyAttempts,
)
from shared.runtime.logs import get_logger

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
        if isinstance(error, Overloaded | RateLimited | TooManyAttempts):
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
    """The request's query as `model`; raises InvalidField (first broken rule).

    What the model has as a list may be given several times, all else once.
    """
    lists = _lists_of(model)
    fields: dict[str, object] = {}
    for name in request.query:
        values = request.query.getall(name)
        if name in lists:
            fields[name] = values
        elif len(values) > 1:
            raise InvalidField(f"{name}: given more than once", field=name)
        else:
            fields[name] = values[0]
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise _broken_rule(error, "query") from None


def _lists_of(model: type[BaseModel]) -> set[str]:
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if _is_list(field.annotation)
    }


def _is_list(annotation: object) -> bool:
    """Whether it is a list, also within `| None` or `Annotated`."""
    if get_origin(annotation) is list:
        return True
    return any(_is_list(part) for part in get_args(annotation))


def _broken_rule(error: ValidationError, whole: str) -> RequestError:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return BadMessage("the body is not valid JSON")
    field = ".".join(str(part) for part in first["loc"]) or whole
    rule = first["msg"].removeprefix("Value error, ")
    return InvalidField(f"{field}: {rule}", field=field)
