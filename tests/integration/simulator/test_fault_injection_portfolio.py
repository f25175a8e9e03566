"""The effect of faults on a client of the portfolio stream."""

import json
from typing import Any

import aiohttp
import pytest

from services.simulator.fault_injection.frames import GARBAGE_TEXT
from tests.support.patience import PATIENCE_SECS

STREAM = "/v2/feed/portfolio-stream-feed"
STATUSES = ["put order req received", "validation pending", "open pending", "open"]
ORDER = {
    "user_id": "SIM001",
    "quantity": 1,
    "product": "I",
    "validity": "DAY",
    "price": 1_300,
    "instrument_token": "NSE_EQ|INE002A01018",
    "order_type": "LIMIT",
    "transaction_type": "BUY",
    "disclosed_quantity": 0,
    "trigger_price": 0,
    "is_amo": False,
}


async def arm(http: aiohttp.ClientSession, kind: str, **options: Any) -> None:
    fault = {"kind": kind, "stream": "portfolio", **options}
    async with http.post("/simulator/v1/faults", json=fault) as response:
        assert response.status == 201, await response.text()


async def place(http: aiohttp.ClientSession) -> None:
    """A resting order, which makes four updates."""
    async with http.post("/simulator/v1/orders", json=ORDER) as response:
        assert response.status == 201, await response.text()


async def statuses(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[str]:
    messages = [await socket.receive_str(timeout=PATIENCE_SECS) for _ in range(count)]
    return [json.loads(message)["status"] for message in messages]


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("drop", [0, 2, 3]),
        ("duplicate", [0, 1, 1, 2, 3]),
        ("reorder", [0, 2, 1, 3]),
        ("delay", [0, 2, 3, 1]),
    ],
)
async def test_an_update_is_missing_doubled_or_late(
    http: aiohttp.ClientSession, kind: str, order: list[int]
) -> None:
    options = {"delay_secs": 0.2} if kind == "delay" else {}
    async with http.ws_connect(STREAM) as socket:
        await arm(http, kind, after=1, **options)
        await place(http)
        received = await statuses(socket, len(order))
        assert received == [STATUSES[number] for number in order]
        await place(http)
        assert await statuses(socket, 4) == STATUSES


async def test_an_update_that_is_not_json(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(STREAM) as socket:
        for kind in ("garbage", "truncate"):
            await arm(http, kind)
            await place(http)
            damaged = await socket.receive_str(timeout=PATIENCE_SECS)
            assert (damaged == GARBAGE_TEXT) is (kind == "garbage")
            with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
                json.loads(damaged)
            assert await statuses(socket, 3) == STATUSES[1:]


async def test_a_stalled_stream_is_connected_and_silent(http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(STREAM, autoping=False) as socket:
        await arm(http, "stall", after=1)
        await place(http)
        assert await statuses(socket, 1) == STATUSES[:1]
        await place(http)
        await socket.ping()
        assert (await socket.receive(timeout=PATIENCE_SECS)).type is aiohttp.WSMsgType.PONG
    async with http.ws_connect(STREAM) as socket:
        await place(http)
        assert await statuses(socket, 4) == STATUSES


async def test_a_half_open_stream_answers_no_pings(http: aiohttp.ClientSession) -> None:
    await arm(http, "half_open", delay_secs=2.0)
    async with http.ws_connect(STREAM, autoping=False) as socket:
        await place(http)
        await socket.ping()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=0.5)
        # It is aborted after the delay.
        message = await socket.receive(timeout=PATIENCE_SECS)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@pytest.mark.parametrize(("kind", "code"), [("close", 1011), ("abort", 1006)])
async def test_a_stream_is_closed_or_aborted(
    http: aiohttp.ClientSession, kind: str, code: int
) -> None:
    async with http.ws_connect(STREAM) as socket:
        await arm(http, kind)
        await place(http)
        await socket.receive(timeout=PATIENCE_SECS)
        assert socket.close_code == code


async def test_the_faults_of_another_user_or_of_the_feed_do_not_apply(
    http: aiohttp.ClientSession,
) -> None:
    async with http.ws_connect(STREAM) as socket:
        await arm(http, "stall", user_id="SIM002")
        await arm(http, "stall", stream="feed")
        await place(http)
        assert await statuses(socket, 4) == STATUSES
