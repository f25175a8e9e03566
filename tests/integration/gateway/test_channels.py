"""The channels of the stream, by key, by segment and by wildcard, over a real socket and bus."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest

from services.gateway.bus.relay import Relay
from services.gateway.fanout import outbox
from services.gateway.stream import session
from services.gateway.stream.protocol import CloseCode
from shared.bus.connection import Bus
from shared.contracts.messages import Bar, BarState, Depth, FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS, bar_subject, depth_subject, order_subject
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, fresh_quote
from tests.support.buses import bus_of, flushed
from tests.support.gateway.fake_trading import EVENT
from tests.support.gateway.in_process import running_gateway, wait_for_open_streams
from tests.support.gateway.websocket import (
    close_code_of,
    open_raw_stream,
    read_to_end,
    receive,
    receive_pong_next,
    send_raw,
    subscribe,
)
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.tcp_proxy import cuttable_proxy


def book(seq: int, **fields: Any) -> Depth:
    now_us = time.time_ns() // 1_000
    return Depth(
        key=KEY, epoch=1, seq=seq, ts=MONDAY_10_00, rt=now_us, bids=[(10.0, 5)], asks=[(10.5, 7)],
        **fields,
    )  # fmt: skip


def bar(start: int = MONDAY_10_00) -> Bar:
    return Bar(
        key=KEY, start=start, open=1.0, high=2.0, low=0.5, close=1.5, ltq=1, ltt=start, volume=10,
        vtt=10, atp=1.2, oi=None, ticks=3, state=BarState.COMPLETE, silent_ms=0, epoch=1,
    )  # fmt: skip


async def test_wildcards_include_known_instruments_and_new_ones(
    nats: NatsServer,
) -> None:
    past = (
        fresh_quote(key="NSE_EQ|A"),
        fresh_quote(key="NSE_INDEX|N"),
        fresh_quote(key="NSE_EQUITY|X"),
    )
    async with (
        running_gateway(nats, past=past) as gateway,
        gateway.connect() as segment,
        gateway.connect() as everything,
    ):
        assert await subscribe(segment, "NSE_EQ|*") == {"NSE_EQ|*": "live"}
        assert await subscribe(everything, "*") == {"*": "live"}
        assert [quote["key"] for quote in (await receive(segment, "quotes"))["data"]] == [
            "NSE_EQ|A"
        ]
        known = {quote["key"] for quote in (await receive(everything, "quotes"))["data"]}
        assert known == {quote.key for quote in past}
        await gateway.publish(fresh_quote(key="NSE_EQ|NEW"), fresh_quote(key="BSE_EQ|NEW"))
        assert [quote["key"] for quote in (await receive(segment, "quotes"))["data"]] == [
            "NSE_EQ|NEW"
        ]
        new: set[str] = set()
        while len(new) < 2:
            new |= {quote["key"] for quote in (await receive(everything, "quotes"))["data"]}
        assert new == {"NSE_EQ|NEW", "BSE_EQ|NEW"}
        await segment.send_json(
            {"op": "unsubscribe", "id": 2, "channel": "quotes", "keys": ["NSE_EQ|*", "*"]}
        )
        assert (await receive(segment, "ack"))["results"] == {
            "NSE_EQ|*": "removed",
            "*": "unknown",
        }
        await gateway.publish(fresh_quote(key="NSE_EQ|A", seq=2))
        await receive(everything, "quotes")
        await receive_pong_next(segment)


async def test_a_wildcard_of_more_keys_than_the_limit_is_refused(
    nats: NatsServer,
) -> None:
    past = tuple(fresh_quote(key=f"NSE_EQ|{number}") for number in range(3))
    async with running_gateway(nats, past=past, max_keys_per_stream=2) as gateway:
        async with gateway.connect() as socket:
            await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["*"]})
            error = await receive(socket, "error")
            assert (error["code"], error["field"], error["id"]) == ("limit_exceeded", "keys", 1)
            await receive_pong_next(socket)


async def test_subscribing_again_sends_the_snapshot_again(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, past=(fresh_quote(seq=3),)) as gateway,
        gateway.connect() as socket,
    ):
        for _ in range(2):
            await subscribe(socket, KEY)
            batch = await receive(socket, "quotes")
            assert batch["snapshot"]
            assert [quote["seq"] for quote in batch["data"]] == [3]


async def test_an_interval_holds_for_the_keys_of_its_subscribe(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, past=(fresh_quote(seq=1),)) as gateway,
        gateway.connect() as socket,
    ):
        seen: dict[str, list[int]] = {KEY: [], OTHER_KEY: []}

        async def receive_until(key: str, seq: int) -> None:
            while seq not in seen[key]:
                for quote in (await receive(socket, "quotes"))["data"]:
                    seen[quote["key"]].append(quote["seq"])

        async def publish_both(*seqs: int) -> None:
            for seq in seqs:
                await gateway.publish(fresh_quote(seq=seq), fresh_quote(key=OTHER_KEY, seq=seq))

        await subscribe(socket, KEY, interval_ms=60_000)
        await receive_until(KEY, 1)
        await subscribe(socket, OTHER_KEY)
        await publish_both(2, 3, 4)
        await receive_until(OTHER_KEY, 4)
        assert seen == {KEY: [1], OTHER_KEY: [2, 3, 4]}
        await subscribe(socket, KEY)
        await publish_both(5, 6, 7)
        await receive_until(KEY, 7)
        assert seen[KEY] == [1, 4, 5, 6, 7]


async def test_an_order_book_reaches_only_subscribers_of_depth(nats: NatsServer) -> None:
    async with (
        running_gateway(nats) as gateway,
        gateway.connect() as subscriber,
        gateway.connect() as other,
    ):
        await subscribe(subscriber, KEY, channel="depth")
        await subscribe(other, KEY)
        await gateway.ingest.publish(depth_subject(KEY), encode(book(1, iv=0.2)))
        (depth,) = (await receive(subscriber, "depth"))["data"]
        assert (depth["bids"], depth["asks"], depth["iv"]) == ([[10.0, 5]], [[10.5, 7]], 0.2)
        await receive_pong_next(other)
        await subscriber.send_json({"op": "subscribe", "id": 2, "channel": "depth", "keys": ["*"]})
        error = await receive(subscriber, "error")
        assert (error["code"], error["field"]) == ("invalid_field", "keys")


async def test_a_bar_is_sent_when_the_persister_publishes_it(nats: NatsServer) -> None:
    async with (
        running_gateway(nats) as gateway,
        bus_of(nats, "persister") as persister,
        gateway.connect() as socket,
    ):
        await subscribe(socket, KEY, channel="bars")
        await persister.client.publish(bar_subject(KEY), encode(bar()))
        assert (await receive(socket, "bars"))["data"][0]["close"] == 1.5


async def test_the_state_of_the_feed_is_sent_at_once_and_at_each_change(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        for state in (FeedState.CONNECTING, FeedState.LIVE):
            status = FeedStatus(state=state, since=1, epoch=1, segments={"NSE_EQ": "NORMAL_OPEN"})
            await gateway.ingest.publish(STATUS, encode(status))
        await flushed(gateway.ingest)
        async with gateway.connect() as socket, gateway.connect() as late:
            assert await subscribe(socket, channel="status") == {"status": "live"}
            while (await receive(socket, "status"))["data"][-1]["state"] != "live":
                pass
            await subscribe(late, channel="status")
            batch = await receive(late, "status")
            assert (batch["snapshot"], batch["data"][0]["state"]) == (True, "live")


@asynccontextmanager
async def trading(nats: NatsServer) -> AsyncIterator[Bus]:
    async with bus_of(nats, "trading") as bus:
        yield bus


async def publish_orders(bus: Bus, user_id: str, *numbers: int) -> None:
    for number in numbers:
        event = msgspec.structs.replace(EVENT, seq=number)
        await bus.client.publish(order_subject(user_id), msgspec.json.encode(event))
    await flushed(bus.client)


async def test_order_events_reach_only_their_user_and_in_order(nats: NatsServer) -> None:
    async with (
        running_gateway(nats) as gateway,
        trading(nats) as bus,
        gateway.connect() as own,
        gateway.connect(gateway.issuer.token(sub="user-2", sid="session-2")) as other,
    ):
        assert await subscribe(own, channel="orders") == {"orders": "live"}
        await subscribe(other, channel="orders")
        await publish_orders(bus, "user-1", *range(300))
        seen: list[int] = []
        while len(seen) < 300:
            batch = await receive(own, "orders")
            assert "snapshot" not in batch
            seen += [event["seq"] for event in batch["data"]]
        assert seen == list(range(300))
        await receive_pong_next(other)


async def test_a_client_that_cannot_take_its_order_events_is_closed_before_one_is_dropped(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_EVENTS", 20)
    monkeypatch.setattr(session, "_RESET_SECS", PATIENCE_SECS)
    async with running_gateway(nats, buffer_bytes=4_096) as gateway, trading(nats) as bus:
        reader, writer = await open_raw_stream(gateway)
        send_raw(writer, {"op": "subscribe", "id": 1, "channel": "orders"})
        async with asyncio.timeout(PATIENCE_SECS):
            await reader.readuntil(b'"ack"')
        filler = b"x" * 50_000
        for number in range(400):
            message = b'{"number":%d,"filler":"%s"}' % (number, filler)
            await bus.client.publish(order_subject("user-1"), message)
        await wait_for_open_streams(0)
        data = await read_to_end(reader)
        assert CloseCode.TOO_SLOW.to_bytes(2, "big") in data[-200:]
        numbers = [int(part.split(b",")[0]) for part in data.split(b'"number":')[1:]]
        assert numbers == list(range(len(numbers))), "an order event is missing"
        assert len(numbers) < 400
        writer.close()


async def test_channels_without_snapshots_get_a_gap_after_an_outage_of_the_bus(
    nats: NatsServer,
) -> None:
    async with cuttable_proxy(nats.port) as proxy:
        bus = nats_settings(f"nats://{proxy.address}", has_outages=True)
        async with running_gateway(nats, bus=bus) as gateway:
            async with gateway.connect() as socket, gateway.connect() as other:
                await subscribe(socket, channel="orders")
                await subscribe(socket, KEY, channel="bars")
                await subscribe(socket, KEY, channel="candles")
                await subscribe(other, KEY)
                async with proxy.cut():
                    pass
                gaps = [(await receive(socket, "gap"))["channel"] for _ in range(3)]
                assert set(gaps) == {"orders", "bars", "candles"}
                await receive_pong_next(other)
            async with gateway.connect() as socket:
                await socket.close()
                assert await close_code_of(socket) == aiohttp.WSCloseCode.OK


async def test_a_second_outage_is_told_although_the_tick_stream_cannot_be_read_yet(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait_for_ever(_: Relay) -> None:
        await asyncio.Event().wait()

    async with cuttable_proxy(nats.port) as proxy:
        bus = nats_settings(f"nats://{proxy.address}", has_outages=True)
        async with running_gateway(nats, bus=bus) as gateway, gateway.connect() as socket:
            await subscribe(socket, channel="orders")
            monkeypatch.setattr(Relay, "_warm", wait_for_ever)
            for _ in range(2):
                async with proxy.cut():
                    pass
                assert (await receive(socket, "gap"))["channel"] == "orders"


async def test_a_malformed_quote_is_skipped(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        for bad in (b"", b"{", b'{"epoch":1}', b'{"epoch":"x","seq":1,"rt":1}'):
            await gateway.ingest.publish(f"md.quote.{KEY.replace('|', '.')}", bad)
        await gateway.publish(fresh_quote(seq=5))
        assert [quote["seq"] for quote in (await receive(socket, "quotes"))["data"]] == [5]


async def test_a_quote_of_a_superseded_leader_is_not_sent(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        await gateway.publish(
            fresh_quote(epoch=2, seq=1), fresh_quote(epoch=1, seq=99), fresh_quote(epoch=2, seq=2)
        )
        seen: list[tuple[int, int]] = []
        while (2, 2) not in seen:
            data = (await receive(socket, "quotes"))["data"]
            seen += [(quote["epoch"], quote["seq"]) for quote in data]
        assert seen == [(2, 1), (2, 2)]
