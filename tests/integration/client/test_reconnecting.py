"""A client survives the end of its stream: it reconnects and subscribes again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from prometheus_client import REGISTRY

from shared.contracts.subjects import order_subject
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.python_client import next_of, open_and_close, python_client
from tests.support.patience import OUTAGE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
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


async def test_subscriptions_survive_a_restart_of_the_gateway(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
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
        missed = await next_of(
            quotes, Quote
        )  # and none of the other instrument, which is unchanged
        assert (missed.key, missed.seq, missed.snapshot) == (KEY, 2, True)
        await next_of(orders, Gap)
        await gateway.publish(fresh_quote(key=OTHER_KEY, seq=2))
        assert (await next_of(quotes, Quote)).key == OTHER_KEY


async def test_a_client_reconnects_after_its_connection_broke(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, cuttable_proxy(gateway.port) as proxy:
        async with python_client(gateway, f"http://{proxy.address}") as client:
            events, quotes = client.events(), client.quotes([KEY])
            await quotes.ready()
            async with proxy.cut():
                lost = await next_of(events, Disconnected)
                assert lost.retry_in_secs <= 0.5
                await gateway.publish(fresh_quote(seq=5))
            assert (await next_of(quotes, Quote)).seq == 5
            assert client.is_live


async def test_a_quote_of_an_older_leader_is_dropped_after_a_reconnect(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway) as client:
        quotes = client.quotes([KEY])
        await quotes.ready()
        await gateway.publish(fresh_quote(epoch=7, seq=3))
        assert (await next_of(quotes, Quote)).epoch == 7
        await gateway.stop()
        # A superseded leader publishes on, and a new gateway has not seen the newer epoch.
        await gateway.publish(fresh_quote(epoch=6, seq=900))
        await gateway.start()
        await quotes.ready()
        await gateway.publish(fresh_quote(epoch=6, seq=901), fresh_quote(epoch=7, seq=4))
        assert (await next_of(quotes, Quote)).seq == 4


async def test_a_client_stays_connected_while_nats_restarts(nats: NatsServer) -> None:
    bus = nats_settings(nats.url, has_outages=True)
    async with running_gateway(nats, bus=bus) as gateway, python_client(gateway) as client:
        orders, quotes = client.orders(), client.quotes([KEY])
        events = client.events()
        await orders.ready()
        await quotes.ready()
        nats.kill()
        await asyncio.to_thread(nats.start)
        assert isinstance(await next_of(orders, Gap), Gap)
        sequence = iter(range(1, 10_000))

        async def published() -> bool:
            if gateway.ingest.is_connected:
                await gateway.publish(fresh_quote(seq=next(sequence)))
            return quotes.waiting > 0

        await eventually(published, what="quotes arrive again")
        trading = await nats.connect("trading")
        try:
            await trading.publish(order_subject("user-1"), b'{"order_id":"o-2"}')
            assert await next_of(orders, OrderEvent) == OrderEvent({"order_id": "o-2"})
        finally:
            await trading.close()
        assert events.waiting >= 1
        assert client.is_live, "the stream was lost"


async def test_clients_reconnect_at_the_rate_that_the_gateway_accepts(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(python_client(gateway)) for _ in range(20)]
        streams = [client.events() for client in clients]
        await gateway.stop()
        await gateway.start(accept_per_sec=5)
        for events in streams:
            await next_of(events, Connected)
        assert all(client.is_live for client in clients)


async def test_a_client_waits_as_long_as_retry_after_says(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, python_client(gateway) as first:
        before, started = refused_streams(), time.monotonic()
        opening = asyncio.create_task(open_and_close(python_client(gateway)))
        await eventually(lambda: refused_streams() > before, what="the second stream is refused")
        await first.close()
        await opening
        # The gateway asks for one second at least; a busy machine can only make it longer.
        assert time.monotonic() - started > 1.0


def refused_streams() -> float:
    """How many streams the gateways of this process have refused as overloaded."""
    name, labels = "tradedad_gateway_refused_streams_total", {"code": "overloaded"}
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_client_waits_for_its_place_if_another_stream_took_it(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_streams_per_user=1) as gateway,
        cuttable_proxy(gateway.port) as proxy,
        python_client(gateway, f"http://{proxy.address}") as client,
    ):
        events = client.events()
        async with proxy.cut():
            await next_of(events, Disconnected)
            other = await eventually(
                lambda: try_to_open(python_client(gateway)), what="another stream opens"
            )
        while "4429" not in (await next_of(events, Disconnected)).reason:
            pass
        assert other is not None
        await other.close()
        await next_of(events, Connected)


async def try_to_open(client: Client) -> Client | None:
    """The open client; None if the user still has as many streams as allowed."""
    try:
        return await client.__aenter__()
    except TooMany:
        return None


async def test_opening_a_client_fails_with_the_reason_after_its_timeout(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, python_client(gateway):
        with pytest.raises(Unreachable) as failure:
            await open_and_close(python_client(gateway, open_timeout_secs=OUTAGE_SECS))
        assert isinstance(failure.value.__cause__, Unavailable)
        assert "503" in str(failure.value.__cause__)


async def test_a_gateway_that_stays_away_ends_the_client_and_its_subscriptions(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, python_client(gateway, give_up_secs=0.3) as client:
        quotes = client.quotes([KEY])
        await quotes.ready()
        await gateway.publish(fresh_quote(seq=1))
        await eventually(lambda: quotes.waiting, what="a quote waits")
        await gateway.stop()
        assert (await next_of(quotes, Quote)).seq == 1  # messages from before come first
        with pytest.raises(Unreachable, match=r"for 0\.3 s"):
            await next_of(quotes, Quote)
        with pytest.raises(RuntimeError, match="while it is open"):
            client.quotes([KEY])


async def test_an_address_without_a_gateway_fails_at_once(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        with pytest.raises(Refused, match="HTTP 404"):
            await open_and_close(python_client(gateway, gateway.url + "/elsewhere"))


async def test_a_cancelled_client_leaves_no_task_behind(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:

        async def watch() -> AsyncIterator[Quote]:
            async with python_client(gateway) as client:
                async for quote in client.quotes([KEY]):
                    yield quote

        async def read() -> None:
            async for _ in watch():
                pass

        reading = asyncio.create_task(read())
        await eventually(lambda: "tradedad: read" in tasks_of_clients(), what="the client reads")
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await eventually(lambda: not tasks_of_clients(), what="no task is left")


def tasks_of_clients() -> set[str]:
    return {name for task in asyncio.all_tasks() if "tradedad" in (name := task.get_name())}


async def test_a_given_http_session_is_not_closed(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, aiohttp.ClientSession() as http:
        async with python_client(gateway, http=http) as client:
            assert client.is_live
        assert not http.closed
