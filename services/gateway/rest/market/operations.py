"""The operations on market data: parameters, responses and errors."""

from typing import Final

from services.gateway.rest.base_responses import BEARER, LIMITS, TOKEN_ERRORS
from services.gateway.rest.market.queries import BarsQuery, GapsQuery, InstrumentsQuery, QuotesQuery
from services.gateway.rest.market.schemas import Bars, Gaps, Instruments, Quotes, Status
from shared.errors import InvalidField, Overloaded, TimedOut
from shared.web.openapi import Operation

_CACHED: Final = {
    "ETag": "Send it as `If-None-Match` to get 304 if the content has not changed.",
    "Cache-Control": "How long the response may be cached.",
}
_PERSISTER: Final = (*TOKEN_ERRORS, InvalidField, Overloaded, TimedOut)

BARS: Final = Operation(
    method="GET", path="/v1/bars", name="bars", tags=["history"],
    summary="Bars of an instrument, in pages.",
    query=BarsQuery, responses={200: Bars, 304: None}, errors=_PERSISTER,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
GAPS: Final = Operation(
    method="GET", path="/v1/gaps", name="gaps", tags=["history"],
    summary="Periods in which trades of an instrument may have been missed, in pages.",
    query=GapsQuery, responses={200: Gaps, 304: None}, errors=_PERSISTER,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
INSTRUMENTS: Final = Operation(
    method="GET", path="/v1/instruments", name="instruments", tags=["instruments"],
    summary="Search instruments by words, or get instruments by key.",
    query=InstrumentsQuery, responses={200: Instruments, 304: None}, errors=_PERSISTER,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
QUOTES: Final = Operation(
    method="GET", path="/v1/quotes", name="quotes", tags=["market"],
    summary="The last known quote of each of some instruments.",
    query=QuotesQuery, responses={200: Quotes}, errors=(*TOKEN_ERRORS, InvalidField),
    headers=LIMITS, security=(BEARER,),
)  # fmt: skip
STATUS: Final = Operation(
    method="GET", path="/v1/status", name="status", tags=["market"],
    summary="The state of the market feed, of the market's segments, and of this gateway.",
    responses={200: Status}, errors=TOKEN_ERRORS,
    headers=LIMITS, security=(BEARER,),
)  # fmt: skip

ALL: Final = (BARS, GAPS, INSTRUMENTS, QUOTES, STATUS)
