"""Gets the price bands of instruments from the persister over the bus, through a bounded cache."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.trading import metrics
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.instruments import (
    INSTRUMENTS_DETAIL,
    DetailReply,
    DetailRequest,
    Reference,
)
from shared.errors import RequestError, TimedOut, Unavailable
from shared.market.exchange_time import trading_day
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

REREAD_MS: Final = 60_000
"""A band that was not known, or that a price lies outside, is read again after this time. Those of
derivatives, and of shares that have derivatives, move during the day (NSE, 2024)."""
_TIMEOUT_SECS: Final = 1.0
_MAX_CACHED: Final = 10_000


@dataclass(frozen=True, slots=True)
class PriceBand:
    """The circuit limits of an instrument in rupees; None is unknown."""

    lower: Decimal | None = None
    upper: Decimal | None = None

    def holds(self, price: Decimal) -> bool:
        """Whether a price lies in the band, as far as it is known."""
        return (self.lower is None or price >= self.lower) and (
            self.upper is None or price <= self.upper
        )


UNKNOWN_BAND: Final = PriceBand()


@dataclass(frozen=True, slots=True)
class _Read:
    band: PriceBand
    at_ms: int


class PriceBands:
    """The bands of today, of the instruments that were ordered last.

    An order does not depend on them. Without Upstox they are unknown; a persister that does not
    answer is not asked for a minute, for any instrument.
    """

    def __init__(self, bus: Bus, clock: Clock, *, max_cached: int = _MAX_CACHED) -> None:
        self._bus = bus
        self._clock = clock
        self._max_cached = max_cached
        self._cached: OrderedDict[str, _Read] = OrderedDict()
        self._away_until_ms = 0

    def of(self, key: str) -> PriceBand:
        """The band that was read last; unknown if that was not today."""
        read = self._cached.get(key)
        return read.band if read is not None and self._is_of_today(read) else UNKNOWN_BAND

    async def wait_for(self, key: str, prices: Iterable[Decimal | None]) -> None:
        """Wait until the band is known well enough to judge `prices`, for a second at most."""
        now_ms = self._clock.now_ms()
        read = self._cached.get(key)
        if read is not None and self._is_of_today(read):
            self._cached.move_to_end(key)
            is_recent = now_ms - read.at_ms < REREAD_MS
            finite = [price for price in prices if price is not None and price.is_finite()]
            is_known = read.band != UNKNOWN_BAND
            if is_recent or (is_known and all(map(read.band.holds, finite))):
                return
        if now_ms < self._away_until_ms:
            return
        band = await self._read(key, now_ms)
        if band is None:
            self._away_until_ms = self._clock.now_ms() + REREAD_MS
            return
        self._cached[key] = _Read(band, now_ms)
        self._cached.move_to_end(key)
        if len(self._cached) > self._max_cached:
            self._cached.popitem(last=False)

    async def _read(self, key: str, now_ms: int) -> PriceBand | None:
        """The band; None if the persister does not answer."""
        try:
            reply = await send_request(
                self._bus,
                self._clock,
                INSTRUMENTS_DETAIL,
                DetailRequest(key=key, newer_than_ms=now_ms - REREAD_MS),
                DetailReply,
                timeout_secs=_TIMEOUT_SECS,
            )
        except RequestError as error:
            metrics.PRICE_BAND_READS.labels("failed").inc()
            log.info("the price band cannot be read", key=key, error=error.detail)
            return None if isinstance(error, TimedOut | Unavailable) else UNKNOWN_BAND
        band = _band(reply.reference)
        metrics.PRICE_BAND_READS.labels("unknown" if band == UNKNOWN_BAND else "read").inc()
        return band

    def _is_of_today(self, read: _Read) -> bool:
        return trading_day(read.at_ms) == trading_day(self._clock.now_ms())


def _band(reference: Reference | None) -> PriceBand:
    if reference is None:
        return UNKNOWN_BAND
    return PriceBand(_amount(reference.lower_circuit), _amount(reference.upper_circuit))


def _amount(price: float | None) -> Decimal | None:
    return None if price is None else Decimal(str(price))
