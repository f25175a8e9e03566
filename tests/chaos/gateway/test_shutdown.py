"""A gateway that is stopped sends its clients away one after another, and then ends."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from datetime import datetime

import aiohttp

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


async def test_no_request_on_a_kept_connection_fails_while_a_gateway_stops(
    nats: NatsServer,
) -> None:
    async with gateway_process(nats) as gateway:
        gateway.process.environment["TRADEDAD_RUNTIME_SHUTDOWN_GRACE_SECS"] = "5"
        await gateway.replace()
        kept: list[bool] = []
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as http:
            while not kept or gateway.process.is_running:
                try:
                    # aiohttp repeats a GET by itself, and hides its failure.
                    async with http.post(f"{gateway.url}/v1/quotes") as response:
                        assert response.status == 405
                        kept.append(response.headers.get("Connection") != "close")
                except aiohttp.ClientConnectorError:
                    break  # it listens no more; a balancer tries another one
                except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                    # The kernel had accepted a new connection when the port was closed:
                    # it ends such a connection in order, or resets it.
                    assert kept[-1] is False, "a kept connection was closed"
                    break
                if len(kept) == 10:
                    gateway.process.send_signal(signal.SIGTERM)
        assert await gateway.process.exited() == 0
        assert kept[:10] == [True] * 10
        assert kept[-1] is False, "it never announced that it stops"
