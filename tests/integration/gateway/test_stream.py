"""The gateway's stream over a real WebSocket and a real nats-server."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from services.gateway.stream.protocol import CloseCode
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.websocket import close_code_of, receive, subscribe
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.tcp_proxy import cuttable_proxy
from tests.support.waiting import eventually


async def test_a_client_gets_the_last_quote_at_once_and_then_live_quotes(nats: NatsServer) -> None:
    async with running_gateway(nats, past=(fresh_quote(seq=1), fresh_quote(seq=2))) as gateway:
        async with gateway.connect() as socket:
            message = await receive(socket, "authenticated")
            assert message["user_id"] == "user-1"
            assert await subscribe(socket, KEY, OTHER_KEY, "nonsense") == {
                KEY: "live",
                OTHER_KEY: "pending",
                "nonsense": "unknown",
            }
            assert [q["seq"] for q in (await receive(socket, "quotes"))["data"]] == [2]
            await gateway.publish(fresh_quote(seq=3, ltp=1_234.05))
            (live,) = (await receive(socket, "quotes"))["data"]
            assert (live["seq"], live["ltp"]) == (3, 1_234.05)


async def test_the_bytes_of_a_quote_reach_the_client_unchanged(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        quote = fresh_quote(atp=0.1, bid=1e-7)
        await gateway.publish(quote)
        message = await socket.receive(timeout=PATIENCE_SECS)
        assert message.data.encode() == b'{"type":"quotes","data":[' + encode(quote) + b"]}"


async def test_no_quotes_come_after_unsubscribing(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY, OTHER_KEY)
        await socket.send_json(
            {"op": "unsubscribe", "id": 2, "channel": "quotes", "keys": [KEY, "NSE_EQ|X"]}
        )
        ack = await receive(socket, "ack")
        assert ack["results"] == {KEY: "removed", "NSE_EQ|X": "unknown"}
        await gateway.publish(fresh_quote())
        await gateway.publish(fresh_quote(key=OTHER_KEY))
        data = (await receive(socket, "quotes"))["data"]
        assert [q["key"] for q in data] == [OTHER_KEY]


async def test_a_ping_gets_a_pong(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await socket.send_json({"op": "ping", "id": 9})
        pong = await receive(socket, "pong")
        assert pong["id"] == 9
        assert abs(pong["now"] - time.time() * 1_000) < 10_000, "the server's time in milliseconds"


@pytest.mark.parametrize("claims", [{"exp": 1}, {"aud": "others"}, {"typ": "refresh"}])
async def test_a_stream_with_an_invalid_token_gets_an_error_and_is_closed(
    nats: NatsServer, claims: dict[str, Any]
) -> None:
    async with running_gateway(nats) as gateway:
        async with gateway.connect(gateway.issuer.token(**claims)) as socket:
            error = await receive(socket, "error")
            assert error["code"] in ("unauthenticated", "token_expired")
            assert await close_code_of(socket) == CloseCode.UNAUTHENTICATED


async def test_a_request_before_the_token_ends_the_stream(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect(None) as socket:
        await socket.send_json({"op": "ping"})
        assert await close_code_of(socket) == CloseCode.UNAUTHENTICATED


async def test_a_stream_without_a_token_is_closed_after_the_deadline(nats: NatsServer) -> None:
    async with running_gateway(nats, auth_deadline_secs=0.2) as gateway:
        async with gateway.connect(None) as socket:
            assert await close_code_of(socket) == CloseCode.UNAUTHENTICATED


async def test_a_stream_ends_when_its_token_expires_unless_renewed(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        # Long enough for a busy machine to open the streams and to renew one of them.
        soon = int(time.time()) + 10
        async with (
            gateway.connect(gateway.issuer.token(exp=soon)) as ending,
            gateway.connect(gateway.issuer.token(exp=soon)) as renewed,
        ):
            await receive(renewed, "authenticated")
            await renewed.send_json({"op": "auth", "token": gateway.issuer.token()})
            error = await receive(ending, "error")
            assert error["code"] == "token_expired"
            assert await close_code_of(ending) == CloseCode.UNAUTHENTICATED
            await renewed.send_json({"op": "ping"})
            await receive(renewed, "pong")


async def test_a_token_of_another_session_ends_the_stream(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        other = gateway.issuer.token(sid="session-2")
        await socket.send_json({"op": "auth", "token": other})
        assert await close_code_of(socket) == CloseCode.UNAUTHENTICATED


async def test_malformed_messages_get_errors_until_the_stream_is_closed(nats: NatsServer) -> None:
    async with running_gateway(nats, max_bad_messages=2) as gateway, gateway.connect() as socket:
        await socket.send_str("{")
        assert (await receive(socket, "error"))["code"] == "bad_message"
        await socket.send_str('{"op":"subscribe","id":7,"channel":"x","keys":[]}')
        error = await receive(socket, "error")
        assert (error["code"], error["field"], error["id"]) == ("invalid_field", "channel", 7)
        await socket.send_bytes(b"binary")
        assert await close_code_of(socket) == CloseCode.BAD_MESSAGE


async def test_subscriptions_above_the_limit_are_refused_and_the_stream_stays_open(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, max_keys_per_stream=2) as gateway:
        async with gateway.connect() as socket:
            keys = ["NSE_EQ|A", "NSE_EQ|B", "NSE_EQ|C"]
            await socket.send_json({"op": "subscribe", "id": 1, "channel": "quotes", "keys": keys})
            error = await receive(socket, "error")
            assert (error["code"], error["id"]) == ("limit_exceeded", 1)
            assert set(await subscribe(socket, *keys[:2])) == set(keys[:2])


async def test_a_stream_above_the_limit_gets_503(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, gateway.connect():
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with gateway.connect():
                pass
        assert caught.value.status == 503


async def test_a_page_of_another_origin_is_refused_unless_allowed(nats: NatsServer) -> None:
    allowed = "https://allowed.example"
    async with running_gateway(nats, allowed_origins=allowed) as gateway:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with gateway.connect(origin="https://evil.example"):
                pass
        assert caught.value.status == 403
        for origin in (allowed, gateway.url):
            async with gateway.connect(origin=origin) as socket:
                await receive(socket, "authenticated")


async def test_a_request_that_is_not_a_websocket_handshake_gets_400(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams_per_address=1) as gateway:
        for headers in ({}, {"Upgrade": "websocket", "Connection": "upgrade"}):
            async with gateway.http.get(f"{gateway.url}/ws", headers=headers) as answer:
                assert answer.status == 400
                assert answer.content_type == "application/problem+json"
                assert (await answer.json(content_type=None))["code"] == "bad_message"
        async with gateway.connect() as socket:
            await receive(socket, "authenticated")


@pytest.mark.parametrize("header", ["Upgrade", "Connection", "Sec-WebSocket-Version"])
async def test_a_handshake_with_a_header_that_is_not_text_gets_400(
    nats: NatsServer, header: str
) -> None:
    lines = {"Upgrade": b"websocket", "Connection": b"upgrade", "Sec-WebSocket-Version": b"13"}
    lines[header] = b"\xa9"
    head = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in lines.items())
    async with running_gateway(nats) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()


async def test_requests_that_arrive_faster_than_replies_leave_all_get_replies(
    nats: NatsServer,
) -> None:
    async with (
        running_gateway(nats, max_messages_per_sec=10_000) as gateway,
        gateway.connect() as socket,
    ):
        for number in range(1_000):
            await socket.send_json({"op": "ping", "id": number})
        ids = [(await receive(socket, "pong"))["id"] for _ in range(1_000)]
        assert ids == list(range(1_000))


async def test_requests_above_the_key_limit_do_not_count_as_malformed_messages(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, max_keys_per_stream=1, max_bad_messages=1) as gateway:
        async with gateway.connect() as socket:
            request = {"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["A|1", "A|2"]}
            for _ in range(5):
                await socket.send_json(request)
                assert (await receive(socket, "error"))["code"] == "limit_exceeded"


async def test_a_quote_published_while_the_gateway_was_cut_off_arrives_afterwards(
    nats: NatsServer,
) -> None:
    """The gateway connects through a proxy, ingest does not."""
    async with cuttable_proxy(nats.port) as proxy:
        bus = nats_settings(f"nats://{proxy.address}", has_outages=True)
        async with running_gateway(nats, past=(fresh_quote(seq=1),), bus=bus) as gateway:
            async with gateway.connect() as socket:
                await subscribe(socket, KEY)
                assert (await receive(socket, "quotes"))["data"][0]["seq"] == 1
                async with proxy.cut():
                    await gateway.publish(fresh_quote(seq=2))
                assert (await receive(socket, "quotes"))["data"][0]["seq"] == 2


async def test_clients_of_a_gateway_that_stops_are_closed_as_restarting(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        socket = await gateway.http.ws_connect(f"{gateway.url}/ws")
        await socket.send_json({"op": "auth", "token": gateway.issuer.token()})
        await receive(socket, "authenticated")
        reading = asyncio.create_task(close_code_of(socket))
    assert await reading == CloseCode.RESTARTING


async def test_quotes_arrive_again_after_nats_was_killed(nats: NatsServer) -> None:
    bus = nats_settings(nats.url, has_outages=True)
    async with running_gateway(nats, bus=bus) as gateway, gateway.connect() as socket:
        await subscribe(socket, KEY)
        nats.kill()
        await gateway.wait_not_ready()
        await asyncio.to_thread(nats.start)
        await gateway.wait_ready()
        await eventually(lambda: gateway.ingest.is_connected, what="ingest is connected again")
        await gateway.publish(fresh_quote(seq=8))
        assert (await receive(socket, "quotes"))["data"][0]["seq"] == 8


@pytest.mark.parametrize(
    ("headers", "is_accepted"),
    [
        ({"Origin": "http://h", "Host": "h:80"}, True),
        ({"Origin": "http://h", "Host": "H"}, True),
        ({"Origin": "https://h", "Host": "h:443", "X-Forwarded-Proto": "https"}, True),
        (
            {"Origin": "https://h", "Host": "inner:7400", "X-Forwarded-Proto": "https",
             "X-Forwarded-Host": "h:443"},
            True,
        ),
        ({"Origin": "https://h", "Host": "h:443"}, False),
        ({"Origin": "https://h", "Host": "h:80", "X-Forwarded-Proto": "https"}, False),
        ({"Origin": "http://h", "Host": "h:8080"}, False),
        ({"Origin": "https://other", "Host": "h:443", "X-Forwarded-Proto": "https"}, False),
    ],
    ids=lambda value: ", ".join(value.values()) if isinstance(value, dict) else None,
)  # fmt: skip
async def test_the_default_port_in_the_host_makes_no_other_origin(
    nats: NatsServer, headers: dict[str, str], is_accepted: bool
) -> None:
    async with running_gateway(nats, trusted_proxies="127.0.0.1/32") as gateway:
        if is_accepted:
            async with gateway.connect(headers=headers) as socket:
                await receive(socket, "authenticated")
            return
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            async with gateway.connect(headers=headers):
                pass
        assert refusal.value.status == 403


async def test_the_heartbeat_arrives_although_nothing_changes(nats: NatsServer) -> None:
    async with running_gateway(nats, stream_heartbeat_secs=0.1) as gateway:
        async with gateway.connect() as socket:
            await receive(socket, "authenticated")
            first = await receive(socket, "heartbeat")
            second = await receive(socket, "heartbeat")
            assert first["feed_is_current"] is second["feed_is_current"] is False
            assert second["now"] > first["now"]
            status = FeedStatus(state=FeedState.LIVE, since=1, epoch=1, simulated=True)
            await gateway.ingest.publish(STATUS, encode(status))
            while not (await receive(socket, "heartbeat"))["feed_is_current"]:
                pass
