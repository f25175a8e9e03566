"""Applies the armed faults to requests: errors, delays, lost answers."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.simulator.api.envelope import failure
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.fault_injection.faults import REQUEST_FAULTS, FaultKind, Faults

_OWN_PATHS: Final = "/simulator/"


def request_faults(faults: Faults) -> Middleware:
    """The middleware; faults never apply to the simulator's own paths."""

    @web.middleware
    async def apply_fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(_OWN_PATHS):
            return await handler(request)
        fault = faults.take(REQUEST_FAULTS, method=request.method, path=request.path)
        if fault is None:
            return await handler(request)
        if fault.kind is FaultKind.ERROR:
            return _error_answer(HTTPStatus(fault.status))
        if fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.delay_secs)
            return await handler(request)
        response = await handler(request)
        if fault.kind is FaultKind.LATE:
            await asyncio.sleep(fault.delay_secs)
        elif request.transport is not None:
            request.transport.abort()
        return response

    return apply_fault


def _error_answer(status: HTTPStatus) -> web.Response:
    is_unauthorized = status is HTTPStatus.UNAUTHORIZED
    code = ErrorCode.INVALID_TOKEN if is_unauthorized else ErrorCode.INTERNAL_ERROR
    return failure(ApiError(code, status.phrase), status)
