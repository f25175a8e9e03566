"""How far bars are stored and what is missing, over the bus."""

from services.persister.storage.bar_store import BARS, GAPS, BarStore
from services.persister.storage.documents import CHECKPOINT_ID, CHECKPOINTS
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.history import HISTORY_STATE, HistoryState, HistoryStateRequest
from shared.market.exchange_time import WINDOW_MS, to_datetime
from shared.runtime.mongo import Document, Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import NatsServer

START = to_datetime(MONDAY_10_00)
END = to_datetime(MONDAY_10_00 + WINDOW_MS)


async def state(bus: Bus) -> HistoryState:
    return await send_request(
        bus, CLOCK, HISTORY_STATE, HistoryStateRequest(), HistoryState, timeout_secs=PATIENCE_SECS
    )


def bar(number: int, bar_state: str) -> Document:
    return {
        "_id": f"{KEY}|{MONDAY_10_00 + number}", "key": KEY, "start": START, "open": 1.0,
        "high": 1.0, "low": 1.0, "close": 1.0, "ticks": 1, "state": bar_state, "silent_ms": 0,
        "epoch": 1,
    }  # fmt: skip


def gap(number: int, gap_state: str) -> Document:
    return {
        "_id": f"gap{number}", "start": START, "end": END, "reason": "feed_away", "keys": [KEY],
        "open_keys": [KEY] if gap_state == "open" else [], "state": gap_state,
    }  # fmt: skip


async def test_what_is_missing_is_counted(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    await BarStore(mongo).prepare()
    async with answering_persister(nats, mongo_settings) as bus:
        assert await state(bus) == HistoryState(partial_bars=0, open_gaps=0, abandoned_gaps=0)
        states = ("complete", "partial", "partial", "repaired")
        await mongo.db[BARS].insert_many([bar(*one) for one in enumerate(states)])
        gaps = ("open", "open", "open", "repaired", "abandoned")
        await mongo.db[GAPS].insert_many([gap(*one) for one in enumerate(gaps)])
        await mongo.db[CHECKPOINTS].update_one(
            {"_id": CHECKPOINT_ID},
            # The persister may not have become the leader yet.
            {"$set": {"closed_until": END}, "$setOnInsert": {"epoch": 1}},
            upsert=True,
        )
        assert await state(bus) == HistoryState(
            stored_until_ms=MONDAY_10_00 + WINDOW_MS,
            partial_bars=2,
            open_gaps=3,
            abandoned_gaps=1,
        )
