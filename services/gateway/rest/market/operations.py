"""The operations on market data: parameters, responses and errors."""

from typing import Final

from services.gateway.rest.base_responses import BEARER, LIMITS, TOKEN_ERRORS
from services.gateway.rest.market.queries import (
    BarsQuery,
    GapsQuery,
    InstrumentPath,
    InstrumentsQuery,
    OptionChainQuery,
    QuotesQuery,
)
from services.gateway.rest.market.schemas import (
    Bars,
    Gaps,
    InstrumentDetail,
    Instruments,
    OptionChain,
    Quotes,
    Status,
)
from shared.errors import InvalidField, NotFound, Overloaded, TimedOut
from shared.web.openapi import Operation

_CACHED: Final = {
    "ETag": "Send it as `If-None-Match` to get 304 if the content has not changed.",
    "Cache-Control": "How long the response may be cached.",
}
_PERSISTER: Final = (*TOKEN_ERRORS, InvalidField, Overloaded, TimedOut)
_OF_KEY: Final = (*_PERSISTER, NotFound)

BARS: Final = Operation(
    method="GET", path="/v1/bars", name="bars", tags=["history"],
    summary="Bars of an instrument, in pages.",
    query=BarsQuery, responses={200: Bars, 304: None}, errors=_OF_KEY,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
GAPS: Final = Operation(
    method="GET", path="/v1/gaps", name="gaps", tags=["history"],
    summary="Periods in which trades of an instrument may have been missed, in pages.",
    query=GapsQuery, responses={200: Gaps, 304: None}, errors=_OF_KEY,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
INSTRUMENTS: Final = Operation(
    method="GET", path="/v1/instruments", name="instruments", tags=["instruments"],
    summary="Search instruments by words, or get instruments by key.",
    query=InstrumentsQuery, responses={200: Instruments, 304: None}, errors=_PERSISTER,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
INSTRUMENT: Final = Operation(
    method="GET", path="/v1/instruments/{key}", name="instrument", tags=["instruments"],
    summary="One instrument, with its price band and other reference data of the day.",
    path_parameters=InstrumentPath, responses={200: InstrumentDetail, 304: None}, errors=_OF_KEY,
    headers=LIMITS | _CACHED, security=(BEARER,),
)  # fmt: skip
OPTION_CHAIN: Final = Operation(
    method="GET", path="/v1/option-chain", name="option_chain", tags=["market"],
    summary="The options on an underlying that expire on one day, with their last known prices.",
    query=OptionChainQuery, responses={200: OptionChain, 304: None}, errors=_OF_KEY,
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

ALL: Final = (BARS, GAPS, INSTRUMENTS, INSTRUMENT, OPTION_CHAIN, QUOTES, STATUS)
