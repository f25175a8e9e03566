"""Error responses as problem+json (RFC 9457), also for malformed bodies and queries."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeVar, get_args, get_origin

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ValidationError

from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    RequestError,
    RetryLater,
    TooLarge,
    UnsupportedEncoding,
)
from shared.runtime.http_errors import problem_of_status
from shared.runtime.logs import get_logger
from shared.runtime.problem_document import problem

log = get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BODY_TIMEOUT_SECS: Final = 10.0

M = TypeVar("M", bound=BaseModel)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A middleware: turns a handler's exceptions into error responses, logs unexpected ones."""
    try:
        return await handler(request)
    except RequestError as error:
        retry_after = error.retry_after_secs if isinstance(error, RetryLater) else None
        return problem(
            error.code,
            error.status,
            error.detail,
            field=error.field,
            retry_after=retry_after,
            members=error.members,
        )
    except web.HTTPNotFound as error:
        return problem(Code.NOT_FOUND, error.status, f"no such path: {request.path}")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        response = problem(Code.METHOD_NOT_ALLOWED, error.status, f"allowed here: {allowed}")
        response.headers["Allow"] = allowed
        return response
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return problem_of_status(error)
    except (HttpProcessingError, web.RequestPayloadError):
        return problem(Code.BAD_MESSAGE, HTTPStatus.BAD_REQUEST, "the body is not valid HTTP")
    except Exception:
        log.exception("request failed", method=request.method, path=request.path)
        return problem(Code.INTERNAL, 500, "internal error; it was logged")


def check_encoding(request: web.Request) -> None:
    """Raises UnsupportedEncoding if the request's body is compressed (RFC 9110, 8.4).

    No request of this project is large, and to decompress one costs memory that its sender
    does not have to send.
    """
    encodings = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING, ()))
    if any(name.strip().lower() not in ("", "identity") for name in encodings.split(",")):
        raise UnsupportedEncoding(
            "send the body without a Content-Encoding", field=hdrs.CONTENT_ENCODING
        )


async def read_body(request: web.Request, model: type[M]) -> M:
    """Parse the request's JSON body as `model`.

    Raises the errors of `read_bytes`, BadMessage if the body is not JSON, and InvalidField for
    the first rule that it breaks.
    """
    body = await read_bytes(request)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise first_error(error, "body") from None


async def read_bytes(request: web.Request) -> bytes:
    """The request's body.

    Raises BadMessage if it takes longer than 10 s or is cut off, TooLarge if it is longer than
    the application allows, and UnsupportedEncoding if it is compressed.
    """
    check_encoding(request)
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_SECS):
            return await request.read()
    except TimeoutError:
        raise BadMessage(f"the body did not arrive within {_BODY_TIMEOUT_SECS:.0f} s") from None
    except ConnectionError:
        raise BadMessage("the client has closed the connection before the body's end") from None
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge("the body is too large") from None


def read_query(request: web.Request, model: type[M]) -> M:
    """Parse the request's query as `model`; raises InvalidField for the first rule it breaks.

    A parameter may be repeated if its field in the model is a list.
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
        raise first_error(error, "query") from None


def read_path(request: web.Request, model: type[M]) -> M:
    """Parse the parameters of the request's path as `model`; raises InvalidField."""
    try:
        return model.model_validate(dict(request.match_info))
    except ValidationError as error:
        raise first_error(error, "path") from None


def _lists_of(model: type[BaseModel]) -> set[str]:
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if _is_list(field.annotation)
    }


def _is_list(annotation: object) -> bool:
    """Whether the type is a list, also inside `| None` or `Annotated`."""
    if get_origin(annotation) is list:
        return True
    return any(_is_list(part) for part in get_args(annotation))


def first_error(error: ValidationError, whole: str) -> RequestError:
    """The first rule that the input breaks; `whole` names the field of a rule for all of it."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return BadMessage("the body is not valid JSON")
    field = ".".join(str(part) for part in first["loc"]) or whole
    rule = first["msg"].removeprefix("Value error, ")
    return InvalidField(f"{field}: {rule}", field=field)
