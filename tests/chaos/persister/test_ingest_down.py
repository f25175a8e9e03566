"""Ingest is down for two windows: their bars are partial, then made anew of Upstox's candles."""

import pytest

from services.persister.storage.documents import to_ms
from shared.market.exchange_time import WINDOW_MS, to_datetime, window_start
from shared.runtime.mongo import Document, Mongo
from tests.support.bars_of_trades import compare, wait_until_stored
from tests.support.rig import KEYS, Process, Rig, rig
from tests.support.servers import MongoServer, NatsServer
from tests.support.taps import mongo_tap
from tests.support.waiting import eventually

_SPEED = 100


async def _go_through_an_outage(made: Rig, mongo: Mongo) -> set[int]:
    """The windows in which ingest was down, two of them whole; stored with the one after."""
    ingest = await made.begin()
    persister = made.process("persister")
    persister.start()
    await made.until(made.first_window + 120_000)
    since = await made.now_ms()
    ingest.kill()
    await made.until(window_start(since) + 3 * WINDOW_MS + 60_000)
    ingest.start()
    await made.live()
    until = await made.now_ms()
    await wait_until_stored(mongo, window_start(until) + 3 * WINDOW_MS)
    persister.kill()
    return set(range(window_start(since), until, WINDOW_MS))


def _windows_of(gap: Document) -> range:
    return range(to_ms(gap["start"]), to_ms(gap["end"]), WINDOW_MS)


def _repairer(made: Rig, **more: str) -> Process:
    return made.process(
        "persister",
        TRADEDAD_PERSISTER_REPAIR="true",
        TRADEDAD_PERSISTER_REPAIR_EVERY_SECS="0.3",
        **more,
    )


async def _wait_until_repaired(mongo: Mongo) -> None:
    async def repaired() -> bool:
        left = await mongo.db["bars_5m"].count_documents(
            {"state": "partial", "start": {"$gte": to_datetime(first)}}
        )
        return not left and not await mongo.db["gaps"].count_documents({"state": "open"})

    first = to_ms((await mongo.db["gaps"].find().sort("start").to_list(1))[0]["start"])
    await eventually(repaired, what="all is repaired", timeout_secs=60)


@pytest.mark.timeout(180)
async def test_bars_of_an_outage_are_partial_and_then_repaired_from_candles(
    nats: NatsServer, mongo_server: MongoServer
) -> None:
    async with (
        mongo_tap(mongo_server.port) as way,
        rig(nats, mongo_server.url, speed=_SPEED) as (made, mongo),
    ):
        outage = await _go_through_an_outage(made, mongo)
        windows = (max(outage) - made.first_window) // WINDOW_MS + 2
        found = await compare(made, mongo, KEYS, windows=windows, partial_may_differ=True)
        # Of windows that were missed whole there is no bar yet: they are in the ledger of gaps.
        missing = {line for line in found.wrong if line.endswith("missing")}
        assert set(found.wrong) == missing
        unknown = {int(line.split()[-2].rstrip(":")) for line in missing}
        hidden = unknown | {start for _, start in found.not_complete()}
        # Of the window in which the feed came back candles may tell all, if it came early in it.
        assert outage - {max(outage)} <= hidden <= outage
        assert len(outage) >= 4
        gaps = await mongo.db["gaps"].find().to_list()
        assert {start for gap in gaps for start in _windows_of(gap)} >= unknown

        # Killed in the middle of it, and done by the next.
        url = f"mongodb://127.0.0.1:{way.port}/?directConnection=true"
        repairer = _repairer(made, TRADEDAD_MONGO_URL=url)
        held = way.hold("commitTransaction", count=3)
        repairer.start()
        await held.reached(timeout_secs=60)
        repairer.kill()
        repairer = _repairer(made)
        repairer.start()
        await _wait_until_repaired(mongo)

        found = await compare(made, mongo, KEYS, windows=windows)
        assert found.wrong == []
        assert {start for _, start in found.not_complete()} == hidden
        states = {found.states[place] for place in found.not_complete()}
        assert states == {"repaired"}
        assert repairer.logged("repair progress")
