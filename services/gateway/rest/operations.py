"""The operations below /v1: parameters, responses and errors."""

import json
from typing import Final

from services.gateway.rest.queries import BarsQuery, GapsQuery, InstrumentsQuery, QuotesQuery
from services.gateway.rest.schemas import Bars, Gaps, Instruments, Quotes, Status
from shared.errors import (
    InvalidField,
    Overloaded,
    RateLimited,
    Revoked,
    TimedOut,
    TokenExpired,
    Unauthenticated,
    Unavailable,
)
from shared.web.openapi import Operation, document

BEARER: Final = "bearer"
_SCHEMES: Final = {BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
_DESCRIPTION: Final = """\
Stored bars, instruments, last quotes and the state of the market feed. Every request carries an
access token, obtained by `POST /auth/login` on the same host (see `/auth/openapi.json`). Live
quotes are on the WebSocket at `/ws`. Errors are `application/problem+json` with a stable `code`.
Unknown parameters are refused.
"""
_LIMITS: Final = {
    "RateLimit-Policy": "At most `q` requests in `w` seconds.",
    "RateLimit": "`r` requests remain; the full quota is available in `t` seconds.",
}
_CACHED: Final = {
    "ETag": "Send it as `If-None-Match` to get 304 if the content has not changed.",
    "Cache-Control": "How long the response may be cached.",
}
_TOKEN: Final = (Unauthenticated, TokenExpired, Revoked, RateLimited, Unavailable)
_PERSISTER: Final = (*_TOKEN, InvalidField, Overloaded, TimedOut)

BARS: Final = Operation(
    method="GET", path="/v1/bars", name="bars", tags=["history"],
    summary="Bars of an instrument, in pages.",
    query=BarsQuery, responses={200: Bars, 304: None}, errors=_PERSISTER,
    headers=_LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
GAPS: Final = Operation(
    method="GET", path="/v1/gaps", name="gaps", tags=["history"],
    summary="Periods in which trades of an instrument may have been missed, in pages.",
    query=GapsQuery, responses={200: Gaps, 304: None}, errors=_PERSISTER,
    headers=_LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
INSTRUMENTS: Final = Operation(
    method="GET", path="/v1/instruments", name="instruments", tags=["instruments"],
    summary="Search instruments by words, or get instruments by key.",
    query=InstrumentsQuery, responses={200: Instruments, 304: None}, errors=_PERSISTER,
    headers=_LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
QUOTES: Final = Operation(
    method="GET", path="/v1/quotes", name="quotes", tags=["market"],
    summary="The last known quote of each of some instruments.",
    query=QuotesQuery, responses={200: Quotes}, errors=(*_TOKEN, InvalidField),
    headers=_LIMITS, security=(BEARER,),
)  # fmt: skip
STATUS: Final = Operation(
    method="GET", path="/v1/status", name="status", tags=["market"],
    summary="The state of the market feed, of the market's segments, and of this gateway.",
    responses={200: Status}, errors=_TOKEN,
    headers=_LIMITS, security=(BEARER,),
)  # fmt: skip

ALL: Final = (BARS, GAPS, INSTRUMENTS, QUOTES, STATUS)


def openapi() -> str:
    """The OpenAPI document, as JSON."""
    openapi_document = document(
        title="Trade Dad",
        version="1",
        description=_DESCRIPTION,
        operations=ALL,
        security_schemes=_SCHEMES,
    )
    return json.dumps(openapi_document, indent=2, ensure_ascii=False) + "\n"
