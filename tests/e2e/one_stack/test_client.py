"""Programs that use the Python client survive faults of the gateway."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import psutil
import pytest

from embedded.daemons import ROOT
from embedded.signup import Account, sign_up
from embedded.stack import Stack
from tests.support.documented_programs import client_environment, programs
from tests.support.gateway.python_client import OUTAGE_TIMING, next_of
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import eventually
from tradedad_client import Client, Connected, Disconnected, Gap, Quote

KEYS = ["NSE_EQ|INE002A01018", "NSE_INDEX|Nifty 50"]


@pytest.fixture
async def account(stack: Stack) -> Account:
    async with aiohttp.ClientSession() as http:
        return await sign_up(http, stack.plan.url("TRADEDAD_GATEWAY_PORT"))


@asynccontextmanager
async def open_client(stack: Stack, account: Account) -> AsyncIterator[Client]:
    async with Client(
        stack.plan.url("TRADEDAD_GATEWAY_PORT"),
        email=account.email,
        password=account.password,
        timing=OUTAGE_TIMING,
        open_timeout_secs=PATIENCE_SECS,
    ) as client:
        yield client


def gateway_of(stack: Stack) -> psutil.Process:
    """The process of the gateway, not its supervisor, which starts another when it ends."""
    assert stack._process is not None
    return next(
        process
        for process in psutil.Process(stack._process.pid).children(recursive=True)
        if process.cmdline()[-1:] == ["services.gateway"]
        and "embedded.supervisor" not in process.cmdline()
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_subscriptions_survive_the_end_and_restart_of_the_gateway(
    stack: Stack, account: Account, number: signal.Signals
) -> None:
    async with open_client(stack, account) as client:
        events, quotes, orders = client.events(), client.quotes(KEYS), client.orders()
        last: dict[str, tuple[int, int]] = {}

        async def read_until_each_is_live() -> None:
            live: set[str] = set()
            async with asyncio.timeout(PATIENCE_SECS):
                async for quote in quotes:
                    assert (quote.epoch, quote.seq) > last.get(quote.key, (0, 0))
                    last[quote.key] = quote.epoch, quote.seq
                    if not quote.snapshot:
                        live.add(quote.key)
                    if live == set(KEYS):
                        return

        await read_until_each_is_live()
        gateway_of(stack).send_signal(number)
        lost = await next_of(events, Disconnected)
        assert ("1012" in lost.reason) is (number is signal.SIGTERM)
        await next_of(events, Connected)
        await read_until_each_is_live()
        expected = dict.fromkeys(KEYS, "live")
        await eventually(lambda: quotes.outcomes == expected, what="all are live by their outcome")
        await next_of(orders, Gap)


async def test_a_gateway_that_is_stopped_is_detected(stack: Stack, account: Account) -> None:
    async with open_client(stack, account) as client:
        events, quotes = client.events(), client.quotes(KEYS)
        await next_of(quotes, Quote)
        gateway = gateway_of(stack)
        gateway.suspend()
        try:
            await next_of(events, Disconnected)
        finally:
            gateway.resume()
        await next_of(events, Connected)
        assert client.is_live


@pytest.mark.parametrize("page", ["README.md", "clients/python/README.md"])
async def test_the_first_example_of_the_readme_prints_live_quotes(
    stack: Stack, account: Account, page: str
) -> None:
    program = programs(ROOT / page, stack, account)[0]
    printed: dict[str, set[str]] = {key: set() for key in KEYS}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-c", program, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECS):
            while not all(len(lines) >= 2 for lines in printed.values()):
                line = (await process.stdout.readline()).decode().strip()
                key = next(key for key in KEYS if line.startswith(key))
                printed[key].add(line)
    finally:
        process.send_signal(signal.SIGINT)
        await process.wait()
    price, volume = printed[KEYS[0]].pop().removeprefix(KEYS[0]).split()
    assert float(price) > 0
    assert int(volume) > 0


async def test_the_watch_command_prints_quotes(stack: Stack, account: Account) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tradedad_client", "watch", *KEYS, "--count", "5"),
        env=os.environ | client_environment(stack, account),
        stdout=subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECS):
        output, _ = await process.communicate()
    assert process.returncode == 0
    assert len(output.decode().splitlines()) == 5
