"""What comes on each channel, by key, by segment and altogether, over a real socket and bus."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from services.gateway.fanout import outbox
from services.gateway.stream import session
from services.gateway.stream.protocol import CloseCode
from shared.bus.connection import Bus
from shared.contracts.messages import Bar, BarState, Depth, FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS, bar_subject, depth_subject, order_subject
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import bus_of, flushed
from tests.support.cuttable import cuttable
from tests.support.gateways import (
    closed,
    fresh,
    open_streams,
    raw_stream,
    receive,
    running_gateway,
    send_raw,
    subscribe,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

Socket = aiohttp.ClientWebSocketResponse


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


async def test_a_segment_and_everything_hold_what_is_known_and_what_comes(
    nats: NatsServer,
) -> None:
    past = (fresh(key="NSE_EQ|A"), fresh(key="NSE_INDEX|N"), fresh(key="NSE_EQUITY|X"))
    async with (
        running_gateway(nats, past=past) as gateway,
        gateway.connect() as segment,
        gateway.connect() as everything,
    ):
        assert await subscribe(segment, "NSE_EQ|*") == {"NSE_EQ|*": "live"}
        assert await subscribe(everything, "*") == {"*": "live"}
        assert [one["key"] for one in (await receive(segment, "quotes"))["data"]] == ["NSE_EQ|A"]
        known = {one["key"] for one in (await receive(everything, "quotes"))["data"]}
        assert known == {one.key for one in past}
        await gateway.publish(fresh(key="NSE_EQ|NEW"), fresh(key="BSE_EQ|NEW"))
        assert [one["key"] for one in (await receive(segment, "quotes"))["data"]] == ["NSE_EQ|NEW"]
        new: set[str] = set()
        while len(new) < 2:
            new |= {one["key"] for one in (await receive(everything, "quotes"))["data"]}
        assert new == {"NSE_EQ|NEW", "BSE_EQ|NEW"}
        await segment.send_json(
            {"op": "unsubscribe", "id": 2, "channel": "quotes", "keys": ["NSE_EQ|*", "*"]}
        )
        assert (await receive(segment, "ack"))["results"] == {
            "NSE_EQ|*": "removed",
            "*": "unknown",
        }
        await gateway.publish(fresh(key="NSE_EQ|A", seq=2))
        await receive(everything, "quotes")
        await nothing_but_a_pong(segment)


async def test_everything_is_refused_if_it_is_more_than_a_stream_may_hold(
    nats: NatsServer,
) -> None:
    past = tuple(fresh(key=f"NSE_EQ|{number}") for number in range(3))
    async with running_gateway(nats, past=past, max_keys_per_stream=2) as gateway:
        async with gateway.connect() as socket:
            await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["*"]})
            told = await receive(socket, "error")
            assert (told["code"], told["field"], told["id"]) == ("limit_exceeded", "keys", 1)
            await nothing_but_a_pong(socket)


async def nothing_but_a_pong(socket: Socket) -> None:
    await socket.send_json({"op": "ping"})
    assert (await socket.receive_json(timeout=10))["type"] == "pong"


async def test_subscribing_again_brings_the_snapshot_again(nats: NatsServer) -> None:
    async with running_gateway(nats, past=(fresh(seq=3),)) as gateway, gateway.connect() as socket:
        for _ in range(2):
            await subscribe(socket, KEY)
            batch = await receive(socket, "quotes")
            assert batch["snapshot"]
            assert [one["seq"] for one in batch["data"]] == [3]


async def test_the_last_subscribe_of_a_channel_says_how_often(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY, interval_ms=60_000)
        await subscribe(socket, OTHER_KEY)
        await gateway.publish(fresh(seq=1), fresh(seq=2))
        seen: list[int] = []
        while len(seen) < 2:
            seen += [one["seq"] for one in (await receive(socket, "quotes"))["data"]]
        assert seen == [1, 2]


async def test_an_order_book_comes_only_to_whom_it_was_asked_for(nats: NatsServer) -> None:
    async with (
        running_gateway(nats) as gateway,
        gateway.connect() as asked,
        gateway.connect() as other,
    ):
        await subscribe(asked, KEY, channel="depth")
        await subscribe(other, KEY)
        await gateway.ingest.publish(depth_subject(KEY), encode(book(1, iv=0.2)))
        (told,) = (await receive(asked, "depth"))["data"]
        assert (told["bids"], told["asks"], told["iv"]) == ([[10.0, 5]], [[10.5, 7]], 0.2)
        await nothing_but_a_pong(other)
        await asked.send_json({"op": "subscribe", "id": 2, "channel": "depth", "keys": ["*"]})
        told = await receive(asked, "error")
        assert (told["code"], told["field"]) == ("invalid_field", "keys")


async def test_a_bar_comes_once_it_is_stored(nats: NatsServer) -> None:
    async with (
        running_gateway(nats) as gateway,
        bus_of(nats, "persister") as persister,
        gateway.connect() as socket,
    ):
        await subscribe(socket, KEY, channel="bars")
        await persister.client.publish(bar_subject(KEY), encode(bar()))
        assert (await receive(socket, "bars"))["data"][0]["close"] == 1.5


async def test_the_state_of_the_feed_comes_at_once_and_at_each_change(nats: NatsServer) -> None:
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


async def tell_orders(bus: Bus, user_id: str, *numbers: int) -> None:
    for number in numbers:
        await bus.client.publish(order_subject(user_id), b'{"number":%d}' % number)
    await flushed(bus.client)


async def test_orders_come_to_their_user_alone_and_in_order(nats: NatsServer) -> None:
    async with (
        running_gateway(nats) as gateway,
        trading(nats) as bus,
        gateway.connect() as own,
        gateway.connect(gateway.issuer.token(sub="user-2", sid="session-2")) as other,
    ):
        assert await subscribe(own, channel="orders") == {"orders": "live"}
        await subscribe(other, channel="orders")
        await tell_orders(bus, "user-1", *range(300))
        seen: list[int] = []
        while len(seen) < 300:
            batch = await receive(own, "orders")
            assert "snapshot" not in batch
            seen += [one["number"] for one in batch["data"]]
        assert seen == list(range(300))
        await nothing_but_a_pong(other)


async def test_a_client_that_cannot_take_its_orders_is_closed_before_one_is_dropped(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_EVENTS", 20)
    monkeypatch.setattr(session, "_GRACE_SECS", 60.0)
    async with running_gateway(nats, buffer_bytes=4_096) as gateway, trading(nats) as bus:
        reader, writer = await raw_stream(gateway)
        send_raw(writer, {"op": "subscribe", "id": 1, "channel": "orders"})
        async with asyncio.timeout(10):
            await reader.readuntil(b'"ack"')
        filler = b"x" * 50_000
        for number in range(400):
            message = b'{"number":%d,"filler":"%s"}' % (number, filler)
            await bus.client.publish(order_subject("user-1"), message)
        await eventually(nobody_is_there, what="a stream that was given up")
        async with asyncio.timeout(20):
            data = await everything_of(reader)
        assert CloseCode.TOO_SLOW.to_bytes(2, "big") in data[-200:]
        numbers = [int(part.split(b",")[0]) for part in data.split(b'"number":')[1:]]
        assert numbers == list(range(len(numbers))), "those that came are all up to the last"
        assert len(numbers) < 400
        writer.close()


async def nobody_is_there() -> bool:
    return open_streams() == 0


async def everything_of(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while part := await reader.read(1 << 16):
        parts.append(part)
    return b"".join(parts)


async def test_what_no_snapshot_makes_up_for_is_told_after_a_cut(nats: NatsServer) -> None:
    async with cuttable(nats.port) as (proxied, cut):
        async with running_gateway(nats, bus_url=proxied) as gateway:
            async with gateway.connect() as socket, gateway.connect() as other:
                await subscribe(socket, channel="orders")
                await subscribe(socket, KEY, channel="bars")
                await subscribe(other, KEY)
                async with cut():
                    pass
                gaps = [(await receive(socket, "gap"))["channel"] for _ in range(2)]
                assert set(gaps) == {"orders", "bars"}
                await nothing_but_a_pong(other)
            async with gateway.connect() as socket:
                await socket.close()
                assert await closed(socket) == aiohttp.WSCloseCode.OK


async def test_a_quote_that_breaks_the_rules_is_counted_and_passed_over(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        for bad in (b"", b"{", b'{"epoch":1}', b'{"epoch":"x","seq":1,"rt":1}'):
            await gateway.ingest.publish(f"md.quote.{KEY.replace('|', '.')}", bad)
        await gateway.publish(fresh(seq=5))
        assert [one["seq"] for one in (await receive(socket, "quotes"))["data"]] == [5]


async def test_a_quote_of_a_superseded_leader_is_not_passed_on(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        await gateway.publish(fresh(epoch=2, seq=1), fresh(epoch=1, seq=99), fresh(epoch=2, seq=2))
        seen: list[tuple[int, int]] = []
        while (2, 2) not in seen:
            data = (await receive(socket, "quotes"))["data"]
            seen += [(one["epoch"], one["seq"]) for one in data]
        assert seen == [(2, 1), (2, 2)]
