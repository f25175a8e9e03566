"""Every kind of message reaches a program, typed, over a real gateway."""

import gc

import pytest

from services.gateway import metrics
from shared.contracts.demand import Coverage, decode_demand
from shared.contracts.demand import encode as encode_demand
from shared.contracts.messages import Bar, BarState, Candle, Depth, FeedState, FeedStatus, encode
from shared.contracts.subjects import (
    COVERAGE,
    STATUS,
    bar_subject,
    candle_subject,
    depth_subject,
    order_subject,
)
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import next_of, python_client
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually
from tradedad_client import Bar as ClientBar
from tradedad_client import Candle as ClientCandle
from tradedad_client import (
    Channel,
    OrderEvent,
    Outcome,
    OutcomesChanged,
    Quote,
    SubscriptionRefused,
)
from tradedad_client import Depth as ClientDepth
from tradedad_client import FeedStatus as ClientStatus

CANDLE = Candle(
    key=KEY, start=MONDAY_10_00, open=1.0, high=3.0, low=1.0, close=2.0, volume=9, epoch=1,
    ts=MONDAY_10_00 + 60_500,
)  # fmt: skip
BAR = Bar(
    key=KEY, start=MONDAY_10_00, open=1.0, high=3.0, low=1.0, close=2.0, ltq=1, ltt=MONDAY_10_00,
    volume=9, vtt=99, atp=2.0, oi=None, ticks=3, state=BarState.COMPLETE, silent_ms=0, epoch=1,
)  # fmt: skip


def subscriptions(channel: str = "quotes") -> float:
    """How many subscriptions the gateways of this process have."""
    return next(
        sample.value
        for metric in metrics.SUBSCRIPTIONS.collect()
        for sample in metric.samples
        if sample.labels == {"channel": channel}
    )


async def wait_for_subscriptions(count: float) -> None:
    await eventually(lambda: subscriptions() == count, what=f"{count:g} subscriptions")


async def test_a_subscription_begins_with_a_snapshot_followed_by_live_quotes(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        await gateway.publish(fresh_quote(seq=1, ltp=1.0))
        async with python_client(gateway) as client:
            quotes = client.quotes([KEY])
            assert await quotes.ready() == {KEY: Outcome.LIVE}
            first = await next_of(quotes, Quote)
            assert (first.seq, first.ltp, first.snapshot) == (1, 1.0, True)
            await gateway.publish(fresh_quote(seq=2, ltp=2.0))
            second = await next_of(quotes, Quote)
            assert (second.seq, second.ltp, second.snapshot) == (2, 2.0, False)


async def test_a_wildcard_includes_all_instruments_and_a_key_only_its_own(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
        everything, segment = client.quotes(["*"]), client.quotes(["NSE_INDEX|*"])
        single = client.quotes([KEY])
        for subscription in (everything, segment, single):
            await subscription.ready()
        await gateway.publish(fresh_quote(), fresh_quote(key=OTHER_KEY))
        assert {(await next_of(everything, Quote)).key for _ in range(2)} == {KEY, OTHER_KEY}
        assert (await next_of(segment, Quote)).key == OTHER_KEY
        assert (await next_of(single, Quote)).key == KEY
        assert (segment.waiting, single.waiting) == (0, 0)


async def test_a_second_subscription_of_a_key_gets_a_snapshot_that_the_first_does_not_get_again(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        await gateway.publish(fresh_quote(seq=7))
        async with python_client(gateway) as client:
            first = client.quotes([KEY])
            assert (await next_of(first, Quote)).seq == 7
            second = client.quotes([KEY])
            assert (await next_of(second, Quote)).seq == 7
            await gateway.publish(fresh_quote(seq=8))
            assert (await next_of(first, Quote)).seq == 8
            second.close()
            await gateway.publish(fresh_quote(seq=9))
            assert (await next_of(first, Quote)).seq == 9


async def test_leaving_the_loop_unsubscribes(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
        await gateway.publish(fresh_quote())
        before = subscriptions()
        async for _ in client.quotes([KEY]):
            await wait_for_subscriptions(before + 1)
            break
        gc.collect()
        await wait_for_subscriptions(before)


async def test_messages_of_all_channels_are_typed(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
        depth, bars, status = client.depth([KEY]), client.live_bars([KEY]), client.status()
        orders, candles = client.orders(), client.candles([KEY])
        for subscription in (depth, bars, status, orders, candles):
            await subscription.ready()
        book = Depth(
            key=KEY, epoch=1, seq=1, ts=MONDAY_10_00, rt=fresh_quote().rt, bids=[(1.0, 5)], asks=[]
        )
        await gateway.ingest.publish(depth_subject(KEY), encode(book))
        state = FeedStatus(state=FeedState.LIVE, since=1, epoch=1, segments={"NSE_EQ": "OPEN"})
        await gateway.ingest.publish(STATUS, encode(state))
        await gateway.ingest.publish(candle_subject(KEY), encode(CANDLE))
        assert (await next_of(candles, ClientCandle)).high == 3.0
        assert (await next_of(depth, ClientDepth)).bids == ((1.0, 5),)
        assert (await next_of(status, ClientStatus)).segments == {"NSE_EQ": "OPEN"}
        persister, trading = await nats.connect("persister"), await nats.connect("trading")
        try:
            await persister.publish(bar_subject(KEY), encode(BAR))
            await trading.publish(order_subject("user-1"), b'{"order_id":"o-1"}')
            bar = await next_of(bars, ClientBar)
            assert (bar.start, bar.close, bar.state) == (MONDAY_10_00, 2.0, "complete")
            assert await next_of(orders, OrderEvent) == OrderEvent({"order_id": "o-1"})
        finally:
            await persister.close()
            await trading.close()


async def test_the_outcome_of_each_key_is_reported(nats: NatsServer) -> None:
    async with running_gateway(nats, gateway_id="g-1") as gateway, python_client(gateway) as client:
        demands = await gateway.ingest.subscribe("demand.g-1")
        events = client.events()
        quotes = client.quotes([KEY, OTHER_KEY])
        assert set((await quotes.ready()).values()) == {Outcome.PENDING}
        assert (await next_of(events, OutcomesChanged)).channel is Channel.QUOTES
        coverage = Coverage(
            epoch=1, seen={"g-1": 99}, pending=[], no_capacity=[KEY], unknown=[OTHER_KEY]
        )
        while KEY not in decode_demand((await demands.next_msg(timeout=PATIENCE_SECS)).data).quotes:
            pass
        await gateway.ingest.publish(COVERAGE, encode_demand(coverage))
        results = (await next_of(events, OutcomesChanged)).results
        assert results == {KEY: Outcome.NO_CAPACITY, OTHER_KEY: Outcome.UNKNOWN}
        assert quotes.outcomes == results


async def test_a_subscription_above_the_key_limit_ends_alone(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_keys_per_stream=3) as gateway,
        python_client(gateway) as client,
    ):
        allowed = client.quotes([KEY])
        refused = client.quotes([f"NSE_EQ|{number}" for number in range(5)])
        with pytest.raises(SubscriptionRefused, match="may have 3") as refusal:
            await refused.ready()
        assert (refusal.value.code, refusal.value.field) == ("limit_exceeded", "keys")
        with pytest.raises(SubscriptionRefused):
            await next_of(refused, Quote)
        await gateway.publish(fresh_quote())
        assert (await next_of(allowed, Quote)).key == KEY


async def test_five_thousand_keys_are_subscribed_in_messages_within_the_size_limit(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
        keys = [f"NSE_FO|{number:012}" for number in range(5_000)]
        quotes = client.quotes(keys)
        assert len(await quotes.ready()) == 5_000
        await gateway.publish(fresh_quote(key=keys[-1]))
        assert (await next_of(quotes, Quote)).key == keys[-1]


async def count_of_quotes(gateway: InProcessGateway, interval_ms: int | None) -> int:
    """How many of 40 quotes in a row arrive at a subscription with an interval."""
    async with python_client(gateway) as client:
        quotes = client.quotes([KEY], interval_ms=interval_ms)
        await quotes.ready()
        count = 0
        start = fresh_quote().rt
        for seq in range(40):
            await gateway.publish(fresh_quote(seq=start + seq))
        async for quote in quotes:
            count += quote.seq >= start
            if quote.seq == start + 39:
                break
        return count


async def test_a_subscription_with_an_interval_does_not_slow_another(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
        slow = client.quotes([KEY], interval_ms=60_000)
        fast = client.quotes([OTHER_KEY])
        await slow.ready()
        await fast.ready()
        start = fresh_quote().rt
        for seq in range(start, start + 40):
            await gateway.publish(fresh_quote(seq=seq), fresh_quote(key=OTHER_KEY, seq=seq))
        received = [(await next_of(fast, Quote)).seq for _ in range(40)]
        assert received == list(range(start, start + 40))
        assert slow.waiting <= 1


async def test_with_an_interval_only_the_newest_quotes_arrive(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        assert await count_of_quotes(gateway, 2_000) < 40
        assert await count_of_quotes(gateway, None) == 40
