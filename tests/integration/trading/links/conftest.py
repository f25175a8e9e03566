"""One term of a partition's links, and a simulator."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.trading.links.seal_keys import create_seal_key
from services.trading.links.term import LinkTerm
from services.trading.settings import TradingSettings
from shared.runtime.clock import SystemClock
from shared.runtime.mongo import Mongo
from tests.support.simulated import simulator
from tests.support.upstox_linking import (
    REDIRECT_URL,
    link_settings,
    link_term,
)


@pytest.fixture
async def upstox() -> AsyncIterator[str]:
    """The address of a simulator."""
    async with simulator(
        redirect_uris=REDIRECT_URL, notifier_url="http://127.0.0.1:9/unused"
    ) as url:
        yield url


@pytest.fixture
async def settings(upstox: str, tmp_path: Path) -> TradingSettings:
    """Settings with one sealing key."""
    await asyncio.to_thread(create_seal_key, tmp_path, SystemClock())
    return link_settings(upstox, tmp_path)


@pytest.fixture
async def term(mongo: Mongo, settings: TradingSettings) -> AsyncIterator[LinkTerm]:
    """The links of the only partition."""
    async with link_term(mongo, settings) as opened:
        yield opened
