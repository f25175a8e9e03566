"""A simulator in this process, on a free port, faster than real time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from services.simulator.app import open_simulator
from services.simulator.settings import SimulatorSettings
from tests.support.patience import PATIENCE_SECS
from tests.support.sdk import sdk_call

START_MS = 1_767_607_200_000
TOKEN = "a-token-of-the-test"


@pytest.fixture
def speed() -> float:
    """Exchange seconds per wall second; a test file may override it."""
    return 10.0


@pytest.fixture
async def base_url(speed: float) -> AsyncIterator[str]:
    """The URL of the simulator."""
    settings = SimulatorSettings(
        port=0, ops_port=0, start_ms=START_MS, speed=speed, access_token=SecretStr(TOKEN)
    )
    async with open_simulator(settings) as simulator:
        running = asyncio.create_task(simulator.simulation_loop.run())
        yield f"http://127.0.0.1:{simulator.port}"
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()


@pytest.fixture
async def http(base_url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client with the token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECS)
    async with aiohttp.ClientSession(base_url, headers=headers, timeout=timeout) as session:
        yield session


@pytest.fixture
def sdk(base_url: str) -> Callable[[Callable[[Any], Any]], Awaitable[Any]]:
    """Runs a call with a client of the official SDK that has the token."""
    return lambda work: sdk_call(base_url, TOKEN, work)
