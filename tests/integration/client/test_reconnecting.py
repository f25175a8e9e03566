"""A client outlives its streams: it comes back, asks again, and never goes back in time."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from shared.contracts.subjects import order_subject
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.python_client import next_of, open_and_close
from tests.support.servers import NatsServer
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.waiting import eventually
from tradedad_client import (
    Client,
    Connected,
    Disconnected,
    Gap,
    OrderEvent,
    Quote,
    Refused,
    TooMany,
    Unavailable,
    Unreachable,
)


async def test_a_gateway_that_restarts_costs_no_subscription(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.client() as client:
        events = client.events()
        await gateway.publish(fresh_quote(seq=1), fresh_quote(key=OTHER_KEY, seq=1))
        quotes, orders = client.quotes([KEY, OTHER_KEY]), client.orders()
        await quotes.ready()
        await orders.ready()
        assert {(await next_of(quotes, Quote)).key for _ in range(2)} == {KEY, OTHER_KEY}
        await gateway.stop()
        assert "1012" in (await next_of(events, Disconnected)).reason
        await gateway.publish(fresh_quote(seq=2))
        await gateway.start()
        await next_of(events, Connected)
        missed = await next_of(quotes, Quote)  # and nothing of the other, which is as it was
        assert (missed.key, missed.seq, missed.snapshot) == (KEY, 2, True)
        await next_of(orders, Gap)
        await gateway.publish(fresh_quote(key=OTHER_KEY, seq=2))
        assert (await next_of(quotes, Quote)).key == OTHER_KEY


async def test_a_connection_that_breaks_is_made_again(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, cuttable_proxy(gateway.port) as (proxied, cut):
        async with gateway.client(proxied.replace("nats", "http")) as client:
            events, quotes = client.events(), client.quotes([KEY])
            await quotes.ready()
            async with cut():
                lost = await next_of(events, Disconnected)
                assert lost.retry_in_secs <= 0.5
                await gateway.publish(fresh_quote(seq=5))
            assert (await next_of(quotes, Quote)).seq == 5
            assert client.is_live


async def test_a_quote_of_an_older_leader_is_not_given_after_a_reconnect(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.client() as client:
        quotes = client.quotes([KEY])
        await quotes.ready()
        await gateway.publish(fresh_quote(epoch=7, seq=3))
        assert (await next_of(quotes, Quote)).epoch == 7
        await gateway.stop()
        # A leader that was superseded publishes on, and a new gateway knows no better.
        await gateway.publish(fresh_quote(epoch=6, seq=900))
        await gateway.start()
        await quotes.ready()
        await gateway.publish(fresh_quote(epoch=6, seq=901), fresh_quote(epoch=7, seq=4))
        assert (await next_of(quotes, Quote)).seq == 4


async def test_nats_may_restart_under_it(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.client() as client:
        orders, quotes = client.orders(), client.quotes([KEY])
        events = client.events()
        await orders.ready()
        await quotes.ready()
        nats.kill()
        nats.start()
        assert isinstance(await next_of(orders, Gap), Gap)
        sequence = iter(range(1, 10_000))

        async def published() -> bool:
            if gateway.ingest.is_connected:
                await gateway.publish(fresh_quote(seq=next(sequence)))
            return quotes.waiting > 0

        await eventually(published, what="quotes flow again")
        trading = await nats.connect("trading")
        try:
            await trading.publish(order_subject("user-1"), b'{"order_id":"o-2"}')
            assert await next_of(orders, OrderEvent) == OrderEvent({"order_id": "o-2"})
        finally:
            await trading.close()
        assert events.waiting >= 1
        assert client.is_live, "the stream itself was never lost"


async def test_a_storm_is_let_in_bit_by_bit_as_the_gateway_asks(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(gateway.client()) for _ in range(20)]
        streams = [client.events() for client in clients]
        await gateway.stop()
        await gateway.start(accept_per_sec=5)
        for events in streams:
            await next_of(events, Connected)
        assert all(client.is_live for client in clients)


async def test_retry_after_is_kept_to(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, gateway.client() as first:
        opening = asyncio.create_task(open_and_close(gateway.client()))
        started = time.monotonic()
        await asyncio.sleep(0.3)
        assert not opening.done()
        await first.close()
        await opening
        assert time.monotonic() - started >= 1.0  # the gateway asks for one second at least


async def test_a_place_that_is_taken_on_the_return_is_waited_for(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_streams_per_user=1) as gateway,
        cuttable_proxy(gateway.port) as (proxied, cut),
        gateway.client(proxied.replace("nats", "http")) as client,
    ):
        events = client.events()
        async with cut():
            await next_of(events, Disconnected)
            other = await eventually(lambda: entered(gateway.client()), what="the other's place")
        while "4429" not in (await next_of(events, Disconnected)).reason:
            pass
        assert other is not None
        await other.close()
        await next_of(events, Connected)


async def entered(client: Client) -> Client | None:
    """The client, open; None if its place is still taken."""
    try:
        return await client.__aenter__()
    except TooMany:
        return None


async def test_who_is_told_to_come_back_later_for_too_long_hears_why(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, gateway.client():
        with pytest.raises(Unreachable) as failure:
            await open_and_close(gateway.client(open_timeout_secs=0.5))
        assert isinstance(failure.value.__cause__, Unavailable)
        assert "503" in str(failure.value.__cause__)


async def test_a_gateway_that_stays_away_ends_the_client_and_all_it_has_given(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, gateway.client(give_up_secs=0.3) as client:
        quotes = client.quotes([KEY])
        await quotes.ready()
        await gateway.publish(fresh_quote(seq=1))
        while not quotes.waiting:
            await asyncio.sleep(0.01)
        await gateway.stop()
        assert (await next_of(quotes, Quote)).seq == 1  # what came before is given first
        with pytest.raises(Unreachable, match=r"for 0\.3 s"):
            await next_of(quotes, Quote)
        with pytest.raises(RuntimeError, match="while it is open"):
            client.quotes([KEY])


async def test_an_address_where_no_gateway_is_fails_at_once(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        with pytest.raises(Refused, match="HTTP 404"):
            await open_and_close(gateway.client(gateway.url + "/elsewhere"))


async def test_a_client_that_is_cancelled_leaves_nothing_behind(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:

        async def watch() -> AsyncIterator[Quote]:
            async with gateway.client() as client:
                async for quote in client.quotes([KEY]):
                    yield quote

        async def read() -> None:
            async for _ in watch():
                pass

        reading = asyncio.create_task(read())
        while not [task for task in asyncio.all_tasks() if task.get_name() == "tradedad: read"]:
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

        async def is_clean() -> bool:
            return {task for task in asyncio.all_tasks() if "tradedad" in task.get_name()} == set()

        await eventually(is_clean, what="no task is left")


async def test_a_session_of_ones_own_is_left_open(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, aiohttp.ClientSession() as http:
        async with gateway.client(http=http) as client:
            assert client.is_live
        assert not http.closed
