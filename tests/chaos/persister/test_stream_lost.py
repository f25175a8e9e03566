"""nats-server's data is lost or damaged: bars are partial, then repaired from candles."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from services.persister.storage.documents import to_ms
from shared.market.exchange_time import WINDOW_MS, window_start
from tests.support.bar_comparison import compare, wait_until_stored
from tests.support.figures import Figures
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.pipeline_stack import pipeline_stack, wait_for_quote
from tests.support.servers import MongoServer, NatsServer
from tests.support.waiting import eventually

_FLIPS: Final = 20


def lose(folder: Path) -> None:
    """Delete the folder with the server's data."""
    shutil.rmtree(folder)


def damage(folder: Path) -> None:
    """Flip a bit in each twentieth part of each file that holds messages of TICKS."""
    blocks = sorted(folder.glob("**/TICKS/msgs/*.blk"))
    assert blocks
    for block in blocks:
        data = bytearray(block.read_bytes())
        for number in range(_FLIPS):
            data[(2 * number + 1) * len(data) // (2 * _FLIPS)] ^= 0x10
        block.write_bytes(data)


@pytest.mark.parametrize("break_data", [lose, damage])
async def test_every_bar_equals_the_candles_after_the_stream_was_lost(
    nats: NatsServer, mongo_server: MongoServer, figures: Figures,
    break_data: Callable[[Path], None],
) -> None:  # fmt: skip
    repair = {"TRADEDAD_PERSISTER_REPAIR": "true", "TRADEDAD_PERSISTER_REPAIR_EVERY_SECS": "0.3"}
    async with pipeline_stack(nats, mongo_server.url, speed=100, **repair) as (stack, mongo):
        await stack.start_ingest()
        persister = stack.service("persister")
        persister.start()
        await persister.wait_ready()
        # A persister that has stored nothing yet knows of no bars that it could miss.
        await wait_until_stored(mongo, stack.first_window + WINDOW_MS)
        nats.kill()
        await asyncio.to_thread(break_data, nats.folder)
        await asyncio.to_thread(nats.start)
        await wait_for_quote(nats)
        returned_ms = await stack.exchange_ms()
        await wait_until_stored(mongo, window_start(returned_ms) + 2 * WINDOW_MS)

        async def is_repaired() -> bool:
            open_gaps = await mongo.db["gaps"].count_documents({"state": "open"})
            partial = await mongo.db["bars_5m"].find({"state": "partial"}).to_list()
            return not open_gaps and all(
                to_ms(bar["start"]) < stack.first_window or to_ms(bar["start"]) > returned_ms
                for bar in partial
            )

        await eventually(is_repaired, what="the gap is repaired", timeout_secs=TEST_TIMEOUT_SECS)
        windows = (window_start(returned_ms) - stack.first_window) // WINDOW_MS + 1
        found = await compare(stack, mongo, windows=windows)
        assert found.wrong == []
        assert set(found.states.values()) <= {"complete", "repaired"}
        assert persister.is_running
        figures.note("repaired_bars", list(found.states.values()).count("repaired"))
