"""The connection to a real nats-server that starts late, is killed, is stopped and refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from embedded.ports import free_ports
from shared.bus.connection import Bus, connect_bus
from shared.bus.resources import ensure_ticks_stream, open_leases
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader
from shared.contracts.instruments import INSTRUMENTS_GET
from shared.contracts.messages import Quote, encode
from shared.contracts.subjects import (
    ALL_DEMAND,
    ALL_ORDERS,
    CLOCK,
    FEED_TOKEN,
    SWITCHES_CHANGED,
    TICKS_STREAM,
    demand_subject,
    depth_subject,
    order_subject,
    quote_subject,
)
from shared.contracts.trading import Operation, trading_subject
from shared.contracts.trading_admin import (
    AdminOperation,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from shared.errors import BusClosed, ConfigError
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from shared.runtime.tasks import stop
from tests.support.buses import bus_of, flushed
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import PASSWORD, NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

KEY = "NSE_EQ|INE002A01018"
QUOTE = Quote(key=KEY, epoch=1, seq=1, ts=1, rt=1, ltp=1290.35)
FORGED = "md.quote.NSE_EQ.FORGED"
SET_SWITCH = admin_subject(AdminOperation.SET_SWITCH)
SET_USER_SWITCH = user_admin_subject(0, UserAdminOperation.SET_USER_SWITCH)
_NOT_TRADING = ("gateway", "persister", "ingest", "auth", "observer")


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
    nats: NatsServer, outages: NatsSettings
) -> None:
    readiness = Readiness("test")
    async with bus_of(nats, "ingest", settings=outages, readiness=readiness):
        nats.pause()
        await wait_not_ready(readiness)
        nats.resume()
        await wait_ready(readiness)


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
        await publish(bus, 3)
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


@asynccontextmanager
async def refusals(nats: NatsServer, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client, and the errors that the server has sent it so far."""
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error).lower())

    client = Client()
    await client.connect(
        nats.url, user=user, password=PASSWORD, error_cb=on_error,
        connect_timeout=round(PATIENCE_SECS),
    )  # fmt: skip
    yield client, refused
    await client.close()


async def ignore(_: Msg) -> None:
    return


async def listen(client: Client, subject: str, received: list[bytes]) -> None:
    async def on_message(message: Msg) -> None:
        received.append(message.data)

    await client.subscribe(subject, cb=on_message)
    await flushed(client)


async def publish(bus: Bus, count: int) -> None:
    for _ in range(count):
        await bus.client.publish(quote_subject(KEY), encode(QUOTE))

    async def are_stored() -> bool:
        return (await bus.js.stream_info(TICKS_STREAM)).state.messages >= count

    await eventually(are_stored, what="the stream has the quotes")


@pytest.mark.parametrize("user", ["gateway", "persister", "trading", "observer"])
@pytest.mark.parametrize(
    "subject",
    [FORGED, "md.clock", "md.status", "md.coverage", "md.candle.1m.A.B", "md.depth.A.B"],
)
async def test_only_ingest_can_publish_market_data(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with bus_of(nats, "ingest") as bus, bus_of(nats, user) as forger:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        observer = await nats.connect("observer")
        received: list[bytes] = []
        await listen(observer, "md.>", received)
        await forger.client.publish(subject, b"forged")
        await flushed(forger.client)
        await publish(bus, 1)
        await eventually(lambda: received, what="the real quote")
        assert received == [encode(QUOTE)]
        assert (await bus.js.stream_info(TICKS_STREAM)).state.messages == 1
        await observer.close()


@pytest.mark.parametrize(
    ("user", "subject"),
    [
        ("gateway", "$KV.leases.ingest"),
        ("persister", "$KV.leases.ingest"),
        ("observer", "$KV.leases.ingest"),
        ("ingest", "$KV.leases.persister"),
        ("gateway", "md.bar.5m.A.B"),
        ("ingest", "md.bar.5m.A.B"),
        ("ingest", "calendar.days"),
        ("gateway", "calendar.days"),
        ("trading", "calendar.days"),
        ("gateway", "$JS.API.STREAM.DELETE.TICKS"),
        ("gateway", "$JS.API.STREAM.INFO.TICKS"),
        ("gateway", "JS.MARKET.API.STREAM.DELETE.TICKS"),
        ("gateway", "$JS.API.STREAM.PURGE.TICKS"),
        ("persister", "$JS.API.STREAM.PURGE.TICKS"),
        ("persister", "$JS.API.STREAM.UPDATE.TICKS"),
        ("gateway", "_INBOX.persister.x"),
        ("gateway", "$KV.revocations.session.x"),
        ("gateway", "JS.AUTH.API.STREAM.PURGE.KV_revocations"),
        ("persister", "$KV.revocations.session.x"),
        ("persister", "JS.AUTH.API.CONSUMER.CREATE.KV_revocations"),
        ("auth", "md.quote.A.B"),
        ("auth", "$JS.API.STREAM.PURGE.KV_revocations"),
        ("persister", "demand.x"),
        ("gateway", "trading.feed_token"),
        ("persister", "trading.feed_token"),
        ("ingest", "trading.0.place"),
        ("persister", "trading.0.place"),
        ("auth", "trading.0.place"),
        ("observer", "trading.0.place"),
        ("trading", "trading.0.place"),
        ("trading", "trading.admin.set_switch"),
        ("trading", "trading.0.admin_set_switch"),
        ("trading", "md.quote.A.B"),
        ("trading", "trading.feed_token"),
        ("trading", "history.bars"),
        ("trading", "md.depth.A.B"),
        ("trading", "$KV.leases.ingest"),
        ("trading", "$KV.leases.persister"),
        ("trading", "JS.MARKET.API.STREAM.UPDATE.TICKS"),
        *((user, "orders.x") for user in _NOT_TRADING),
        *((user, "$KV.leases.trading.0") for user in _NOT_TRADING),
        *((user, "trading.0.place") for user in _NOT_TRADING if user != "gateway"),
        *((user, SET_SWITCH) for user in _NOT_TRADING if user != "gateway"),
        *((user, SET_USER_SWITCH) for user in _NOT_TRADING if user != "gateway"),
        *((user, SWITCHES_CHANGED) for user in _NOT_TRADING),
    ],
)
async def test_each_user_may_publish_only_on_its_own_subjects(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with refusals(nats, user) as (client, refused):
        await client.publish(subject, b"x")
        await flushed(client)
        await eventually(lambda: refused, what="the refusal")
        assert f'permissions violation for publish to "{subject.lower()}"' in refused[0]


@pytest.mark.parametrize("user", ["gateway", "persister", "ingest", "auth", "observer"])
@pytest.mark.parametrize(
    "subject", [">", "_INBOX.>", "_INBOX.trading.>", "trading.>", "$JS.>", "$KV.>"]
)
async def test_no_user_can_read_the_replies_to_another(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with refusals(nats, user) as (client, refused):
        await client.subscribe(subject, cb=ignore)
        await flushed(client)
        await eventually(lambda: refused, what="the refusal")
        assert f'permissions violation for subscription to "{subject.lower()}"' in refused[0]


@pytest.mark.parametrize("user", _NOT_TRADING)
@pytest.mark.parametrize(
    "subject",
    ["trading.*.*", "trading.0.place", "trading.feed_token", SET_SWITCH, SWITCHES_CHANGED],
)
async def test_only_trading_can_receive_and_answer_commands(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with refusals(nats, user) as (client, refused):
        await client.subscribe(subject, cb=ignore)
        await flushed(client)
        await eventually(lambda: refused, what="the refusal")
        assert f'permissions violation for subscription to "{subject}"' in refused[0]


@pytest.mark.parametrize("user", ["gateway", "persister", "trading", "observer"])
@pytest.mark.parametrize("reply_subject", [FORGED, "md.clock", "md.status", "$KV.leases.ingest"])
async def test_the_reply_subject_of_a_request_cannot_be_used_to_publish(
    nats: NatsServer, user: str, reply_subject: str
) -> None:
    async with bus_of(nats, "ingest") as bus, bus_of(nats, user) as forger:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        leases, *_ = await open_leases(bus)
        await leases.put("ingest", b"the leader")
        await publish(bus, 1)
        # Messages within the forger's own account reach no other account.
        other = await nats.connect("gateway" if user == "observer" else "observer")
        received: list[bytes] = []
        await listen(other, "md.>", received)
        for request, body in await allowed_requests(forger, user):
            await forger.client.publish(request, body, reply=reply_subject)
        # A later request on the same connection: its reply comes after those were handled.
        await forger.js.stream_info(TICKS_STREAM)
        await publish(bus, 2)
        await eventually(lambda: received, what="the real quote")
        assert received == [encode(QUOTE)] * len(received)
        assert (await bus.js.stream_info(TICKS_STREAM)).state.messages == 3
        assert (await leases.get("ingest")).value == b"the leader"
        await other.close()


@pytest.mark.parametrize("user", ["gateway", "trading"])
async def test_a_demand_reaches_ingest(nats: NatsServer, user: str) -> None:
    async with bus_of(nats, "ingest") as bus, bus_of(nats, user) as demanding:
        received: list[bytes] = []
        await listen(bus.client, ALL_DEMAND, received)
        await demanding.client.publish(demand_subject("gw-1"), b"demand")
        await eventually(lambda: received, what="the demand")


async def test_ingest_requests_the_token_of_the_feed_from_trading(nats: NatsServer) -> None:
    trading = await nats.connect("trading")

    async def answer(message: Msg) -> None:
        await message.respond(b"a token")

    await trading.subscribe(FEED_TOKEN, cb=answer)
    await flushed(trading)
    async with bus_of(nats, "ingest") as bus:
        assert (await bus.client.request(FEED_TOKEN, b"", timeout=PATIENCE_SECS)).data == b"a token"
    await trading.close()


@pytest.mark.parametrize(
    "subject", [trading_subject(3, Operation.PLACE), SET_SWITCH, SET_USER_SWITCH]
)
async def test_a_gateway_sends_a_command_to_trading_and_receives_its_answer(
    nats: NatsServer, subject: str
) -> None:
    trading = await nats.connect("trading")

    async def answer(message: Msg) -> None:
        await message.respond(message.subject.encode())

    await trading.subscribe(subject, queue="trading", cb=answer)
    await flushed(trading)
    async with bus_of(nats, "gateway") as bus:
        reply = await bus.client.request(subject, b"", timeout=PATIENCE_SECS)
        assert reply.data == subject.encode()
    await trading.close()


async def test_processes_of_trading_tell_each_other_that_a_switch_has_changed(
    nats: NatsServer,
) -> None:
    async with bus_of(nats, "trading") as one, bus_of(nats, "trading") as other:
        received: list[bytes] = []
        await listen(other.client, SWITCHES_CHANGED, received)
        await one.client.publish(SWITCHES_CHANGED, b"")
        await eventually(lambda: received, what="the message")


async def test_the_events_of_a_user_reach_the_gateway(nats: NatsServer) -> None:
    async with bus_of(nats, "trading") as trading, bus_of(nats, "gateway") as gateway:
        received: list[bytes] = []
        await listen(gateway.client, ALL_ORDERS, received)
        await trading.client.publish(order_subject("user-1"), b"event")
        await eventually(lambda: received, what="the event")


async def test_trading_requests_instruments_from_the_persister(nats: NatsServer) -> None:
    persister = await nats.connect("persister")

    async def answer(message: Msg) -> None:
        await message.respond(b"an instrument")

    await persister.subscribe(INSTRUMENTS_GET, cb=answer)
    await flushed(persister)
    async with bus_of(nats, "trading") as bus:
        reply = await bus.client.request(INSTRUMENTS_GET, b"", timeout=PATIENCE_SECS)
        assert reply.data == b"an instrument"
    await persister.close()


async def test_trading_takes_renews_and_releases_the_lease_of_a_partition(
    nats: NatsServer,
) -> None:
    async with bus_of(nats, "trading") as bus:
        bucket, *_ = await open_leases(bus)
        revision = await bucket.create("trading.0", b"holder")
        revision = await bucket.update("trading.0", b"holder", last=revision)
        assert (await bucket.get("trading.0")).value == b"holder"
        await bucket.delete("trading.0", last=revision)
        assert await bucket.create("trading.0", b"another") > revision


async def allowed_requests(bus: Bus, user: str) -> list[tuple[str, bytes]]:
    """Requests to JetStream that this user may make and that get a reply."""
    info = f"{bus.js_api}.STREAM.INFO.{TICKS_STREAM}"
    config = {"ack_policy": "none", "deliver_policy": "all", "description": "ltp: 1"}
    body = json.dumps({"stream_name": TICKS_STREAM, "config": config}).encode()
    create = f"{bus.js_api}.CONSUMER.CREATE.{TICKS_STREAM}"
    if user == "observer":
        return [(info, b"")]  # it may not create a consumer
    consumer = json.loads((await bus.client.request(create, body, timeout=PATIENCE_SECS)).data)
    return [
        (info, b""),
        (create, body),
        (f"{bus.js_api}.CONSUMER.MSG.NEXT.{TICKS_STREAM}.{consumer['name']}", b'{"batch":1}'),
        (f"{bus.js_api}.CONSUMER.DELETE.{TICKS_STREAM}.{consumer['name']}", b""),
    ]
