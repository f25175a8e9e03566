"""Applies the armed faults to requests: errors, delays, lost and damaged answers."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.simulator.access.tokens import TokenStore
from services.simulator.api.authentication import grant_of
from services.simulator.api.envelope import failure
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.fault_injection.fault_kinds import REQUEST_FAULTS, FaultKind
from services.simulator.fault_injection.faults import Fault, Faults
from shared.errors import BadMessage

_OWN_PATHS: Final = "/simulator/"
_PAGE: Final = """<!DOCTYPE html>
<html lang="en-US"><head><title>{title} | api.upstox.com | Cloudflare</title></head>
<body><h1>{title}</h1><p>Cloudflare Ray ID: <strong>8c0ffee000000000</strong></p></body></html>
"""


def request_faults(faults: Faults, tokens: TokenStore) -> Middleware:
    """The middleware; faults never apply to the simulator's own paths."""

    @web.middleware
    async def apply_fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(_OWN_PATHS):
            return await handler(request)
        # A fault applies to a whole request, which is executed even if its client leaves.
        await _read(request)
        grant = grant_of(request, tokens)
        fault = faults.take(
            REQUEST_FAULTS,
            method=request.method,
            path=request.path,
            user_id="" if grant is None else grant.user_id,
        )
        if fault is None:
            return await handler(request)
        if fault.kind is not FaultKind.LATE and fault.delay_secs:
            await asyncio.sleep(fault.delay_secs)
        match fault.kind:
            case FaultKind.RESET:
                return _aborted(request, web.Response())
            case FaultKind.SLOW:
                return await handler(request)
            case FaultKind.ERROR | FaultKind.HTML:
                if fault.is_executed:
                    await handler(request)
                return _error_answer(fault) if fault.kind is FaultKind.ERROR else _page(fault)
        return await _damaged(request, await handler(request), fault, handler)

    return apply_fault


async def _read(request: web.Request) -> None:
    try:
        await request.read()
    except ConnectionError:
        raise BadMessage("the client has closed the connection before the body's end") from None


async def _damaged(
    request: web.Request, response: web.StreamResponse, fault: Fault, handler: Handler
) -> web.StreamResponse:
    """The answer that the client receives to a request that was executed."""
    match fault.kind:
        case FaultKind.LATE:
            await asyncio.sleep(fault.delay_secs)
        case FaultKind.LOST:
            return _aborted(request, response)
        case FaultKind.CUT:
            return await _cut(request, response)
        case FaultKind.NOT_JSON:
            half = _half(response)
            return web.Response(
                status=response.status, body=half, content_type=response.content_type
            )
        case FaultKind.DOUBLED:
            await handler(request)
    return response


def _aborted(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


async def _cut(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Send the headers and half of the body, then abort the connection."""
    half = _half(response)
    cut = web.StreamResponse(status=response.status)
    cut.content_type = response.content_type
    cut.content_length = response.content_length
    await cut.prepare(request)
    await cut.write(half)
    return _aborted(request, cut)


def _half(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else None
    return body[: len(body) // 2] if isinstance(body, bytes) else b""


def _page(fault: Fault) -> web.Response:
    """A page as a proxy in front of Upstox sends it."""
    status = HTTPStatus(fault.status)
    blocks = status in (HTTPStatus.FORBIDDEN, HTTPStatus.OK)
    title = "Attention Required!" if blocks else f"{status.value}: {status.phrase}"
    return web.Response(
        status=status,
        text=_PAGE.format(title=title),
        content_type="text/html",
        headers={"Server": "cloudflare", "CF-RAY": "8c0ffee000000000-BOM"},
    )


def _error_answer(fault: Fault) -> web.Response:
    status = HTTPStatus(fault.status)
    is_unauthorized = status is HTTPStatus.UNAUTHORIZED
    usual = ErrorCode.INVALID_TOKEN if is_unauthorized else ErrorCode.INTERNAL_ERROR
    return failure(ApiError(fault.error_code or usual, fault.message or status.phrase), status)
