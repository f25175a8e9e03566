"""The connection to a real nats-server that comes late, dies, freezes and refuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError

from shared.bus.connection import Bus, connect_bus
from shared.bus.resources import ensure_ticks_stream, open_leases
from shared.contracts.messages import Quote, encode
from shared.contracts.subjects import (
    ALL_DEMAND,
    FEED_TOKEN,
    TICKS_STREAM,
    demand_subject,
    quote_subject,
)
from shared.errors import BusClosed, ConfigError
from shared.runtime.health import Readiness
from shared.runtime.tasks import stop
from tests.support.buses import bus_of, flushed, nats_settings
from tests.support.servers import PASSWORD, NatsServer
from tests.support.waiting import eventually

KEY = "NSE_EQ|INE002A01018"
QUOTE = Quote(key=KEY, epoch=1, seq=1, ts=1, rt=1, ltp=1290.35)
FORGED = "md.quote.NSE_EQ.FORGED"


async def until_ready(readiness: Readiness) -> None:
    async def look() -> bool:
        return readiness.is_ready()

    await eventually(look, what="the bus is back")


async def until_not_ready(readiness: Readiness) -> None:
    async def look() -> bool:
        return not readiness.is_ready()

    await eventually(look, what="the loss is noticed")


async def test_connecting_waits_for_a_server_that_comes_later(nats: NatsServer) -> None:
    nats.kill()
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(bus_of(nats, "ingest", readiness=readiness))
        )

        async def look() -> bool:
            return connecting.done() or readiness.missing.get("nats") not in {None, "connecting"}

        await eventually(look, what="the first attempt fails")
        assert not connecting.done()
        await asyncio.to_thread(nats.start)
        async with asyncio.timeout(15):
            bus = await connecting
        assert readiness.is_ready()
        assert bus.is_connected


async def test_a_wrong_password_keeps_it_waiting_and_not_ready(nats: NatsServer) -> None:
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        wrong = bus_of(nats, "ingest", readiness=readiness, password="wrong")
        connecting = asyncio.ensure_future(stack.enter_async_context(wrong))

        async def look() -> bool:
            return "authorization" in readiness.missing.get("nats", "").lower()

        await eventually(look, what="the refusal is told")
        assert not connecting.done()
        await stop([connecting])


async def test_a_killed_server_is_noticed_and_its_return_too(nats: NatsServer) -> None:
    readiness = Readiness("test")
    async with bus_of(nats, "ingest", readiness=readiness) as bus:
        assert readiness.is_ready()
        nats.kill()
        await until_not_ready(readiness)
        assert not bus.is_connected
        assert not bus.can_publish
        await asyncio.to_thread(nats.start)
        await until_ready(readiness)
        assert bus.can_publish


async def test_a_frozen_server_is_noticed_by_its_silence(nats: NatsServer) -> None:
    readiness = Readiness("test")
    async with bus_of(nats, "ingest", readiness=readiness):
        nats.freeze()
        await until_not_ready(readiness)
        nats.thaw()
        await until_ready(readiness)


async def test_what_is_published_while_the_server_is_away_raises_and_never_arrives(
    nats: NatsServer,
) -> None:
    readiness = Readiness("test")
    async with bus_of(nats, "ingest", readiness=readiness) as bus, bus_of(nats, "gateway") as other:
        heard: list[bytes] = []
        await listen(other.client, "md.>", heard)
        nats.kill()
        await until_not_ready(readiness)
        with pytest.raises(NatsError):
            await bus.client.publish(quote_subject(KEY), b"stale")
        await asyncio.to_thread(nats.start)
        await until_ready(readiness)

        async def look() -> bool:
            # Both have to be back, so say it until it is heard.
            await bus.client.publish("md.status", b"fresh")
            return bool(heard)

        await eventually(look, what="the fresh message")
        assert set(heard) == {b"fresh"}


async def test_as_a_part_it_fails_once_the_client_has_given_up(nats: NatsServer) -> None:
    async with bus_of(nats, "ingest") as bus:
        running = asyncio.ensure_future(bus.run())
        await flushed(bus.client)
        assert not running.done()
        await bus.client.close()
        with pytest.raises(BusClosed):
            async with asyncio.timeout(5):
                await running


async def test_one_of_several_servers_is_enough(nats: NatsServer) -> None:
    settings = nats_settings(nats).model_copy(
        update={"url": f"nats://127.0.0.1:1, {nats.url}, nats://127.0.0.1:2"}
    )
    readiness = Readiness("test")
    async with connect_bus(settings, user="ingest", password=PASSWORD, readiness=readiness) as bus:
        assert bus.is_connected
        nats.kill()
        await until_not_ready(readiness)
        await asyncio.to_thread(nats.start)
        await until_ready(readiness)


async def test_the_ticks_stream_is_made_once_and_follows_its_settings(nats: NatsServer) -> None:
    async with bus_of(nats, "ingest") as bus:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        await publish(bus, 3)
        await ensure_ticks_stream(bus, max_age_secs=120, max_bytes=1 << 21)
        info = await bus.js.stream_info(TICKS_STREAM)
        assert (info.config.max_age, info.config.max_bytes) == (120, 1 << 21)
        assert info.config.no_ack
        assert info.state.messages == 3


async def test_leases_that_would_outlive_the_bucket_are_refused(nats: NatsServer) -> None:
    async with (
        bus_of(nats, "ingest", lease_ttl_secs=2.0) as bus,
        bus_of(nats, "persister", lease_ttl_secs=1.0) as shorter,
        bus_of(nats, "persister", lease_ttl_secs=5.0) as longer,
    ):
        assert (await open_leases(bus)).epoch_base == (await open_leases(shorter)).epoch_base
        with pytest.raises(ConfigError, match="TRADEDAD_NATS_LEASE_TTL_SECS"):
            await open_leases(longer)


# Who may say what.


@asynccontextmanager
async def refusals(nats: NatsServer, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client, and what the server has refused it so far."""
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error).lower())

    client = Client()
    await client.connect(nats.url, user=user, password=PASSWORD, error_cb=on_error)
    yield client, refused
    await client.close()


async def look_at(what: Sequence[object]) -> bool:
    return bool(what)


async def ignore(_: Msg) -> None:
    return


async def listen(client: Client, subject: str, heard: list[bytes]) -> None:
    async def on_message(message: Msg) -> None:
        heard.append(message.data)

    await client.subscribe(subject, cb=on_message)
    await flushed(client)


async def publish(bus: Bus, count: int) -> None:
    for _ in range(count):
        await bus.client.publish(quote_subject(KEY), encode(QUOTE))

    async def look() -> bool:
        return (await bus.js.stream_info(TICKS_STREAM)).state.messages >= count

    await eventually(look, what="the stream has them")


@pytest.mark.parametrize("user", ["gateway", "persister", "observer"])
@pytest.mark.parametrize(
    "subject",
    [FORGED, "md.clock", "md.status", "md.coverage", "md.candle.1m.A.B", "md.depth.A.B"],
)
async def test_nobody_but_ingest_can_say_what_the_market_did(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with bus_of(nats, "ingest") as bus, bus_of(nats, user) as forger:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        observer = await nats.connect("observer")
        heard: list[bytes] = []
        await listen(observer, "md.>", heard)
        await forger.client.publish(subject, b"forged")
        await flushed(forger.client)
        await publish(bus, 1)

        async def look() -> bool:
            return bool(heard)

        await eventually(look, what="the real quote")
        assert heard == [encode(QUOTE)]
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
        ("trading", "md.quote.A.B"),
        ("trading", "trading.feed_token"),
    ],
)
async def test_each_user_is_refused_what_is_anothers(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with refusals(nats, user) as (client, refused):
        await client.publish(subject, b"x")
        await flushed(client)
        await eventually(lambda: look_at(refused), what="the refusal", timeout_secs=5)
        assert f'permissions violation for publish to "{subject.lower()}"' in refused[0]


@pytest.mark.parametrize("user", ["gateway", "persister", "ingest", "auth", "observer"])
@pytest.mark.parametrize("subject", [">", "_INBOX.>", "_INBOX.trading.>", "$JS.>", "$KV.>"])
async def test_nobody_reads_the_answers_of_another(
    nats: NatsServer, user: str, subject: str
) -> None:
    async with refusals(nats, user) as (client, refused):
        await client.subscribe(subject, cb=ignore)
        await flushed(client)
        await eventually(lambda: look_at(refused), what="the refusal", timeout_secs=5)
        assert f'permissions violation for subscription to "{subject.lower()}"' in refused[0]


@pytest.mark.parametrize("user", ["gateway", "persister", "observer"])
@pytest.mark.parametrize("smuggled_to", [FORGED, "md.clock", "md.status", "$KV.leases.ingest"])
async def test_a_reply_subject_can_smuggle_in_nothing(
    nats: NatsServer, user: str, smuggled_to: str
) -> None:
    async with bus_of(nats, "ingest", lease_ttl_secs=60) as bus, bus_of(nats, user) as forger:
        await ensure_ticks_stream(bus, max_age_secs=60, max_bytes=1 << 20)
        leases, _ = await open_leases(bus)
        await leases.put("ingest", b"the leader")
        await publish(bus, 1)
        # Within the forger's own account it can say what it likes: nobody else hears it.
        somebody_else = await nats.connect("gateway" if user == "observer" else "observer")
        heard: list[bytes] = []
        await listen(somebody_else, "md.>", heard)
        for request, body in await allowed_requests(forger):
            await forger.client.publish(request, body, reply=smuggled_to)
        # Asked after those on the same connection, so answered after them.
        await forger.js.stream_info(TICKS_STREAM)
        await publish(bus, 2)

        async def look() -> bool:
            return bool(heard)

        await eventually(look, what="the real quote")
        assert heard == [encode(QUOTE)] * len(heard)
        assert (await bus.js.stream_info(TICKS_STREAM)).state.messages == 3
        assert (await leases.get("ingest")).value == b"the leader"
        await somebody_else.close()


async def test_a_gateways_demand_reaches_ingest(nats: NatsServer) -> None:
    async with bus_of(nats, "ingest") as bus, bus_of(nats, "gateway") as gateway:
        heard: list[bytes] = []
        await listen(bus.client, ALL_DEMAND, heard)
        await gateway.client.publish(demand_subject("gw-1"), b"wants")
        await eventually(lambda: look_at(heard), what="the demand")


async def test_ingest_asks_trading_for_the_token_of_the_feed(nats: NatsServer) -> None:
    trading = await nats.connect("trading")

    async def answer(message: Msg) -> None:
        await message.respond(b"a token")

    await trading.subscribe(FEED_TOKEN, cb=answer)
    await flushed(trading)
    async with bus_of(nats, "ingest") as bus:
        assert (await bus.client.request(FEED_TOKEN, b"", timeout=2)).data == b"a token"
    await trading.close()


async def allowed_requests(bus: Bus) -> list[tuple[str, bytes]]:
    """Requests to JetStream that this user may make, and that are answered."""
    info = f"{bus.js_api}.STREAM.INFO.{TICKS_STREAM}"
    config = {"ack_policy": "none", "deliver_policy": "all", "description": "ltp: 1"}
    body = json.dumps({"stream_name": TICKS_STREAM, "config": config}).encode()
    create = f"{bus.js_api}.CONSUMER.CREATE.{TICKS_STREAM}"
    try:
        made = json.loads((await bus.client.request(create, body, timeout=1)).data)
    except NatsTimeoutError:
        return [(info, b"")]  # the observer may make no consumer
    return [
        (info, b""),
        (create, body),
        (f"{bus.js_api}.CONSUMER.MSG.NEXT.{TICKS_STREAM}.{made['name']}", b'{"batch":1}'),
        (f"{bus.js_api}.CONSUMER.DELETE.{TICKS_STREAM}.{made['name']}", b""),
    ]
