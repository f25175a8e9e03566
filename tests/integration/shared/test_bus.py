"""Connections to NATS: causes of refusals, readiness, the tick stream and leases."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from nats.errors import Error as NatsError

from embedded.ports import free_ports
from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream, open_leases
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader
from shared.contracts.subjects import (
    CLOCK,
    TICKS_STREAM,
    depth_subject,
    quote_subject,
)
from shared.errors import BusClosed, ConfigError
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from shared.runtime.tasks import stop
from tests.support.builders import KEY
from tests.support.buses import bus_of, flushed, listen, publish_quotes
from tests.support.figures import Figures
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import PASSWORD, NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually


async def wait_ready(readiness: Readiness) -> None:
    await eventually(readiness.is_ready, what="the bus is connected")


async def wait_not_ready(readiness: Readiness) -> None:
    await eventually(lambda: not readiness.is_ready(), what="the bus is disconnected")


@pytest.fixture
def outages(nats: NatsServer) -> NatsSettings:
    """Settings for a server that this test breaks."""
    return nats_settings(nats.url, has_outages=True)


async def cause_of(url: str, password: str = PASSWORD, *, contains: str = "") -> str:
    """Why a connection is not made, once more than "connecting" is known.

    `contains` is text of the cause to wait for, where the first attempts may have another cause.
    """
    readiness = Readiness("test")
    settings = nats_settings(url, has_outages=True)
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(
                connect_bus(settings, user="ingest", password=password, readiness=readiness)
            )
        )
        try:
            await eventually(
                lambda: (
                    (cause := readiness.missing.get("nats")) not in (None, "connecting")
                    and contains in str(cause)
                ),
                what="the cause is known",
            )
            return readiness.missing["nats"]
        finally:
            await stop([connecting])


async def test_a_wrong_password_is_named_with_its_setting_and_not_its_value(
    nats: NatsServer,
) -> None:
    # The server closes the connection at once, so the refusal may be lost to a reset.
    cause = await cause_of(nats.url, password="wrong-canary", contains="authorization")
    assert cause == (
        f"authorization violation: {nats.url} refuses the user ingest or "
        "TRADEDAD_INGEST_NATS_PASSWORD"
    )


async def test_a_server_that_is_away_is_named_with_its_setting_and_url() -> None:
    (port,) = free_ports(1)
    url = f"nats://127.0.0.1:{port}"
    assert await cause_of(url) == f"TRADEDAD_NATS_URL: {url}: connection refused"


async def test_a_host_without_an_address_is_named() -> None:
    cause = await cause_of("nats://bus.invalid:4222")
    assert cause == ("TRADEDAD_NATS_URL: nats://bus.invalid:4222: the host name cannot be resolved")


async def test_a_server_without_tls_is_named_and_receives_no_password(nats: NatsServer) -> None:
    url = nats.url.replace("nats://", "tls://")
    cause = await cause_of(url)
    assert cause == (
        f"TRADEDAD_NATS_URL: {url}: the server does not use TLS, which tls:// requires"
    )


async def test_connecting_waits_for_a_server_that_starts_later(
    nats: NatsServer, outages: NatsSettings
) -> None:
    nats.kill()
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(bus_of(nats, "ingest", settings=outages, readiness=readiness))
        )
        await eventually(
            lambda: connecting.done() or readiness.missing.get("nats") not in {None, "connecting"},
            what="the first attempt fails",
        )
        assert not connecting.done()
        await asyncio.to_thread(nats.start)
        async with asyncio.timeout(PATIENCE_SECS):
            bus = await connecting
        assert readiness.is_ready()
        assert bus.is_connected


async def test_with_a_wrong_password_connecting_waits_and_is_not_ready(nats: NatsServer) -> None:
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        wrong = bus_of(nats, "ingest", readiness=readiness, password="wrong")
        connecting = asyncio.ensure_future(stack.enter_async_context(wrong))
        await eventually(
            lambda: "authorization" in readiness.missing.get("nats", "").lower(),
            what="readiness names the refusal",
        )
        assert not connecting.done()
        await stop([connecting])


async def test_readiness_follows_a_server_that_is_killed_and_returns(
    nats: NatsServer, outages: NatsSettings
) -> None:
    readiness = Readiness("test")
    async with bus_of(nats, "ingest", settings=outages, readiness=readiness) as bus:
        assert readiness.is_ready()
        nats.kill()
        await wait_not_ready(readiness)
        assert not bus.is_connected
        assert not bus.can_publish
        await asyncio.to_thread(nats.start)
        await wait_ready(readiness)
        assert bus.can_publish


async def test_readiness_follows_a_server_that_is_stopped_and_continued(
    nats: NatsServer, outages: NatsSettings, figures: Figures
) -> None:
    readiness = Readiness("test")
    async with bus_of(nats, "ingest", settings=outages, readiness=readiness):
        nats.pause()
        with figures.duration(f"noticed_with_a_ping_every_{outages.ping_interval_secs:g}_secs"):
            await wait_not_ready(readiness)
        nats.resume()
        await wait_ready(readiness)


async def test_closing_aborts_a_connection_whose_server_reads_no_more(
    nats: NatsServer, outages: NatsSettings
) -> None:
    async with bus_of(nats, "ingest", settings=outages) as bus:
        await flushed(bus.client)
        writer: asyncio.StreamWriter = getattr(bus.client._transport, "_io_writer")  # noqa: B009
        socket = writer.get_extra_info("socket")
        nats.pause()
        writer.write(bytes(16 << 20))
        assert writer.transport.get_write_buffer_size() > 0
    await eventually(lambda: socket.fileno() == -1, what="the socket is closed")
    nats.resume()


async def test_publishing_while_the_server_is_away_raises_and_the_message_never_arrives(
    nats: NatsServer, outages: NatsSettings
) -> None:
    readiness = Readiness("test")
    async with (
        bus_of(nats, "ingest", settings=outages, readiness=readiness) as bus,
        bus_of(nats, "gateway", settings=outages) as other,
    ):
        received: list[bytes] = []
        await listen(other.client, "md.>", received)
        nats.kill()
        await wait_not_ready(readiness)
        with pytest.raises(NatsError):
            await bus.client.publish(quote_subject(KEY), b"stale")
        await asyncio.to_thread(nats.start)
        await wait_ready(readiness)

        async def is_received() -> bool:
            # Both must be connected again, so publish until it is received.
            await bus.client.publish("md.status", b"fresh")
            return bool(received)

        await eventually(is_received, what="the fresh message")
        assert set(received) == {b"fresh"}


async def test_the_component_fails_when_the_client_has_closed_for_good(nats: NatsServer) -> None:
    async with bus_of(nats, "ingest") as bus:
        running = asyncio.ensure_future(bus.run())
        await flushed(bus.client)
        assert not running.done()
        await bus.client.close()
        with pytest.raises(BusClosed):
            async with asyncio.timeout(PATIENCE_SECS):
                await running


async def test_one_of_several_servers_is_enough(nats: NatsServer, outages: NatsSettings) -> None:
    settings = outages.model_copy(
        update={"url": f"nats://127.0.0.1:1, {nats.url}, nats://127.0.0.1:2"}
    )
    readiness = Readiness("test")
    async with connect_bus(settings, user="ingest", password=PASSWORD, readiness=readiness) as bus:
        assert bus.is_connected
        nats.kill()
        await wait_not_ready(readiness)
        await asyncio.to_thread(nats.start)
        await wait_ready(readiness)


async def test_the_tick_stream_is_created_once_and_follows_its_settings(nats: NatsServer) -> None:
    async with bus_of(nats, "ingest") as bus:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        await publish_quotes(bus, 3)
        await ensure_ticks_stream(bus, max_age_secs=120, max_bytes=1 << 21)
        info = await bus.js.stream_info(TICKS_STREAM)
        assert (info.config.max_age, info.config.max_bytes) == (120, 1 << 21)
        assert info.config.no_ack
        assert info.state.messages == 3


async def test_the_tick_stream_has_order_books_between_the_quotes(nats: NatsServer) -> None:
    subjects = [quote_subject(KEY), depth_subject(KEY), CLOCK, quote_subject(KEY)]
    async with bus_of(nats, "ingest") as bus, bus_of(nats, "trading") as trading:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        for subject in subjects:
            await bus.client.publish(subject, b"{}")
        await flushed(bus.client)
        entries: list[Entry] = []
        async with TickReader(trading, start=1) as reader, asyncio.timeout(PATIENCE_SECS):
            while len(entries) < len(subjects):
                entries += await reader.batch()
        assert [(entry.position, entry.subject) for entry in entries] == [*enumerate(subjects, 1)]


async def test_a_lease_that_would_outlive_its_bucket_is_refused(nats: NatsServer) -> None:
    async with (
        bus_of(nats, "ingest", settings=nats_settings(nats.url, lease_ttl_secs=2)) as bus,
        bus_of(nats, "persister", settings=nats_settings(nats.url, lease_ttl_secs=1)) as shorter,
        bus_of(nats, "persister", settings=nats_settings(nats.url, lease_ttl_secs=5)) as longer,
    ):
        assert (await open_leases(bus)).epoch_base == (await open_leases(shorter)).epoch_base
        with pytest.raises(ConfigError, match="TRADEDAD_NATS_LEASE_TTL_SECS"):
            await open_leases(longer)


# The rights of each user.
