"""The command line trades, prints JSON, and names the key of a command that was interrupted."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest

from shared.contracts.trading import Operation
from shared.errors import OrderRefused
from tests.support.builders import KEY
from tests.support.gateway.fake_trading import FUNDS, ORDER
from tests.support.gateway.in_process import InProcessGateway
from tests.support.gateway.trading_rest import TradingRest, gateway_with_trading
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

PLACE = (
    *("order", "place", "BUY", "10", KEY, "--account", "paper"),
    *("--product", "I", "--type", "LIMIT", "--price", "1400.05"),
)


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[TradingRest]:
    async with gateway_with_trading(nats) as rest:
        yield rest


@asynccontextmanager
async def command(gateway: InProcessGateway, *arguments: str) -> AsyncIterator[Process]:
    """A process of the command line, which is killed if it is left running."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tradedad_client", *arguments, "--url", gateway.url),
        env={**os.environ, "TRADEDAD_CLIENT_TOKEN": gateway.issuer.token()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def output(process: Process) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error."""
    async with asyncio.timeout(PATIENCE_SECS):
        out, err = await process.communicate()
    return process.returncode, out.decode().strip(), err.decode().strip()


async def run(gateway: InProcessGateway, *arguments: str) -> tuple[int | None, str, str]:
    async with command(gateway, *arguments) as process:
        return await output(process)


async def test_an_order_is_placed_listed_and_cancelled(rest: TradingRest) -> None:
    code, placed, _ = await run(rest.gateway, *PLACE, "--command-key", "c-1", "--json")
    assert (code, placed) == (0, msgspec.json.encode(ORDER).decode())
    assert (rest.trading.last.price, rest.trading.last.command_key) == (Decimal("1400.05"), "c-1")
    code, listed, _ = await run(rest.gateway, "order", "list", "--account", "paper", "--open")
    assert (code, listed.split()[:2]) == (0, ["o-1", "partly_filled"])
    assert rest.trading.last.open_only
    code, _, _ = await run(rest.gateway, "order", "cancel", "o-1")
    assert (code, rest.trading.requests[-1][1]) == (0, Operation.CANCEL)


async def test_positions_and_funds_are_printed(rest: TradingRest) -> None:
    code, positions, _ = await run(rest.gateway, "positions", "--account", "paper")
    assert (code, positions.splitlines()[-1]) == (0, "charges 0.42")
    code, funds, _ = await run(rest.gateway, "funds", "--account", "paper", "--json")
    assert (code, funds) == (0, msgspec.json.encode(FUNDS).decode())


async def test_a_refusal_is_printed_as_an_error(rest: TradingRest) -> None:
    rest.trading.error = OrderRefused("above the limit", rule="freeze", limit="5", value="9")
    assert await run(rest.gateway, *PLACE) == (1, "", "above the limit (order_refused)")


async def test_an_interrupted_command_names_its_key(rest: TradingRest) -> None:
    rest.trading.lost_answers = 1
    async with command(rest.gateway, *PLACE) as process:
        await eventually(lambda: rest.trading.requests, what="trading has the command")
        process.send_signal(signal.SIGINT)
        code, _, error = await output(process)
    assert code == 3
    assert error.endswith(f"--command-key {rest.trading.last.command_key}")
