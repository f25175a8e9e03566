"""Limits of a client, a user, an address and a gateway, over real sockets."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import pytest

from services.gateway.stream.protocol import CloseCode
from tests.support.gateway.in_process import (
    InProcessGateway,
    open_streams,
    running_gateway,
    wait_for_open_streams,
)
from tests.support.gateway.websocket import (
    close_code_of,
    ends_without_reset,
    open_raw_stream,
    read_to_end,
    receive,
    subscribe,
)
from tests.support.http import Reply, read_reply
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


async def test_a_client_that_sends_too_many_messages_gets_errors_and_is_closed(
    nats: NatsServer,
) -> None:
    async with (
        running_gateway(nats, max_messages_per_sec=1, max_bad_messages=3) as gateway,
        gateway.connect() as socket,
    ):
        await receive(socket, "authenticated")
        for number in range(40):
            await socket.send_json({"op": "ping", "id": number})
        codes = []
        while (
            message := await socket.receive(timeout=PATIENCE_SECS)
        ).type is aiohttp.WSMsgType.TEXT:
            if message.json()["type"] == "error":
                codes.append(message.json()["code"])
        assert codes == ["rate_limited"] * 4
        assert socket.close_code == CloseCode.TOO_MANY


async def test_pings_of_the_websocket_count_as_messages(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_messages_per_sec=1, max_bad_messages=3) as gateway,
        gateway.connect(autoping=False) as socket,
    ):
        await receive(socket, "authenticated")
        await socket.ping(b"one")
        reply = await socket.receive(timeout=PATIENCE_SECS)
        assert (reply.type, reply.data) == (aiohttp.WSMsgType.PONG, b"one")
        for _ in range(40):
            await socket.ping(b"more")
        while (
            message := await socket.receive(timeout=PATIENCE_SECS)
        ).type is aiohttp.WSMsgType.PONG:
            pass
        assert message.json()["code"] == "rate_limited"
        assert await close_code_of(socket) == CloseCode.TOO_MANY


async def test_subscribes_of_a_user_are_limited_over_all_streams_and_cost_by_instruments(
    nats: NatsServer,
) -> None:
    async with (
        running_gateway(
            nats,
            max_messages_per_sec=2,
            max_bad_messages=10,
            max_streams_per_user=2,
            max_keys_per_stream=300,
        ) as gateway,
        gateway.connect() as socket,
        gateway.connect() as another,
        gateway.connect(gateway.issuer.token(sub="user-2")) as of_another_user,
    ):
        keys = [f"NSE_EQ|{number}" for number in range(300)]
        await subscribe(socket, *keys)
        await subscribe(another, *keys)
        request = {"op": "subscribe", "id": 7, "channel": "quotes", "keys": keys}
        for _ in range(5):  # the first may be accepted, and leaves the quota negative
            await socket.send_json(request)
        error = await receive(socket, "error")
        assert (error["code"], error["id"]) == ("rate_limited", 7)
        await subscribe(of_another_user, *keys)
        await socket.send_json({"op": "ping"})
        await receive(socket, "pong")


async def test_a_connection_without_a_request_is_closed_and_a_stream_is_not(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, idle_secs=0.5) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        port = int(gateway.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\n")
        assert await read_to_end(reader) == b""
        writer.close()
        await socket.send_json({"op": "ping"})
        await receive(socket, "pong")


async def test_streams_of_a_user_are_limited_apart_from_those_of_other_users(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, max_streams_per_user=2) as gateway, AsyncExitStack() as stack:
        first, _ = [await stack.enter_async_context(gateway.connect()) for _ in range(2)]
        async with gateway.connect() as third:
            assert (await receive(third, "error"))["code"] == "limit_exceeded"
            assert await close_code_of(third) == CloseCode.TOO_MANY
        async with gateway.connect(gateway.issuer.token(sub="user-2")) as other:
            await receive(other, "authenticated")
        await first.close()
        await wait_for_open_streams(1)
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


async def test_streams_of_an_address_are_limited(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams_per_address=1) as gateway, gateway.connect():
        assert await refused(gateway.url, gateway.http) == 429
        # A header of the client itself: no trusted proxy has added it.
        forged = {"X-Forwarded-For": "203.0.113.5"}
        assert await refused(gateway.url, gateway.http, **forged) == 429


async def test_behind_a_trusted_proxy_the_address_is_the_one_that_the_proxy_has_added(
    nats: NatsServer,
) -> None:
    async with running_gateway(
        nats, max_streams_per_address=1, trusted_proxies="127.0.0.0/8"
    ) as gateway:
        first = {"X-Forwarded-For": "203.0.113.5"}
        async with (
            gateway.connect(headers=first),
            gateway.connect(headers={"X-Forwarded-For": "203.0.113.6"}) as other,
        ):
            await receive(other, "authenticated")
            assert await refused(gateway.url, gateway.http, **first) == 429
            # The client's own entry is first, the one of the proxy last.
            forged = {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
            assert await refused(gateway.url, gateway.http, **forged) == 429


async def test_an_address_that_opens_streams_again_and_again_does_not_use_up_the_rate_of_others(
    nats: NatsServer,
) -> None:
    async with running_gateway(
        nats,
        max_streams_per_address=3,
        accept_per_sec_per_address=0.01,
        trusted_proxies="127.0.0.0/8",
    ) as gateway:
        fourth = HANDSHAKE | {"X-Forwarded-For": "2001:db8::5"}
        for number in range(3):  # of one network, and so most likely of one owner
            headers = {"X-Forwarded-For": f"2001:db8::{number}"}
            async with gateway.connect(headers=headers) as socket:
                await receive(socket, "authenticated")
        async with gateway.http.get(f"{gateway.url}/ws", headers=fourth) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 10
            assert (await response.json(content_type=None))["code"] == "rate_limited"
        async with gateway.connect(headers={"X-Forwarded-For": "203.0.113.6"}) as socket:
            await receive(socket, "authenticated")


async def test_streams_above_the_rate_of_the_gateway_are_refused_with_a_time_to_retry(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, accept_per_sec=1) as gateway:
        replies = await asyncio.gather(*(handshake(gateway) for _ in range(20)))
        refused = [reply for reply in replies if reply.status == 503]
        assert refused
        assert {reply.body["code"] for reply in refused} == {"overloaded"}
        assert {1 <= int(reply.headers["Retry-After"]) <= 10 for reply in refused} == {True}

        async def is_accepted() -> bool:
            try:
                async with gateway.connect() as socket:
                    await receive(socket, "authenticated")
                    return True
            except aiohttp.WSServerHandshakeError:
                return False

        await eventually(is_accepted, what="a stream is accepted later")


async def handshake(gateway: InProcessGateway) -> Reply:
    """Open a stream; the reply. The stream is closed at once if it was opened."""
    async with gateway.http.get(f"{gateway.url}/ws", headers=HANDSHAKE) as response:
        if response.status == 101:
            response.close()
            return Reply(101, "", None, response.headers)
        return await read_reply(response)


async def test_a_dead_peer_is_found_by_its_missing_pong(nats: NatsServer) -> None:
    async with running_gateway(nats, heartbeat_secs=4) as gateway, gateway.connect() as alive:
        reading = asyncio.create_task(receive(alive, "pong"))  # and so it answers pings
        reader, writer = await open_raw_stream(gateway)  # it reads nothing: it answers no ping
        assert open_streams() == 2
        await wait_for_open_streams(1)
        await ends_without_reset(reader)
        writer.transport.abort()
        await alive.send_json({"op": "ping"})
        await reading
