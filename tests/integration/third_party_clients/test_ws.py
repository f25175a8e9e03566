"""The `ws` package of npm can use the stream as docs/stream.md describes it."""

import asyncio
import json
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from embedded.page.node import node
from tests.support import third_party
from tests.support.builders import KEY, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.python_client import python_client
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer


class Program:
    """The program in ws/, which prints each message that it receives."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._unread: list[dict[str, Any]] = []

    async def next_of(self, kind: str) -> dict[str, Any]:
        """The first message of a type that was not returned before."""
        for unread in self._unread:
            if unread["type"] == kind:
                self._unread.remove(unread)
                return unread
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECS):
            while line := await self._process.stdout.readline():
                message: dict[str, Any] = json.loads(line)
                if message["type"] == kind:
                    return message
                self._unread.append(message)
        raise AssertionError(f"the program ended without {kind}")


@asynccontextmanager
async def running_program(
    gateway: InProcessGateway, token: str, next_token: str, *keys: str
) -> AsyncIterator[Program]:
    """The program with a token, and the one that it renews it with."""
    home = third_party.with_packages(third_party.WS_PROGRAM)
    process = await asyncio.create_subprocess_exec(
        node(), home / "watch.mjs", gateway.websocket_url, token, next_token, *keys,
        stdout=PIPE,
    )  # fmt: skip
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_ws_subscribes_renews_its_token_and_is_closed_as_revoked(
    nats: NatsServer, revoke: Callable[[], Awaitable[None]]
) -> None:
    soon, later = int(time.time()) + 600, int(time.time()) + 7_200
    async with running_gateway(nats, expiry_warning_secs=3_600) as gateway:
        await gateway.publish(fresh_quote(seq=1, ltp=1.5))
        tokens = gateway.issuer.token(exp=soon), gateway.issuer.token(exp=later)
        async with running_program(gateway, *tokens, KEY, OTHER_KEY) as program:
            assert (await program.next_of("authenticated"))["user_id"] == "user-1"
            results = (await program.next_of("ack"))["results"]
            assert results == {KEY: "live", OTHER_KEY: "pending"}
            snapshot = await program.next_of("quotes")
            assert snapshot["snapshot"] is True
            assert [quote["ltp"] for quote in snapshot["data"]] == [1.5]
            await gateway.publish(fresh_quote(seq=2, ltp=2.5))
            live = await program.next_of("quotes")
            assert [quote["ltp"] for quote in live["data"]] == [2.5]
            assert (await program.next_of("expiring"))["expires_at"] == soon
            assert (await program.next_of("authenticated"))["expires_at"] == later
            await revoke()
            assert (await program.next_of("error"))["code"] == "revoked"
            end = await program.next_of("closed")
            assert (end["code"], end["reason"]) == (4403, "the session was ended")


async def test_ws_is_refused_by_a_full_gateway(nats: NatsServer) -> None:
    async with running_gateway(nats, max_streams=1) as gateway, python_client(gateway):
        token = gateway.issuer.token()
        async with running_program(gateway, token, token, KEY) as program:
            assert (await program.next_of("refused"))["status"] == 503
