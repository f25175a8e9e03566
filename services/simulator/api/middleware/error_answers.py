"""Answers errors in Upstox's envelope."""

from aiohttp import web
from aiohttp.typedefs import Handler

from services.simulator.api.envelope import UPSTOX_PATHS, failure
from services.simulator.errors import ApiError, ErrorCode
from shared.errors import RequestError


@web.middleware
async def error_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an ApiError, and on Upstox's paths also a RequestError or an unknown path."""
    try:
        return await handler(request)
    except ApiError as error:
        return failure(error)
    except RequestError as error:
        if not request.path.startswith(UPSTOX_PATHS):
            raise
        return failure(ApiError(ErrorCode.INVALID_INPUT, error.detail, path=error.field))
    except web.HTTPNotFound:
        if not request.path.startswith(UPSTOX_PATHS):
            raise
        return failure(ApiError(ErrorCode.PATH_NOT_FOUND, "Resource not Found."))
