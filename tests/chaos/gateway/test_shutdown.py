"""A gateway that is told to go sends everybody away in order, over some time, and then goes."""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack
from datetime import datetime

import aiohttp

from services.gateway.stream.protocol import CloseCode
from tests.support.gateways import GatewayProcess, closed, gateway_process, receive
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

CLIENTS = 90  # of the 100 that one session of aiohttp opens


async def test_all_are_sent_away_with_1012_and_the_process_ends_well(nats: NatsServer) -> None:
    async with (
        gateway_process(nats, MAX_STREAMS_PER_USER=str(CLIENTS + 1)) as gateway,
        AsyncExitStack() as stack,
    ):
        sockets = [await stack.enter_async_context(gateway.connect()) for _ in range(CLIENTS)]
        for socket in sockets:
            await receive(socket, "authenticated")
        reading = [asyncio.create_task(leave(socket)) for socket in sockets]
        started = time.time()
        gateway.process.send(signal.SIGTERM)

        async def not_ready() -> bool:
            return not await gateway.process.ready()

        await eventually(not_ready, what="a gateway that is not ready any more")
        ends = await asyncio.gather(*reading)
        assert {code for _, code in ends} == {CloseCode.RESTARTING}
        first, last = min(at for at, _ in ends), max(at for at, _ in ends)
        print(f"sent away from {first - started:.2f} to {last - started:.2f} s after SIGTERM")
        assert last - first > 0.3, "spread over time: they will all come back"
        assert told_not_ready(gateway) < first, "before it sends the first away"
        assert await gateway.process.ended() == 0


async def leave(socket: aiohttp.ClientWebSocketResponse) -> tuple[float, int | None]:
    code = await closed(socket)
    return time.time(), code


def told_not_ready(gateway: GatewayProcess) -> float:
    """When it became not ready because it goes, Unix seconds."""
    lines = map(json.loads, gateway.process.logged().splitlines())
    (at,) = (
        line["timestamp"]
        for line in lines
        if line["event"] == "not ready" and line["dependency"] == "admission"
    )
    return datetime.fromisoformat(at).timestamp()


async def test_a_client_that_takes_no_notice_does_not_hold_it_up(nats: NatsServer) -> None:
    async with gateway_process(nats) as gateway, gateway.connect(autoclose=False) as socket:
        await receive(socket, "authenticated")
        gateway.process.send(signal.SIGTERM)
        assert (await receive(socket, "error"))["code"] == "restarting"
        assert await gateway.process.ended() == 0
