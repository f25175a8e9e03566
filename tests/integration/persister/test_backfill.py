"""The command that fetches earlier bars in advance."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.persister.history.pages import settled_day
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import bar_from_document
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, OTHER_KEY
from tests.support.gateway.rest import NIFTY, store_instruments
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK
from tests.support.servers import NatsServer
from tests.support.settings import process_environment
from tests.support.upstox_history import (
    SimulatedHistory,
    calls,
    fetching_persister,
    simulated_history,
)
from tests.support.waiting import eventually

INFY = "NSE_EQ|INE009A01021"


@pytest.fixture
async def upstox() -> AsyncIterator[SimulatedHistory]:
    async with simulated_history() as simulated:
        yield simulated


def months_ago(count: int) -> date:
    """The first day of an earlier month."""
    first = settled_day(CLOCK.now_ms()).replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


async def started(
    mongo: MongoSettings, *arguments: str, command: str = "services.persister backfill"
) -> asyncio.subprocess.Process:
    """The running command."""
    environment = {
        "TRADEDAD_MONGO_URL": mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": mongo.database,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command.split(), *arguments,
        env=os.environ | process_environment() | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip


async def run(mongo: MongoSettings, *arguments: str, **more: str) -> tuple[int, str]:
    process = await started(mongo, *arguments, **more)
    async with asyncio.timeout(PATIENCE_SECS):
        output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def fetched_pages(mongo: Mongo) -> int:
    return await mongo.db["history_pages"].count_documents({"until": {"$exists": True}})


async def stored_rows(mongo: Mongo, key: str) -> list[tuple[object, ...]]:
    bars = [
        bar_from_document(row) async for row in mongo.db["bars_5m"].find({"key": key}).sort("_id")
    ]
    return [(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume or 0) for bar in bars]


async def test_a_backfill_goes_on_after_both_sides_are_killed_and_equals_the_candles(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings, upstox: SimulatedHistory
) -> None:
    await BarStore(mongo).prepare()
    first, settled = months_ago(4), settled_day(CLOCK.now_ms())
    arguments = ("--from", str(first), KEY, OTHER_KEY, INFY)
    pages = 3 * (4 + (settled.day > 1) + 1)
    before = calls()
    command = await started(mongo_settings, *arguments)
    for part in (1, 2):

        async def is_part_fetched(part: int = part) -> bool:
            return await fetched_pages(mongo) >= part * pages // 3

        async with fetching_persister(nats, mongo_settings, upstox, repair_calls_per_sec=5):
            await eventually(is_part_fetched, what="a part of the pages is fetched")
    command.kill()
    await command.wait()
    async with fetching_persister(nats, mongo_settings, upstox):
        code, output = await run(mongo_settings, *arguments)
    assert code == 0, output
    assert await fetched_pages(mongo) == pages
    assert calls() - before <= pages + 4, "at most the page of each kill is fetched twice"
    for key in (KEY, OTHER_KEY, INFY):
        expected = []
        start = first
        while start < settled:
            end = min((start + timedelta(days=31)).replace(day=1), settled)
            last = str(end - timedelta(days=1))
            expected += await upstox.sdk_past(key, "minutes", 5, str(start), last)
            start = end
        assert await stored_rows(mongo, key) == expected
    code, output = await run(mongo_settings, *arguments)
    assert (code, output.splitlines()) == (
        0, [f"{pages} pages of 3 instruments, 0 to fetch"]
    )  # fmt: skip


async def test_wanted_pages_are_cancelled(mongo: Mongo, mongo_settings: MongoSettings) -> None:
    code, output = await run(
        mongo_settings, "--from", str(months_ago(2)), "--no-wait", KEY, OTHER_KEY
    )
    assert code == 0, output
    wanted = {"wanted_until": {"$exists": True}}
    count = await mongo.db["history_pages"].count_documents(wanted)
    assert count >= 6
    assert await run(mongo_settings, "--cancel") == (0, f"{count} pages are wanted no longer\n")
    assert await mongo.db["history_pages"].count_documents(wanted) == 0


async def test_keys_that_are_malformed_or_unknown_are_named(
    mongo: Mongo, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    file = tmp_path / "keys.txt"
    file.write_text(f"# indices\n{OTHER_KEY}  # Nifty\n\nNIFTY\n")
    code, output = await run(mongo_settings, "--from", "2025-01-01", str(file))
    assert (code, output.startswith(f"backfill: {file}:4: ")) == (70, True), output
    await store_instruments(mongo, [NIFTY])
    code, output = await run(mongo_settings, "--from", "2025-01-01", "NSE_EQ|NOBODY", OTHER_KEY)
    assert (code, output) == (70, "backfill: no such instrument: NSE_EQ|NOBODY\n")
    assert await mongo.db["history_pages"].count_documents({}) == 0


@pytest.mark.parametrize(
    "arguments", [(), ("--cancel", KEY), (KEY,), ("--from", "2025-01-01")], ids=" ".join
)
async def test_operations_has_the_same_command(
    mongo_settings: MongoSettings, arguments: tuple[str, ...]
) -> None:
    command = "operations bars backfill"
    code, output = await run(mongo_settings, *arguments, command=command)
    assert code == 2
    assert output.startswith(f"usage: python -m {command}")
    assert await run(mongo_settings, "--cancel", command=command) == (
        0, "0 pages are wanted no longer\n"
    )  # fmt: skip
