"""A gateway that is stopped sends its clients away one after another, and then ends."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from datetime import datetime

from services.gateway.stream.endpoint import DEPENDENCY
from services.gateway.stream.protocol import CloseCode
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.websocket import Socket, close_code_of, receive
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

UNANSWERED = "clients did not answer the close"
CLIENTS = 90  # of the 100 connections that one session of aiohttp opens


async def test_every_client_is_closed_with_1012_and_the_process_exits_with_0(
    nats: NatsServer,
) -> None:
    async with (
        gateway_process(
            nats, MAX_STREAMS_PER_USER=str(CLIENTS + 1), SHUTDOWN_SPREAD_SECS="3"
        ) as gateway,
        AsyncExitStack() as stack,
    ):
        sockets = [await stack.enter_async_context(gateway.connect()) for _ in range(CLIENTS)]
        for socket in sockets:
            await receive(socket, "authenticated")
        closing = [asyncio.create_task(end_of(socket)) for socket in sockets]
        gateway.process.send_signal(signal.SIGTERM)
        await eventually(lambda: is_not_ready(gateway), what="the gateway is not ready any more")
        ends = await asyncio.gather(*closing)
        assert await gateway.process.exited() == 0
        assert {code for _, code in ends} == {CloseCode.RESTARTING}
        first_close_at = min(at for at, _ in ends)
        assert not_ready_at(gateway) < first_close_at, "not ready before the first close"
        assert gateway.process.log_entries(UNANSWERED) == [], "every client's close frame was read"


async def end_of(socket: Socket) -> tuple[float, int | None]:
    """When a stream ended, in Unix seconds, and its close code."""
    code = await close_code_of(socket)
    return time.time(), code


async def is_not_ready(gateway: GatewayProcess) -> bool:
    return await gateway.process.readyz_status() != 200


def not_ready_at(gateway: GatewayProcess) -> float:
    """When the gateway logged that it is not ready because it stops, in Unix seconds."""
    entries = gateway.process.log_entries("not ready")
    (logged_at,) = (entry["timestamp"] for entry in entries if entry["dependency"] == DEPENDENCY)
    return datetime.fromisoformat(logged_at).timestamp()


async def test_a_client_that_ignores_its_close_does_not_delay_the_exit_for_ever(
    nats: NatsServer,
) -> None:
    async with gateway_process(nats) as gateway, gateway.connect(autoclose=False) as socket:
        await receive(socket, "authenticated")
        gateway.process.send_signal(signal.SIGTERM)
        assert (await receive(socket, "error"))["code"] == "restarting"
        assert await gateway.process.exited() == 0
        (unanswered,) = gateway.process.log_entries(UNANSWERED)
        assert unanswered["streams"] == 1
