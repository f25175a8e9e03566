"""Each service may publish, request and receive only what its account allows."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.connection import Bus
from shared.bus.resources import ensure_ticks_stream, open_leases
from shared.contracts.instruments import INSTRUMENTS_GET
from shared.contracts.messages import encode
from shared.contracts.subjects import (
    ALL_DEMAND,
    ALL_ORDERS,
    FEED_TOKEN,
    SWITCHES_CHANGED,
    TICKS_STREAM,
    demand_subject,
    order_subject,
)
from shared.contracts.trading import Operation, trading_subject
from shared.contracts.trading_admin import (
    AdminOperation,
    UserAdminOperation,
    admin_subject,
    user_admin_subject,
)
from tests.support.buses import QUOTE, bus_of, flushed, listen, publish_quotes
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import PASSWORD, NatsServer
from tests.support.waiting import eventually

FORGED = "md.quote.NSE_EQ.FORGED"
SET_SWITCH = admin_subject(AdminOperation.SET_SWITCH)
SET_USER_SWITCH = user_admin_subject(0, UserAdminOperation.SET_USER_SWITCH)
_NOT_TRADING = ("gateway", "persister", "ingest", "auth", "observer")


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
        await publish_quotes(bus, 1)
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
        await publish_quotes(bus, 1)
        # Messages within the forger's own account reach no other account.
        other = await nats.connect("gateway" if user == "observer" else "observer")
        received: list[bytes] = []
        await listen(other, "md.>", received)
        for request, body in await allowed_requests(forger, user):
            await forger.client.publish(request, body, reply=reply_subject)
        # A later request on the same connection: its reply comes after those were handled.
        await forger.js.stream_info(TICKS_STREAM)
        await publish_quotes(bus, 2)
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
