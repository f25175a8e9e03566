"""The match of the opening auction is a bar of its window: simulator, ingest and persister."""

from datetime import datetime

from shared.market.exchange_time import IST, WINDOW_MS, to_datetime
from tests.support.bar_comparison import wait_until_stored
from tests.support.pipeline_stack import KEYS, pipeline_stack
from tests.support.servers import MongoServer, NatsServer

MATCHED = int(datetime(2026, 11, 23, 9, 10, tzinfo=IST).timestamp() * 1_000)
"""Start of the window of the match on a Monday, by the hours since 7 September 2026."""


async def test_the_match_of_the_opening_auction_is_stored_as_a_bar(
    nats: NatsServer, mongo_server: MongoServer
) -> None:
    options = {
        "TRADEDAD_SIMULATOR_CALENDAR": "exchange",
        # Ingest and the persister start in the minutes before the order entry.
        "TRADEDAD_SIMULATOR_START_MS": str(MATCHED - 6 * WINDOW_MS),
    }
    async with pipeline_stack(nats, mongo_server.url, speed=60, **options) as (stack, mongo):
        await stack.start_ingest()
        stack.service("persister").start()
        assert stack.first_window <= MATCHED
        await wait_until_stored(mongo, MATCHED + 2 * WINDOW_MS)
        query = {"start": {"$lte": to_datetime(MATCHED)}}
        rows = await mongo.db["bars_5m"].find(query).to_list()
        stored = {row["key"]: row for row in rows}
        assert len(stored) == len(rows)
        assert set(stored) == {key for key in KEYS if key.startswith("NSE_EQ|")}
        for key, row in stored.items():
            trade = (await stack.trades(key))[0]
            assert MATCHED <= trade["time_ms"] < MATCHED + WINDOW_MS
            assert row["start"] == to_datetime(MATCHED)
            prices = [row[name] for name in ("open", "high", "low", "close")]
            assert prices == [trade["price"]] * 4
            assert (row["volume"], row["vtt"]) == (trade["quantity"], trade["quantity"])
            assert row["state"] == "complete"
