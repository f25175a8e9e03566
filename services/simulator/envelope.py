"""Upstox's answers: the envelope of success, and the one of errors with its twin names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from shared.errors import RequestError

INVALID_TOKEN: Final = "UDAPI100050"
RATE_LIMIT: Final = "UDAPI10005"
INVALID_INPUT: Final = "UDAPI100036"
NO_SUCH_PATH: Final = "UDAPI100060"
UPSTOX_PATHS: Final = ("/v2/", "/v3/")


@dataclass(frozen=True, slots=True)
class ApiError:
    """One error as Upstox tells it; `code` is of the UDAPI family."""

    code: str
    message: str
    property_path: str | None = None
    invalid_value: object = None

    def body(self) -> dict[str, object]:
        """Every name in both its spellings, as Upstox sends it."""
        return {
            "errorCode": self.code,
            "message": self.message,
            "propertyPath": self.property_path,
            "invalidValue": self.invalid_value,
            "error_code": self.code,
            "property_path": self.property_path,
            "invalid_value": self.invalid_value,
        }


class Refusal(Exception):
    """A request that Upstox would answer with an error; `refusals` turns it into one."""

    def __init__(self, status: HTTPStatus, *errors: ApiError) -> None:
        super().__init__(", ".join(error.message for error in errors))
        self.status = status
        self.errors = errors


def refuse(
    status: HTTPStatus, code: str, message: str, *, path: str | None = None, value: object = None
) -> Refusal:
    """A refusal with one error, to be raised."""
    return Refusal(status, ApiError(code, message, path, value))


def success(data: Any, *, status: str = "success", **more: Any) -> web.Response:
    """``{"status": "success", "data": ...}``, and what else a call puts beside it."""
    return web.json_response({"status": status, "data": data, **more})


def failure(status: HTTPStatus, errors: Sequence[ApiError]) -> web.Response:
    """``{"status": "error", "errors": [...]}``, without data."""
    body = json.dumps({"status": "error", "errors": [error.body() for error in errors]})
    return web.Response(status=status, text=body, content_type="application/json")


@web.middleware
async def refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answers a `Refusal` as Upstox does, and on its paths any error of a request."""
    try:
        response: web.StreamResponse = await handler(request)
    except Refusal as refusal:
        return failure(refusal.status, refusal.errors)
    except RequestError as error:
        if not request.path.startswith(UPSTOX_PATHS):
            raise
        return failure(HTTPStatus.BAD_REQUEST, [ApiError(INVALID_INPUT, error.detail, error.field)])
    except web.HTTPNotFound:
        if not request.path.startswith(UPSTOX_PATHS):
            raise
        return failure(HTTPStatus.NOT_FOUND, [ApiError(NO_SUCH_PATH, "Resource not Found.")])
    return response
