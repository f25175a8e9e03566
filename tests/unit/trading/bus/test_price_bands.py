"""A price band is read once a day, and again before a price outside it is refused."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from services.trading.bus.price_bands import UNKNOWN_BAND, PriceBand, PriceBands
from shared.contracts.instruments import (
    INSTRUMENTS_DETAIL,
    DetailReply,
    DetailRequest,
    Reference,
)
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.gateway.rest import RELIANCE
from tests.support.virtual_time import LoopClock, on_virtual_time

INSIDE, OUTSIDE = Decimal(100), Decimal(121)
BAND = PriceBand(Decimal("80.5"), Decimal(120))


class WallClock(LoopClock):
    def now_ms(self) -> int:
        return MONDAY_10_00 + int(self.monotonic() * 1_000)


class PersisterBus:
    """Answers requests for reference data as the persister does."""

    is_connected = True

    def __init__(self) -> None:
        self.client = self
        self.reference: Reference | None = Reference(
            taken_at=1, lower_circuit=80.5, upper_circuit=120.0
        )
        self.requests: list[DetailRequest] = []
        self.error: Exception | None = None

    async def request(
        self,
        subject: str,
        data: bytes,
        timeout: float,  # noqa: ASYNC109 - as nats-py names it
        headers: Mapping[str, str],
    ) -> Msg:
        assert subject == INSTRUMENTS_DETAIL
        self.requests.append(msgspec.json.decode(data, type=DetailRequest))
        if self.error is not None:
            raise self.error
        client: Any = None
        reply = DetailReply(instrument=RELIANCE, reference=self.reference)
        return Msg(client, data=msgspec.json.encode(reply))


def bands_on(bus: PersisterBus, max_cached: int = 10) -> PriceBands:
    untyped: Any = bus
    return PriceBands(untyped, WallClock(), max_cached=max_cached)


@on_virtual_time
async def test_a_band_is_read_once_for_prices_that_lie_in_it() -> None:
    bus = PersisterBus()
    bands = bands_on(bus)
    assert bands.of(KEY) == UNKNOWN_BAND
    for _ in range(3):
        await bands.wait_for(KEY, (INSIDE, None))
        await asyncio.sleep(600)
    assert bands.of(KEY) == BAND
    assert [request.key for request in bus.requests] == [KEY]


@on_virtual_time
async def test_a_price_outside_is_judged_by_a_band_of_the_last_minute() -> None:
    bus = PersisterBus()
    bands = bands_on(bus)
    await bands.wait_for(KEY, (OUTSIDE,))
    await bands.wait_for(KEY, (OUTSIDE,))
    assert len(bus.requests) == 1
    await asyncio.sleep(60)
    bus.reference = Reference(taken_at=2, lower_circuit=80.5, upper_circuit=132.0)
    await bands.wait_for(KEY, (INSIDE, OUTSIDE))
    assert bands.of(KEY).holds(OUTSIDE)
    assert bus.requests[-1].newer_than_ms == WallClock().now_ms() - 60_000


@on_virtual_time
async def test_a_band_that_upstox_does_not_tell_is_asked_for_again_after_a_minute() -> None:
    bus = PersisterBus()
    bands = bands_on(bus)
    bus.reference = None
    for _ in range(2):
        await bands.wait_for(KEY, (OUTSIDE,))
    assert (bands.of(KEY), len(bus.requests)) == (UNKNOWN_BAND, 1)
    assert UNKNOWN_BAND.holds(OUTSIDE)
    await asyncio.sleep(60)
    await bands.wait_for(KEY, (INSIDE,))
    assert len(bus.requests) == 2


@on_virtual_time
async def test_a_persister_that_is_away_is_asked_once_a_minute_for_all_instruments() -> None:
    bus = PersisterBus()
    bands = bands_on(bus)
    bus.error = NoRespondersError()
    for key in (KEY, OTHER_KEY, KEY):
        await bands.wait_for(key, (OUTSIDE,))
    assert (bands.of(KEY), len(bus.requests)) == (UNKNOWN_BAND, 1)
    await asyncio.sleep(60)
    bus.error = None
    await bands.wait_for(OTHER_KEY, (OUTSIDE,))
    assert (bands.of(OTHER_KEY), len(bus.requests)) == (BAND, 2)


@on_virtual_time
async def test_a_band_of_yesterday_does_not_count() -> None:
    bus = PersisterBus()
    bands = bands_on(bus)
    await bands.wait_for(KEY, (INSIDE,))
    await asyncio.sleep(86_400)
    assert bands.of(KEY) == UNKNOWN_BAND
    await bands.wait_for(KEY, (INSIDE,))
    assert (bands.of(KEY), len(bus.requests)) == (BAND, 2)


@on_virtual_time
async def test_a_price_that_is_no_number_needs_no_band_and_the_cache_is_bounded() -> None:
    bus = PersisterBus()
    bands = bands_on(bus, max_cached=1)
    await bands.wait_for(KEY, (Decimal("NaN"),))
    await asyncio.sleep(60)
    await bands.wait_for(KEY, (Decimal("NaN"),))
    assert len(bus.requests) == 1
    await bands.wait_for(OTHER_KEY, ())
    assert (bands.of(KEY), bands.of(OTHER_KEY)) == (UNKNOWN_BAND, BAND)
