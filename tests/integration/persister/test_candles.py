"""Candles of 1m, 3m and 30m are read from Upstox on request."""

from datetime import timedelta

import pytest

from shared.contracts.history import BarSource, CandleInterval
from shared.errors import NotFound, Overloaded, Unavailable
from shared.market.exchange_time import DAY_MS, ist_date
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, OTHER_KEY
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import NatsServer
from tests.support.upstox_history import (
    candles,
    fetching_persister,
    moment,
    rows,
    simulated_history,
)
from tests.support.waiting import eventually


async def test_past_candles_equal_those_that_the_sdk_reads(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with (
        simulated_history() as upstox,
        fetching_persister(nats, mongo_settings, upstox) as bus,
    ):
        for key in (KEY, OTHER_KEY):
            for interval, count in (("1m", 1), ("3m", 3), ("30m", 30)):
                reply = await candles(
                    bus, key=key, interval=CandleInterval(interval),
                    from_ms=moment("2024-03-04"), to_ms=moment("2024-03-07"),
                )  # fmt: skip
                expected = await upstox.sdk_past(key, "minutes", count, "2024-03-04", "2024-03-06")
                assert rows(reply.bars) == expected
                assert reply.next is None
                assert {bar.source for bar in reply.bars} == {BarSource.UPSTOX}


async def test_candles_of_today_equal_those_that_the_sdk_reads(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with (
        simulated_history(speed=60.0) as upstox,
        fetching_persister(nats, mongo_settings, upstox) as bus,
    ):

        async def has_candles() -> bool:
            return len(await upstox.sdk_today(KEY, "minutes", 1)) > 4

        await eventually(has_candles, what="the simulator has traded for some minutes")
        now_ms = CLOCK.now_ms()
        reply = await candles(bus, key=KEY, from_ms=now_ms - DAY_MS, to_ms=now_ms + DAY_MS)
        today = {row[0]: row for row in await upstox.sdk_today(KEY, "minutes", 1)}
        over = rows(reply.bars)[-5:-1]
        assert over == [today[row[0]] for row in over]


async def test_an_unknown_key_is_an_error(nats: NatsServer, mongo_settings: MongoSettings) -> None:
    async with (
        simulated_history() as upstox,
        fetching_persister(nats, mongo_settings, upstox) as bus,
    ):
        with pytest.raises(NotFound) as caught:
            await candles(
                bus, key="NSE_EQ|NOBODY", from_ms=moment("2024-03-04"), to_ms=moment("2024-03-05")
            )
        assert caught.value.field == "key"


async def test_errors_say_that_upstox_is_away_or_its_limits_are_reached(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    few = {"repair_calls_per_minute": 2, "repair_calls_per_half_hour": 2}
    days = [ist_date(CLOCK.now_ms()) - timedelta(days=days) for days in (400, 300, 200)]
    spans = [(moment(str(day)), moment(str(day + timedelta(days=1)))) for day in days]
    async with (
        simulated_history() as upstox,
        fetching_persister(nats, mongo_settings, upstox, **few) as bus,
    ):
        await upstox.break_candles()
        with pytest.raises(Unavailable):
            await candles(bus, key=KEY, from_ms=spans[0][0], to_ms=spans[0][1])
        await upstox.repair_candles()
        with pytest.raises(Overloaded):
            await candles(bus, key=KEY, from_ms=spans[1][0], to_ms=spans[1][1])


async def test_without_a_leader_that_fetches_candles_are_unavailable(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with answering_persister(nats, mongo_settings) as bus:
        with pytest.raises(Unavailable):
            await candles(bus, key=KEY, from_ms=0, to_ms=1, timeout_secs=0.3)
