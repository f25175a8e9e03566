"""The effect of faults on a feed client."""

import json
from functools import partial
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from services.simulator.fault_injection.frames import GARBAGE
from services.simulator.feed.encode import pb
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import eventually

NIFTY = "NSE_INDEX|Nifty 50"
SUBSCRIBE = {"method": "sub", "data": {"instrumentKeys": [NIFTY]}}


async def arm(http: aiohttp.ClientSession, kind: str, **options: Any) -> None:
    path = "/simulator/v1/faults"
    async with http.post(path, json={"kind": kind, **options}) as response:
        assert response.status == 201


async def connect(
    http: aiohttp.ClientSession, *, autoping: bool = True
) -> aiohttp.ClientWebSocketResponse:
    """A connection that has received `market_info` and the snapshot of an index."""
    async with http.get("/v3/feed/market-data-feed/authorize") as response:
        uri = (await response.json())["data"]["authorizedRedirectUri"]
    socket = await http.ws_connect(uri, autoping=autoping)
    assert (
        pb.FeedResponse.FromString(await socket.receive_bytes(timeout=PATIENCE_SECS)).type
        == pb.market_info
    )
    await socket.send_bytes(json.dumps(SUBSCRIBE).encode())
    snapshot = pb.FeedResponse.FromString(await socket.receive_bytes(timeout=PATIENCE_SECS))
    assert snapshot.type == pb.initial_feed
    return socket


async def values(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    """Times (s) of the next index values, which without faults come every second."""
    frames = [
        pb.FeedResponse.FromString(await socket.receive_bytes(timeout=PATIENCE_SECS))
        for _ in range(count)
    ]
    return [frame.feeds[NIFTY].ltpc.ltt // 1_000 for frame in frames]


def steps(times: list[int]) -> list[int]:
    return [b - a for a, b in pairwise(times)]


@pytest.mark.parametrize(
    ("kind", "expected_steps"),
    [
        ("drop", [2, 1, 1]),
        ("duplicate", [1, 0, 1]),
        ("reorder", [2, -1, 2]),
    ],
)
async def test_a_frame_is_dropped_duplicated_or_reordered(
    http: aiohttp.ClientSession, kind: str, expected_steps: list[int]
) -> None:
    socket = await connect(http)
    (before,) = await values(socket, 1)
    await arm(http, kind, after=0)
    # Frames may have arrived before the fault was armed: find the first unusual step.
    times = [before]
    while len(times) < 200:
        times += await values(socket, 1)
        odd = next((place for place, step in enumerate(steps(times)) if step != 1), None)
        if odd is not None and len(times) >= odd + 4:
            break
    assert odd is not None
    start = odd - 1 if kind == "duplicate" else odd
    assert steps(times)[start : start + 3] == expected_steps
    await socket.close()


async def test_garbage_and_a_truncated_frame_cannot_be_decoded(
    http: aiohttp.ClientSession,
) -> None:
    socket = await connect(http)
    for kind in ("garbage", "truncate"):
        await arm(http, kind)
        undecodable = b""
        while not undecodable:
            frame = await socket.receive_bytes(timeout=PATIENCE_SECS)
            try:
                pb.FeedResponse.FromString(frame)
            except Exception:  # noqa: BLE001  (the type depends on protobuf's backend)
                undecodable = frame
        assert (undecodable == GARBAGE) is (kind == "garbage")
        assert len(await values(socket, 2)) == 2
    await socket.close()


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_connection_is_closed_with_a_code(http: aiohttp.ClientSession, code: int) -> None:
    socket = await connect(http)
    await arm(http, "close", code=code)
    while (message := await socket.receive(timeout=PATIENCE_SECS)).type is aiohttp.WSMsgType.BINARY:
        pass
    assert message.type is aiohttp.WSMsgType.CLOSE
    assert socket.close_code == code


async def test_connections_are_accepted_and_aborted(
    http: aiohttp.ClientSession,
) -> None:
    await arm(http, "abort", times=3)
    for _ in range(3):
        async with http.get("/v3/feed/market-data-feed/authorize") as response:
            uri = (await response.json())["data"]["authorizedRedirectUri"]
        socket = await http.ws_connect(uri)
        message = await socket.receive(timeout=PATIENCE_SECS)
        assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    await (await connect(http)).close()


async def has_no_fault(http: aiohttp.ClientSession) -> bool:
    """Whether no fault is armed any longer, because each has begun."""
    async with http.get("/simulator/v1/faults") as response:
        armed: list[Any] = await response.json()
    return not armed


async def end_of(socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMsgType | None:
    """The type of the message after the last frame; None if there is none for 0.5 s."""
    while True:
        try:
            message = await socket.receive(timeout=0.5)
        except TimeoutError:
            return None
        if message.type is not aiohttp.WSMsgType.BINARY:
            return message.type


async def test_a_stalled_connection_sends_no_frames_and_answers_pings(
    http: aiohttp.ClientSession,
) -> None:
    socket = await connect(http, autoping=False)
    await arm(http, "stall")
    assert await end_of(socket) is None
    await socket.ping()
    assert (await socket.receive(timeout=PATIENCE_SECS)).type is aiohttp.WSMsgType.PONG
    await socket.close()


async def test_a_half_open_connection_answers_no_pings(
    http: aiohttp.ClientSession,
) -> None:
    await arm(http, "half_open", after=10, delay_secs=10.0)
    socket = await connect(http, autoping=False)
    await eventually(partial(has_no_fault, http), what="the connection is half open")
    assert await end_of(socket) is None
    await socket.ping()
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.5)
    # It is aborted after the delay, so that it no longer counts as a connection of the user.
    message = await socket.receive(timeout=PATIENCE_SECS)
    assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
