"""Random requests over the bus to a persister, beside requests that are right."""

from typing import Any, Final

from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts import history, instruments
from shared.contracts.option_chains import INSTRUMENTS_OPTIONS, OptionsReply
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.fuzz.bus_requests import Request, check_counted
from tests.fuzz.rounds import rounds
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.gateway.rest import (
    CALL,
    NIFTY,
    RELIANCE,
    bars_from,
    store_bars,
    store_instruments,
)
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK
from tests.support.servers import NatsServer
from tests.support.upstox_history import fetching_persister, simulated_history
from tests.support.waiting import eventually

_ROUNDS: Final = 15
_BATCH: Final = 20
_RANGE: Final[dict[str, Any]] = {
    "key": KEY,
    "from_ms": MONDAY_10_00,
    "to_ms": MONDAY_10_00 + 5 * WINDOW_MS,
}
_PAGE: Final = _RANGE | {"limit": 5, "cursor": None}
_REQUESTS: Final = (
    Request(history.HISTORY_BARS, _PAGE | {"interval": "5m"}, history.BarsReply),
    Request(history.HISTORY_BARS, _PAGE | {"interval": "1d"}, history.BarsReply),
    Request(history.HISTORY_GAPS, _PAGE, history.GapsReply),
    Request(history.HISTORY_STATE, {}, history.HistoryState),
    Request(history.HISTORY_CANDLES, _PAGE | {"interval": "1m"}, history.CandlesReply),
    Request(
        instruments.INSTRUMENTS_SEARCH,
        {
            "query": "nifty 24000 ce", "types": ["CE"], "segments": ["NSE_FO"],
            "expiry": "2026-11-26", "limit": 5,
        },
        instruments.SearchReply,
    ),
    Request(instruments.INSTRUMENTS_GET, {"keys": [KEY, OTHER_KEY]}, instruments.GetReply),
    Request(
        instruments.INSTRUMENTS_DETAIL, {"key": KEY, "newer_than_ms": 0}, instruments.DetailReply
    ),
    Request(
        INSTRUMENTS_OPTIONS, {"underlying": OTHER_KEY, "expiry": "2026-11-26"}, OptionsReply
    ),
)  # fmt: skip


async def _bars(bus: Bus) -> history.BarsReply:
    request = history.BarsRequest(**_RANGE)
    return await send_request(
        bus, CLOCK, history.HISTORY_BARS, request, history.BarsReply, timeout_secs=PATIENCE_SECS
    )


async def _fetched_bars(bus: Bus) -> history.BarsReply:
    """Request the bars until the persister has fetched their month; returns the last reply."""
    replies: list[history.BarsReply] = []

    async def are_fetched() -> bool:
        replies.append(await _bars(bus))
        return replies[-1].unfetched is None

    await eventually(are_fetched, what="the month is fetched")
    return replies[-1]


async def test_no_request_disturbs_a_persister_and_each_one_is_answered_and_counted(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    await store_instruments(mongo, [RELIANCE, NIFTY, CALL])
    await store_bars(mongo, bars_from(MONDAY_10_00, 5))
    async with (
        simulated_history() as upstox,
        fetching_persister(nats, mongo_settings, upstox) as bus,
    ):
        right = await _fetched_bars(bus)
        assert len(right.bars) == 5
        for source in rounds(_ROUNDS):
            await check_counted(bus.client, source, _REQUESTS, _BATCH)
            assert await _bars(bus) == right
