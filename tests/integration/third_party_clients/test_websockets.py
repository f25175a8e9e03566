"""The `websockets` package can use the stream as docs/stream.md describes it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer


def address(gateway: InProcessGateway) -> str:
    return f"ws{gateway.url.removeprefix('http')}/ws"


async def send(stream: ClientConnection, **message: Any) -> None:
    await stream.send(json.dumps(message))


async def receive(stream: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECS):
        data = await stream.recv()
    assert isinstance(data, str)
    message: dict[str, Any] = json.loads(data)
    return message


async def of_type(stream: ClientConnection, kind: str) -> dict[str, Any]:
    while (message := await receive(stream))["type"] != kind:
        pass
    return message


async def test_a_client_uses_every_request_of_the_protocol(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, expiry_warning_secs=3_600) as gateway,
        connect(address(gateway)) as stream,
    ):
        await gateway.publish(fresh_quote(seq=1, ltp=1.5))
        later = int(time.time()) + 7_200
        await send(stream, op="auth", token=gateway.issuer.token(exp=later))
        message = await receive(stream)
        assert message == {"type": "authenticated", "user_id": "user-1", "expires_at": later}

        await send(stream, op="subscribe", id=1, channel="quotes", keys=[KEY, OTHER_KEY])
        ack = await receive(stream)
        assert ack == {"type": "ack", "id": 1, "results": {KEY: "live", OTHER_KEY: "pending"}}
        snapshot = await receive(stream)
        assert (snapshot["type"], snapshot["snapshot"]) == ("quotes", True)
        assert [quote["ltp"] for quote in snapshot["data"]] == [1.5]

        await gateway.publish(fresh_quote(seq=2, ltp=2.5))
        live = await of_type(stream, "quotes")
        assert "snapshot" not in live
        assert [quote["ltp"] for quote in live["data"]] == [2.5]

        await send(stream, op="ping", id=2)
        pong = await of_type(stream, "pong")
        assert pong == {"type": "pong", "id": 2, "now": pong["now"]}
        await send(stream, op="subscribe", id=3, channel="quotes", keys=[KEY], typo=True)
        refusal = await of_type(stream, "error")
        assert (refusal["code"], refusal["id"]) == ("invalid_field", 3)

        soon = later - 6_600
        await send(stream, op="auth", token=gateway.issuer.token(exp=soon))
        assert (await of_type(stream, "authenticated"))["expires_at"] == soon
        assert (await of_type(stream, "expiring"))["expires_at"] == soon
        await send(stream, op="auth", token=gateway.issuer.token(exp=later))
        assert (await of_type(stream, "authenticated"))["expires_at"] == later

        await send(stream, op="unsubscribe", id=4, channel="quotes", keys=[KEY, "NSE_EQ|NONE"])
        ack = await of_type(stream, "ack")
        assert ack["results"] == {KEY: "removed", "NSE_EQ|NONE": "unknown"}


async def test_a_client_with_an_interval_gets_only_the_newest_quotes(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, connect(address(gateway)) as stream:
        await send(stream, op="auth", token=gateway.issuer.token())
        await send(stream, op="subscribe", id=1, channel="quotes", keys=["*"], interval_ms=2_000)
        await of_type(stream, "ack")
        for seq in range(1, 50):
            await gateway.publish(fresh_quote(seq=seq))
        seen: list[int] = []
        while not seen or seen[-1] < 49:
            batch = await of_type(stream, "quotes")
            seen += [quote["seq"] for quote in batch["data"]]
        assert len(seen) < 49


async def closed(stream: ClientConnection) -> tuple[list[str], int | None, str | None]:
    """The codes of the errors before the close, the close code and the reason."""
    codes = []
    with suppress(ConnectionClosedError):  # as `websockets` calls every code but 1000 and 1001
        while True:
            message = await receive(stream)
            codes += [message["code"]] if message["type"] == "error" else []
    return codes, stream.close_code, stream.close_reason


async def test_a_revoked_session_gets_an_error_and_is_closed(
    nats: NatsServer, revoke: Callable[[], Awaitable[None]]
) -> None:
    async with running_gateway(nats) as gateway, connect(address(gateway)) as stream:
        await send(stream, op="auth", token=gateway.issuer.token())
        await of_type(stream, "authenticated")
        await revoke()
        assert await closed(stream) == (["revoked"], 4403, "the session was ended")


async def test_a_client_of_a_gateway_that_stops_gets_an_error_and_is_closed(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, connect(address(gateway)) as stream:
        await send(stream, op="auth", token=gateway.issuer.token())
        await of_type(stream, "authenticated")
        stopping = asyncio.create_task(gateway.stop())
        codes, code, _ = await closed(stream)
        await stopping
        assert (codes, code) == (["restarting"], 1012)


async def test_a_stream_without_a_valid_token_is_closed(nats: NatsServer) -> None:
    async with running_gateway(nats, auth_deadline_secs=2.0) as gateway:
        async with connect(address(gateway)) as silent:
            assert (await closed(silent))[:2] == (["unauthenticated"], 4401)
        async with connect(address(gateway)) as invalid:
            await send(invalid, op="auth", token="not.a.token")
            assert (await closed(invalid))[:2] == (["unauthenticated"], 4401)
        async with connect(address(gateway)) as malformed:
            for _ in range(7):
                await malformed.send("{")
            codes, code, _ = await closed(malformed)
            assert (set(codes), code) == ({"bad_message"}, 4400)


async def test_a_full_gateway_sends_a_time_to_retry(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, connect(address(gateway)):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(address(gateway))
        response = refusal.value.response
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) >= 1
        assert json.loads(response.body)["code"] == "overloaded"
