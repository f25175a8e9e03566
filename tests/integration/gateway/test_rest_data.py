"""Bars, instruments, quotes and the status over REST, with a real persister and database."""

from typing import Any

from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, fresh_quote
from tests.support.gateway.in_process import InProcessGateway
from tests.support.gateway.rest import (
    CALL,
    MONDAY,
    NIFTY,
    RELIANCE,
    bars_from,
    get,
    store_bars,
    store_instruments,
)
from tests.support.waiting import eventually


async def test_bars_are_paged_up_to_the_last_one(gateway: InProcessGateway, mongo: Mongo) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 5))
    pages = []
    cursor: dict[str, Any] = {}
    while True:
        page = await get(gateway, "/v1/bars", key=KEY, limit=2, **MONDAY, **cursor)
        assert page.status == 200, page.text
        pages.append([bar["start"] for bar in page.body["bars"]])
        if "next" not in page.body:
            break
        cursor = {"cursor": page.body["next"]}
    starts = [MONDAY_10_00 + number * WINDOW_MS for number in range(5)]
    assert pages == [starts[:2], starts[2:4], starts[4:]]


async def test_a_bar_has_the_stored_values(gateway: InProcessGateway, mongo: Mongo) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 1))
    reply = await get(gateway, "/v1/bars", key=KEY, from_="2026-11-23", to="2026-11-24")
    assert reply.body == {
        "key": KEY,
        "interval": "5m",
        "bars": [
            {
                "start": MONDAY_10_00, "end": MONDAY_10_00 + WINDOW_MS, "open": 1_400.0,
                "high": 1_401.5, "low": 1_399.95, "close": 1_400.05, "ltq": 5,
                "ltt": MONDAY_10_00, "volume": 3_000_000_000, "vtt": 9_000_000, "atp": 1_400.1,
                "ticks": 7, "state": "complete",
            }
        ],
    }  # fmt: skip
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_longer_bars_are_computed_from_stored_bars(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 6))
    reply = await get(gateway, "/v1/bars", key=KEY, interval="15m", **MONDAY)
    assert [(bar["start"], bar["volume"], bar["high"]) for bar in reply.body["bars"]] == [
        (MONDAY_10_00, 9_000_000_003, 1_403.5),
        (MONDAY_10_00 + 3 * WINDOW_MS, 9_000_000_012, 1_406.5),
    ]


async def test_a_longer_bar_that_is_not_over_is_forming_and_whole(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 4))
    reply = await get(
        gateway, "/v1/bars", key=KEY, interval="15m", from_=MONDAY_10_00, to=MONDAY_10_00 + 1
    )
    assert [(bar["volume"], bar["state"]) for bar in reply.body["bars"]] == [
        (9_000_000_003, "complete")
    ]
    reply = await get(gateway, "/v1/bars", key=KEY, interval="15m", **MONDAY)
    assert [bar["state"] for bar in reply.body["bars"]] == ["complete", "forming"]


async def test_a_cursor_of_another_request_is_refused_with_the_name_of_the_parameter(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 3))
    first: dict[str, Any] = {"key": KEY, "from_": MONDAY_10_00, "limit": 1}
    cursor = (await get(gateway, "/v1/bars", **first)).body["next"]
    for name, value in (
        ("key", OTHER_KEY), ("interval", "1d"), ("from", MONDAY_10_00 + 1), ("to", "2026-11-25")
    ):  # fmt: skip
        other = first | {name if name != "from" else "from_": value, "cursor": cursor}
        reply = await get(gateway, "/v1/bars", **other)
        assert (reply.status, reply.body["field"]) == (422, name)
        assert reply.body["detail"].startswith(f"{name} must be the same")


async def test_a_month_of_bars_is_one_response(gateway: InProcessGateway, mongo: Mongo) -> None:
    count = 22 * 75
    await store_bars(mongo, bars_from(MONDAY_10_00, count))
    end = MONDAY_10_00 + count * WINDOW_MS
    reply = await get(gateway, "/v1/bars", key=KEY, from_=MONDAY_10_00, to=end, limit=2_000)
    assert len(reply.body["bars"]) == count
    assert "next" not in reply.body
    assert reply.headers["Content-Encoding"] == "gzip"


async def test_bars_that_the_client_has_are_not_sent_again(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 2))
    past: dict[str, Any] = {"key": KEY, "from_": "2026-11-01", "to": "2026-11-24"}
    first = await get(gateway, "/v1/bars", **past)
    assert first.headers["Cache-Control"] == "private, max-age=60"
    again = {"If-None-Match": first.headers["ETag"]}
    same = await get(gateway, "/v1/bars", headers=again, **past)
    assert (same.status, same.text, same.headers["ETag"]) == (304, "", first.headers["ETag"])
    await store_bars(mongo, bars_from(MONDAY_10_00, 3))
    changed = await get(gateway, "/v1/bars", headers=again, **past)
    assert (changed.status, len(changed.body["bars"])) == (200, 3)


async def test_bars_that_may_still_change_are_not_cached(gateway: InProcessGateway) -> None:
    reply = await get(gateway, "/v1/bars", key=KEY, from_="2026-11-01")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "private, no-cache")
    assert reply.body["bars"] == []


async def test_gaps_of_an_unknown_key_are_not_found(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_instruments(mongo, [RELIANCE])
    known = await get(gateway, "/v1/gaps", key=KEY, from_=MONDAY_10_00)
    assert (known.status, known.body["gaps"]) == (200, [])
    reply = await get(gateway, "/v1/gaps", key="NSE_EQ|NOBODY", from_=MONDAY_10_00)
    assert (reply.status, reply.body["code"], reply.body["field"]) == (404, "not_found", "key")


async def test_instruments_are_found_by_words_and_by_key(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_instruments(mongo, [RELIANCE, NIFTY, CALL])

    async def found(**query: Any) -> list[str]:
        reply = await get(gateway, "/v1/instruments", **query)
        assert reply.status == 200, reply.text
        return [instrument["symbol"] for instrument in reply.body["instruments"]]

    assert await found(q="reli") == ["RELIANCE"]
    assert await found(q="nifty 24000 ce") == [CALL.symbol]
    assert await found(q="nifty", type="INDEX,EQ") == ["NIFTY"]
    assert await found(q="nifty", segment=["NSE_FO", "MCX_FO"]) == [CALL.symbol]
    assert await found(q="nifty", expiry="2026-12-31") == []
    by_key = await get(gateway, "/v1/instruments", keys=f"{CALL.key},NSE_EQ|NONE,{KEY}")
    assert [instrument["key"] for instrument in by_key.body["instruments"]] == [CALL.key, KEY]
    assert by_key.body["unknown"] == ["NSE_EQ|NONE"]


async def test_quotes_are_the_last_known_ones_and_missing_keys_have_a_reason(
    gateway: InProcessGateway,
) -> None:
    await gateway.publish(
        fresh_quote(ltp=1_405.5), fresh_quote(key=OTHER_KEY, volume=None, ltq=None)
    )

    async def known() -> bool:
        reply = await get(gateway, "/v1/quotes", keys=[KEY, OTHER_KEY, "NSE_EQ|NONE"])
        assert reply.status == 200
        assert reply.headers["Cache-Control"] == "no-store"
        quotes = {quote["key"]: quote for quote in reply.body["quotes"]}
        missing: dict[str, str] = reply.body["missing"]
        if len(quotes) < 2:
            return False
        assert quotes[KEY]["ltp"] == 1_405.5
        assert "volume" not in quotes[OTHER_KEY]
        assert missing == {"NSE_EQ|NONE": "not_followed"}
        return True

    await eventually(known, what="both quotes")


async def test_the_status_has_the_state_of_the_feed_and_whether_it_is_current(
    gateway: InProcessGateway,
) -> None:
    before = await get(gateway, "/v1/status")
    assert (before.body["feed_is_current"], "feed" in before.body) == (False, False)
    status = FeedStatus(
        state=FeedState.LIVE, since=1, epoch=3, segments={"NSE_EQ": "NORMAL_OPEN"}, simulated=False
    )
    await gateway.ingest.publish(STATUS, encode(status))

    async def has_feed() -> bool:
        body = (await get(gateway, "/v1/status")).body
        if not body["feed_is_current"]:
            return False
        assert body["feed"]["segments"] == status.segments
        assert body["feed"]["simulated"] is False, "false is sent, not left out"
        return True

    await eventually(has_feed, what="the status has the feed")
    assert before.body["gateway"] == {
        "ready": True, "waiting_for": {}, "streams": 0, "instruments": 0,
    }  # fmt: skip
