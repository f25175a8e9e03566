"""The `ws` package of npm can use the stream, by docs/stream.md alone."""

import asyncio
import json
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support import stock
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.servers import NatsServer


@asynccontextmanager
async def watching(gateway: InProcessGateway, *keys: str) -> AsyncIterator[Process]:
    """The program under ws/, with a token that is soon to be renewed."""
    home = stock.with_packages(stock.WS_PROGRAM)
    url = f"ws{gateway.url.removeprefix('http')}/ws"
    tokens = gateway.issuer.token(exp=int(time.time()) + 61), gateway.issuer.token()
    process = await asyncio.create_subprocess_exec(
        stock.node(), home / "watch.mjs", url, *tokens, *keys, stdout=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(process: Process, kind: str) -> dict[str, Any]:
    """The next message of a type that the program prints."""
    assert process.stdout is not None
    async with asyncio.timeout(15):
        while line := await process.stdout.readline():
            message: dict[str, Any] = json.loads(line)
            if message["type"] == kind:
                return message
    raise AssertionError(f"the program has ended without {kind}")


async def test_a_whole_conversation(
    nats: NatsServer, revoke: Callable[[], Awaitable[None]]
) -> None:
    async with running_gateway(nats, expiry_warning_secs=60) as gateway:
        await gateway.publish(fresh_quote(seq=1, ltp=1.5))
        async with watching(gateway, KEY, OTHER_KEY) as process:
            assert (await told(process, "authenticated"))["user_id"] == "user-1"
            results = (await told(process, "ack"))["results"]
            assert results == {KEY: "live", OTHER_KEY: "pending"}
            snapshot = await told(process, "quotes")
            assert snapshot["snapshot"] is True
            assert [quote["ltp"] for quote in snapshot["data"]] == [1.5]
            await gateway.publish(fresh_quote(seq=2, ltp=2.5))
            live = await told(process, "quotes")
            assert [quote["ltp"] for quote in live["data"]] == [2.5]
            soon = (await told(process, "expiring"))["expires_at"]
            assert (await told(process, "authenticated"))["expires_at"] > soon
            await revoke()
            assert (await told(process, "error"))["code"] == "revoked"
            end = await told(process, "closed")
            assert (end["code"], end["reason"]) == (4403, "the session was ended")


async def test_a_full_gateway_is_told(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, gateway.client():
        async with watching(gateway, KEY) as process:
            assert (await told(process, "refused"))["status"] == 503
