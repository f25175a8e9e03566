"""The gateway's stream over a real WebSocket and a real nats-server."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from services.gateway.stream.protocol import CloseCode
from shared.contracts.messages import encode
from tests.support.builders import KEY, OTHER_KEY
from tests.support.cuttable import cuttable
from tests.support.gateways import (
    closed,
    fresh,
    receive,
    running_gateway,
    subscribe,
)
from tests.support.servers import NatsServer
from tests.support.services import is_ready
from tests.support.waiting import eventually


async def test_a_client_gets_the_last_quote_at_once_and_then_live_ones(nats: NatsServer) -> None:
    async with running_gateway(nats, past=(fresh(seq=1), fresh(seq=2))) as gateway:
        async with gateway.connect() as socket:
            told = await receive(socket, "authenticated")
            assert told["user_id"] == "user-1"
            assert await subscribe(socket, KEY, OTHER_KEY, "nonsense") == {
                KEY: "live",
                OTHER_KEY: "pending",
                "nonsense": "unknown",
            }
            assert [q["seq"] for q in (await receive(socket, "quotes"))["data"]] == [2]
            await gateway.publish(fresh(seq=3, ltp=1_234.05))
            (live,) = (await receive(socket, "quotes"))["data"]
            assert (live["seq"], live["ltp"]) == (3, 1_234.05)


async def test_a_quote_reaches_the_client_as_the_very_bytes_of_ingest(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        one = fresh(atp=0.1, bid=1e-7)
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
        await gateway.publish(fresh())
        await gateway.publish(fresh(key=OTHER_KEY))
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
        assert (told["code"], told["field"], told["id"]) == ("invalid_field", "channel", 7)
        await socket.send_bytes(b"binary")
        assert await closed(socket) == CloseCode.BAD_MESSAGE


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


async def test_what_is_no_websocket_handshake_is_told_so(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams_per_address=1) as gateway:
        for headers in ({}, {"Upgrade": "websocket", "Connection": "upgrade"}):
            async with gateway.http.get(f"{gateway.url}/ws", headers=headers) as answer:
                assert answer.status == 400
                assert answer.content_type == "application/problem+json"
                assert (await answer.json(content_type=None))["code"] == "bad_message"
        async with gateway.connect() as socket:
            await receive(socket, "authenticated")


async def test_requests_that_come_faster_than_answers_go_are_all_answered(
    nats: NatsServer,
) -> None:
    async with (
        running_gateway(nats, max_messages_per_sec=1_000) as gateway,
        gateway.connect() as socket,
    ):
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
        async with running_gateway(nats, past=(fresh(seq=1),), bus_url=proxied) as gateway:
            async with gateway.connect() as socket:
                await subscribe(socket, KEY)
                assert (await receive(socket, "quotes"))["data"][0]["seq"] == 1
                async with cut():
                    await gateway.publish(fresh(seq=2))
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
        await gateway.publish(fresh(seq=8))
        assert (await receive(socket, "quotes"))["data"][0]["seq"] == 8
