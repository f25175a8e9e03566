"""Reads an instrument's reference data of the day from Upstox's full quote."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote as percent

import aiohttp
import msgspec

from services.persister.candles.paced_calls import PacedCalls
from shared.contracts.instruments import Reference
from shared.contracts.strict_json import json_decoder
from shared.errors import Unavailable
from shared.runtime.clock import Clock

_PATH: Final = "/v3/market-quote/quotes?instrument_key="
_MAX_PRICE: Final = 1e9


class _Answer(msgspec.Struct):
    data: dict[str, dict[str, Any]] | None = None
    errors: list[dict[str, Any]] = []


_decode: Final = json_decoder(_Answer)


class ReferenceSource:
    """Calls Upstox once for each instrument."""

    def __init__(self, calls: PacedCalls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def read(self, key: str) -> Reference:
        """The reference data of `key`.

        Raises Unavailable if Upstox does not answer or answers without it, and Overloaded if its
        limits on calls are reached.
        """
        try:
            body, status = await self._calls.get(_PATH + percent(key, safe=""))
            answer = _decode(body)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError) as error:
            raise Unavailable(f"no quote of {key}: {error!r}") from None
        # The answer is keyed by exchange and symbol.
        quotes = (answer.data or {}).values()
        quote = next((quote for quote in quotes if quote.get("instrument_token") == key), None)
        if status != HTTPStatus.OK or quote is None:
            codes = [error.get("errorCode") or error.get("error_code") for error in answer.errors]
            raise Unavailable(f"no quote of {key}: {status} {codes}")
        return reference(quote, self._clock.now_ms())


def reference(quote: dict[str, Any], taken_at_ms: int) -> Reference:
    """The reference data of a quote. A value that is 0 or no price is unknown."""
    return Reference(
        taken_at=taken_at_ms,
        lower_circuit=_price(quote.get("lower_circuit_limit")),
        upper_circuit=_price(quote.get("upper_circuit_limit")),
        previous_close=_price(quote.get("prev_close_price")),
        year_high=_price(quote.get("year_high")),
        year_low=_price(quote.get("year_low")),
    )


def _price(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value < _MAX_PRICE else None
