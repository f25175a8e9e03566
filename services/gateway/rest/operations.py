"""Every operation below /v1: what it takes and all that it can answer."""

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
Stored bars, instruments, last quotes and the state of the market feed. Every request shows an
access token, from `POST /auth/login` of the same host (described by `/auth/openapi.json`). Live
quotes are on the WebSocket at `/ws`. Errors are `application/problem+json` with a stable `code`.
A parameter that is not described is refused.
"""
_LIMITS: Final = {
    "RateLimit-Policy": "`q` requests are let through in `w` seconds.",
    "RateLimit": "`r` more are let through now; in `t` seconds all that the policy allows.",
}
_CACHED: Final = {
    "ETag": "Send it as `If-None-Match` to hear whether the answer is still the same.",
    "Cache-Control": "How long it may be kept.",
}
_TOKEN: Final = (Unauthenticated, TokenExpired, Revoked, RateLimited, Unavailable)
_ASKED: Final = (*_TOKEN, InvalidField, Overloaded, TimedOut)

BARS: Final = Operation(
    method="GET", path="/v1/bars", name="bars", tags=["history"],
    summary="Bars of an instrument, in pages.",
    query=BarsQuery, responses={200: Bars, 304: None}, errors=_ASKED,
    headers=_LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
GAPS: Final = Operation(
    method="GET", path="/v1/gaps", name="gaps", tags=["history"],
    summary="Where trades of an instrument may have been missed, in pages.",
    query=GapsQuery, responses={200: Gaps, 304: None}, errors=_ASKED,
    headers=_LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
INSTRUMENTS: Final = Operation(
    method="GET", path="/v1/instruments", name="instruments", tags=["instruments"],
    summary="Search instruments by words, or get them by their keys.",
    query=InstrumentsQuery, responses={200: Instruments, 304: None}, errors=_ASKED,
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
    """The document that describes them, as JSON."""
    described = document(
        title="Trade Dad",
        version="1",
        description=_DESCRIPTION,
        operations=ALL,
        security_schemes=_SCHEMES,
    )
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"
