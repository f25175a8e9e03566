"""How much one client, user, address and process may have, over real sockets."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from services.gateway.stream.protocol import CloseCode
from tests.support.gateways import (
    closed,
    open_streams,
    raw_stream,
    reached_the_end,
    receive,
    running_gateway,
    subscribe,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


async def test_a_client_that_asks_too_often_is_told_and_then_closed(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_messages_per_sec=5, max_bad_messages=3) as gateway,
        gateway.connect() as socket,
    ):
        await receive(socket, "authenticated")
        for number in range(40):
            await socket.send_json({"op": "ping", "id": number})
        codes = []
        while (message := await socket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
            if message.json()["type"] == "error":
                codes.append(message.json()["code"])
        assert codes == ["limit_exceeded"] * 4
        assert socket.close_code == CloseCode.TOO_MANY


async def test_pings_of_the_websocket_count_as_messages(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_messages_per_sec=5, max_bad_messages=3) as gateway,
        gateway.connect(autoping=False) as socket,
    ):
        await receive(socket, "authenticated")
        await socket.ping(b"one")
        answer = await socket.receive(timeout=10)
        assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"one")
        for _ in range(40):
            await socket.ping(b"more")
        while (message := await socket.receive(timeout=10)).type is aiohttp.WSMsgType.PONG:
            pass
        assert message.json()["code"] == "limit_exceeded"
        assert await closed(socket) == CloseCode.TOO_MANY


async def test_what_a_user_asks_for_is_limited_over_all_streams_and_by_instruments(
    nats: NatsServer,
) -> None:
    async with (
        running_gateway(
            nats, max_messages_per_sec=2, max_streams_per_user=2, max_keys_per_stream=300
        ) as gateway,
        gateway.connect() as socket,
        gateway.connect() as another,
        gateway.connect(gateway.issuer.token(sub="user-2")) as of_another_user,
    ):
        keys = [f"NSE_EQ|{number}" for number in range(300)]
        await subscribe(socket, *keys)
        await subscribe(another, *keys)
        request = {"op": "subscribe", "id": 7, "channel": "quotes", "keys": keys}
        for _ in range(3):  # who is let in once more leaves a debt
            await socket.send_json(request)
        told = await receive(socket, "error")
        assert (told["code"], told["id"]) == ("limit_exceeded", 7)
        await subscribe(of_another_user, *keys)
        await socket.send_json({"op": "ping"})
        await receive(socket, "pong")


async def test_who_asks_for_nothing_is_cut_off_and_a_stream_is_not(nats: NatsServer) -> None:
    async with running_gateway(nats, idle_secs=0.2) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        port = int(gateway.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
        await socket.send_json({"op": "ping"})
        await receive(socket, "pong")


async def test_a_user_may_have_so_many_streams_and_another_user_more(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams_per_user=2) as gateway, AsyncExitStack() as stack:
        first, _ = [await stack.enter_async_context(gateway.connect()) for _ in range(2)]
        async with gateway.connect() as third:
            assert (await receive(third, "error"))["code"] == "limit_exceeded"
            assert await closed(third) == CloseCode.TOO_MANY
        async with gateway.connect(gateway.issuer.token(sub="user-2")) as other:
            await receive(other, "authenticated")
        await first.close()

        async def one_left() -> bool:
            return open_streams() == 1

        await eventually(one_left, what="one stream")
        async with gateway.connect() as again:
            await receive(again, "authenticated")


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def refused(gateway_url: str, http: aiohttp.ClientSession, **headers: str) -> int:
    """The status with which a stream is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await http.ws_connect(f"{gateway_url}/ws", headers=headers)
    return caught.value.status


async def test_an_address_may_have_so_many_streams(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams_per_address=1) as gateway, gateway.connect():
        assert await refused(gateway.url, gateway.http) == 429
        # Nobody made this header but the client itself, so it says nothing.
        forged = {"X-Forwarded-For": "203.0.113.5"}
        assert await refused(gateway.url, gateway.http, **forged) == 429


async def test_behind_a_trusted_proxy_the_address_is_the_one_that_the_proxy_saw(
    nats: NatsServer,
) -> None:
    async with running_gateway(
        nats, max_streams_per_address=1, trusted_proxies="127.0.0.0/8"
    ) as gateway:
        one = {"X-Forwarded-For": "203.0.113.5"}
        async with (
            gateway.connect(headers=one),
            gateway.connect(headers={"X-Forwarded-For": "203.0.113.6"}) as other,
        ):
            await receive(other, "authenticated")
            assert await refused(gateway.url, gateway.http, **one) == 429
            # What the client itself wrote comes first; the proxy's own word is the last.
            forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
            assert await refused(gateway.url, gateway.http, **forged) == 429


async def test_an_address_that_comes_again_and_again_leaves_room_for_others(
    nats: NatsServer,
) -> None:
    async with running_gateway(
        nats,
        max_streams_per_address=3,
        accept_per_sec_per_address=0.1,
        trusted_proxies="127.0.0.0/8",
    ) as gateway:
        often = HANDSHAKE | {"X-Forwarded-For": "2001:db8::5"}
        for number in range(4):  # of one network, and so most likely of one owner
            headers = {"X-Forwarded-For": f"2001:db8::{number}"}
            async with gateway.connect(headers=headers) as socket:
                await receive(socket, "authenticated")
        async with gateway.http.get(f"{gateway.url}/ws", headers=often) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 10
            assert (await response.json(content_type=None))["code"] == "rate_limited"
        async with gateway.connect(headers={"X-Forwarded-For": "203.0.113.6"}) as socket:
            await receive(socket, "authenticated")


async def test_more_streams_at_once_than_are_let_in_get_a_time_to_come_back(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, accept_per_sec=1) as gateway, gateway.connect():
        async with gateway.http.get(f"{gateway.url}/ws", headers=HANDSHAKE) as response:
            assert response.status == 503
            assert 1 <= int(response.headers["Retry-After"]) <= 10
            assert (await response.json(content_type=None))["code"] == "overloaded"

        async def is_let_in() -> bool:
            try:
                async with gateway.connect() as socket:
                    await receive(socket, "authenticated")
                    return True
            except aiohttp.WSServerHandshakeError:
                return False

        await eventually(is_let_in, what="a place a second later")


async def test_a_dead_peer_is_noticed_by_its_missing_pong(nats: NatsServer) -> None:
    async with running_gateway(nats, heartbeat_secs=0.4) as gateway, gateway.connect() as alive:
        reading = asyncio.create_task(receive(alive, "pong"))  # and so it answers pings
        reader, writer = await raw_stream(gateway)  # it reads nothing, and so answers no ping
        assert open_streams() == 2

        async def one_left() -> bool:
            return open_streams() == 1

        await eventually(one_left, what="one stream")
        async with asyncio.timeout(10):
            await reached_the_end(reader)
        writer.transport.abort()
        await alive.send_json({"op": "ping"})
        await reading
