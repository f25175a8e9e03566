"""Faults of requests: refused, slow, or carried out and the answer lost or late."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from services.simulator.envelope import INVALID_TOKEN, ApiError, failure
from services.simulator.fault_injection.faults import OF_REQUESTS, FaultKind, Faults

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_OWN_PATHS: Final = "/simulator/"
_UNFORESEEN: Final = "UDAPI100500"


def fault_injection(faults: Faults) -> Any:
    """A middleware that lets faults strike; never the simulator's own calls."""

    @web.middleware
    async def strike(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(_OWN_PATHS):
            return await handler(request)
        fault = faults.take(OF_REQUESTS, method=request.method, path=request.path)
        if fault is None:
            return await handler(request)
        if fault.kind is FaultKind.ERROR:
            return _error(HTTPStatus(fault.status))
        if fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.delay_secs)
            return await handler(request)
        response = await handler(request)
        if fault.kind is FaultKind.LATE:
            await asyncio.sleep(fault.delay_secs)
        elif request.transport is not None:
            request.transport.abort()
        return response

    return strike


def _error(status: HTTPStatus) -> web.Response:
    code = INVALID_TOKEN if status is HTTPStatus.UNAUTHORIZED else _UNFORESEEN
    return failure(status, [ApiError(code, status.phrase)])
