"""The gateway's stream over a real WebSocket and a real nats-server."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from nats.aio.client import Client

from embedded.ports import free_ports
from services.gateway import metrics
from services.gateway.app import build
from services.gateway.protocol import CloseCode
from services.gateway.settings import GatewaySettings
from shared.bus import connect_bus, ensure_ticks_stream
from shared.health import Readiness
from shared.messages import Quote, encode
from shared.settings import NatsSettings
from shared.subjects import quote_subject
from tests.support.builders import KEY, OTHER_KEY, quote
from tests.support.cuttable import cuttable
from tests.support.issuer import TestIssuer, serve_issuer
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import is_ready, running
from tests.support.waiting import eventually


class Gateway:
    """A running gateway, its issuer, and ingest's place on the bus."""

    def __init__(
        self, url: str, issuer: TestIssuer, ingest: Client, http: aiohttp.ClientSession,
        readiness: Readiness,
    ) -> None:  # fmt: skip
        self.url = url
        self.issuer = issuer
        self.ingest = ingest
        self.http = http
        self.readiness = readiness

    async def publish(self, one: Quote) -> None:
        await self.ingest.publish(quote_subject(one.key), encode(one))
        await self.ingest.flush()

    @asynccontextmanager
    async def connect(
        self, token: str | None = "good", **options: Any
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(f"{self.url}/ws", **options) as socket:
            if token is not None:
                good = self.issuer.token() if token == "good" else token
                await socket.send_json({"op": "auth", "token": good})
            yield socket


@asynccontextmanager
async def running_gateway(
    nats: NatsServer,
    *,
    past: tuple[Quote, ...] = (),
    bus_url: str | None = None,
    **settings: Any,
) -> AsyncIterator[Gateway]:
    nats_settings = NatsSettings.model_validate({"url": nats.url})
    gateways_nats = NatsSettings.model_validate({"url": bus_url or nats.url})
    port, _ = free_ports(2)
    readiness = Readiness("gateway")
    async with (
        serve_issuer() as issuer,
        connect_bus(
            nats_settings, user="ingest", password=PASSWORD, readiness=Readiness("ingest")
        ) as ingest,
        aiohttp.ClientSession() as http,
    ):
        await ensure_ticks_stream(ingest, max_age_secs=600, max_bytes=1 << 24)
        for one in past:
            await ingest.client.publish(quote_subject(one.key), encode(one))
        await ingest.client.flush()
        options = {
            "port": port,
            "nats_password": PASSWORD,
            "nats": gateways_nats,
            "tokens": issuer.settings,
        } | settings
        build_it = build(GatewaySettings.model_validate(options), readiness)
        async with running(build_it):
            await eventually(lambda: is_ready(readiness), what="a gateway that is ready")
            url = f"http://127.0.0.1:{port}"
            yield Gateway(url, issuer, ingest.client, http, readiness)


async def subscribe(socket: aiohttp.ClientWebSocketResponse, *keys: str) -> dict[str, str]:
    await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": list(keys)})
    answer = await receive(socket, "ack")
    results: dict[str, str] = answer["results"]
    return results


async def receive(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of this kind."""
    async with asyncio.timeout(10):
        while True:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, (message, socket.close_code)
            body: dict[str, Any] = message.json()
            if body["type"] == kind:
                return body


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The close code, once the stream has ended."""
    async with asyncio.timeout(10):
        async for _ in socket:
            pass
    return socket.close_code


async def test_a_client_gets_the_last_quote_at_once_and_then_live_ones(nats: NatsServer) -> None:
    async with running_gateway(nats, past=(quote(seq=1), quote(seq=2))) as gateway:
        async with gateway.connect() as socket:
            told = await receive(socket, "authenticated")
            assert told["user_id"] == "user-1"
            assert await subscribe(socket, KEY, OTHER_KEY, "nonsense") == {
                KEY: "live",
                OTHER_KEY: "pending",
                "nonsense": "unknown",
            }
            assert [q["seq"] for q in (await receive(socket, "quotes"))["data"]] == [2]
            await gateway.publish(quote(seq=3, ltp=1_234.05))
            (live,) = (await receive(socket, "quotes"))["data"]
            assert (live["seq"], live["ltp"]) == (3, 1_234.05)


async def test_a_quote_reaches_the_client_as_the_very_bytes_of_ingest(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        one = quote(atp=0.1, bid=1e-7)
        await gateway.publish(one)
        async with asyncio.timeout(10):
            message = await socket.receive()
        assert message.data.encode() == b'{"type":"quotes","data":[' + encode(one) + b"]}"


async def test_nothing_comes_after_unsubscribing(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY, OTHER_KEY)
        await socket.send_json(
            {"op": "unsubscribe", "id": 2, "channel": "quotes", "keys": [KEY, "NSE_EQ|X"]}
        )
        answer = await receive(socket, "ack")
        assert answer["results"] == {KEY: "removed", "NSE_EQ|X": "unknown"}
        await gateway.publish(quote())
        await gateway.publish(quote(key=OTHER_KEY))
        data = (await receive(socket, "quotes"))["data"]
        assert [q["key"] for q in data] == [OTHER_KEY]


async def test_a_ping_is_answered(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await socket.send_json({"op": "ping", "id": 9})
        assert (await receive(socket, "pong"))["id"] == 9


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "others"}, {"typ": "refresh"}])
async def test_a_bad_token_is_told_and_closed(nats: NatsServer, claims: dict[str, Any]) -> None:
    async with running_gateway(nats) as gateway:
        async with gateway.connect(gateway.issuer.token(**claims)) as socket:
            told = await receive(socket, "error")
            assert told["code"] in ("unauthenticated", "token_expired")
            assert await closed(socket) == CloseCode.UNAUTHENTICATED


async def test_a_request_before_the_token_is_refused(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect(None) as socket:
        await socket.send_json({"op": "ping"})
        assert await closed(socket) == CloseCode.UNAUTHENTICATED


async def test_a_stream_without_a_token_is_closed_in_time(nats: NatsServer) -> None:
    async with running_gateway(nats, auth_deadline_secs=0.2) as gateway:
        async with gateway.connect(None) as socket:
            assert await closed(socket) == CloseCode.UNAUTHENTICATED


async def test_a_stream_ends_when_its_token_does_unless_renewed(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        soon = int(time.time()) + 4
        async with (
            gateway.connect(gateway.issuer.token(exp=soon)) as ending,
            gateway.connect(gateway.issuer.token(exp=soon)) as renewed,
        ):
            await receive(renewed, "authenticated")
            await renewed.send_json({"op": "auth", "token": gateway.issuer.token()})
            told = await receive(ending, "error")
            assert told["code"] == "token_expired"
            assert await closed(ending) == CloseCode.UNAUTHENTICATED
            await renewed.send_json({"op": "ping"})
            await receive(renewed, "pong")


async def test_a_stream_cannot_be_renewed_by_another_session(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        stranger = gateway.issuer.token(sid="session-2")
        await socket.send_json({"op": "auth", "token": stranger})
        assert await closed(socket) == CloseCode.UNAUTHENTICATED


async def test_malformed_messages_are_told_and_then_closed(nats: NatsServer) -> None:
    async with running_gateway(nats, max_bad_messages=2) as gateway, gateway.connect() as socket:
        await socket.send_str("{")
        assert (await receive(socket, "error"))["code"] == "bad_message"
        await socket.send_str('{"op":"subscribe","id":7,"channel":"x","keys":[]}')
        told = await receive(socket, "error")
        assert (told["code"], told["field"]) == ("invalid_field", "channel")
        await socket.send_bytes(b"binary")
        assert await closed(socket) == CloseCode.BAD_MESSAGE


async def test_a_message_over_the_limit_is_refused(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await socket.send_str("x" * 20_000)
        assert await closed(socket) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_subscriptions_beyond_the_limit_are_refused_and_the_stream_lives(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, max_keys_per_stream=2) as gateway:
        async with gateway.connect() as socket:
            keys = ["NSE_EQ|A", "NSE_EQ|B", "NSE_EQ|C"]
            await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys})
            told = await receive(socket, "error")
            assert (told["code"], told["id"]) == ("limit_exceeded", 1)
            assert set(await subscribe(socket, *keys[:2])) == set(keys[:2])


async def test_streams_beyond_the_limit_get_503(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, gateway.connect():
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with gateway.connect():
                pass
        assert caught.value.status == 503


async def test_a_page_of_another_origin_is_refused(nats: NatsServer) -> None:
    allowed = "https://allowed.example"
    async with running_gateway(nats, allowed_origins=allowed) as gateway:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with gateway.connect(origin="https://evil.example"):
                pass
        assert caught.value.status == 403
        for origin in (allowed, gateway.url):
            async with gateway.connect(origin=origin) as socket:
                await receive(socket, "authenticated")


async def test_a_client_that_never_reads_is_let_go_and_harms_nobody(nats: NatsServer) -> None:
    async with running_gateway(nats, blocked_secs=1) as gateway, gateway.connect() as healthy:
        reader, writer = await raw_stream(gateway)
        keys = [f"NSE_EQ|{'K' * 100}{number}" for number in range(100)]
        await subscribe(healthy, *keys)
        send_raw(writer, {"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys})
        await writer.drain()

        async def both_are_there() -> bool:
            return open_streams() == 2

        await eventually(both_are_there, what="two streams")
        last_seen = 0
        deadline = asyncio.get_running_loop().time() + 30
        for seq in itertools.count(1):
            for key in keys:
                await gateway.ingest.publish(quote_subject(key), encode(quote(key=key, seq=seq)))
            await gateway.ingest.flush()
            data = (await receive(healthy, "quotes"))["data"]
            last_seen = max(q["seq"] for q in data)
            if open_streams() == 1:
                break
            assert asyncio.get_running_loop().time() < deadline, "the stuck one is still there"
        assert last_seen > 1
        # Aborted, not merely closed: nothing of it waits in the gateway any more.
        async with asyncio.timeout(10):
            assert not await reached_the_end(reader)
        writer.close()


async def reached_the_end(reader: asyncio.StreamReader) -> bool:
    """Read all there is: True if it ends in order, False if by a reset."""
    try:
        while await reader.read(1 << 20):
            pass
    except ConnectionResetError:
        return False
    return True


def open_streams() -> float:
    (metric,) = metrics.STREAMS.collect()
    return metric.samples[0].value


async def raw_stream(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket whose client reads only when it is told to."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 10)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    send_raw(writer, {"op": "auth", "token": gateway.issuer.token()})
    return reader, writer


def send_raw(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """A masked text frame, with a mask of zeros."""
    body = json.dumps(message).encode()
    writer.write(b"\x81" + bytes([0x80 | 126]) + len(body).to_bytes(2, "big") + bytes(4) + body)


async def test_requests_that_come_faster_than_answers_go_are_all_answered(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        for number in range(1_000):
            await socket.send_json({"op": "ping", "id": number})
        answered = [(await receive(socket, "pong"))["id"] for _ in range(1_000)]
        assert answered == list(range(1_000))


async def test_asking_for_too_much_again_and_again_is_no_malformed_message(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, max_keys_per_stream=1, max_bad_messages=1) as gateway:
        async with gateway.connect() as socket:
            request = {"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["A|1", "A|2"]}
            for _ in range(5):
                await socket.send_json(request)
                assert (await receive(socket, "error"))["code"] == "limit_exceeded"


async def test_what_was_published_while_nats_was_cut_off_is_told_afterwards(
    nats: NatsServer,
) -> None:
    """Through a proxy: to the gateway the server is away, to ingest it is not."""
    async with cuttable(nats.port) as (proxied, cut):
        async with running_gateway(nats, past=(quote(seq=1),), bus_url=proxied) as gateway:
            async with gateway.connect() as socket:
                await subscribe(socket, KEY)
                assert (await receive(socket, "quotes"))["data"][0]["seq"] == 1
                async with cut():
                    await gateway.publish(quote(seq=2))
                assert (await receive(socket, "quotes"))["data"][0]["seq"] == 2


async def test_clients_are_told_that_the_gateway_restarts(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        socket = await gateway.http.ws_connect(f"{gateway.url}/ws")
        await socket.send_json({"op": "auth", "token": gateway.issuer.token()})
        await receive(socket, "authenticated")
        reading = asyncio.create_task(closed(socket))
    assert await reading == CloseCode.RESTARTING


async def test_quotes_flow_again_after_nats_was_killed(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        nats.kill()

        async def unready() -> bool:
            return not gateway.readiness.is_ready()

        await eventually(unready, what="a gateway that knows NATS is away")
        nats.start()
        await eventually(lambda: is_ready(gateway.readiness), what="a gateway that is ready")

        async def ingest_is_back() -> bool:
            return gateway.ingest.is_connected

        await eventually(ingest_is_back, what="ingest reconnected")
        await gateway.publish(quote(seq=8))
        assert (await receive(socket, "quotes"))["data"][0]["seq"] == 8
