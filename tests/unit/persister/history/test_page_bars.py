"""Stored bars of a page have the values of its candles."""

from services.persister.candles.candle import UpstoxCandle
from services.persister.history.page_bars import daily_documents, five_minute_documents
from services.persister.storage.documents import BAR_SCHEMA, to_ms
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, day_start
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY


def candle(start_ms: int, volume: int = 5) -> UpstoxCandle:
    return UpstoxCandle(start_ms, 10.0, 12.0, 9.0, 11.0, volume, oi=3)


def test_each_five_minute_candle_is_a_bar_whose_volume_of_the_day_adds_up() -> None:
    starts = [day + n * WINDOW_MS for day in (MONDAY_10_00, MONDAY_10_00 + DAY_MS) for n in (0, 2)]
    documents = five_minute_documents(KEY, [candle(start) for start in reversed(starts)])
    assert [to_ms(document["start"]) for document in documents] == starts
    assert [document["vtt"] for document in documents] == [5, 10, 5, 10]
    assert {document["state"] for document in documents} == {"repaired"}
    assert {document["source"] for document in documents} == {"upstox"}
    assert documents[0].keys() == BAR_SCHEMA["properties"].keys()


def test_a_candle_without_trades_or_valid_values_is_no_bar() -> None:
    candles = [candle(MONDAY_10_00, volume=0), UpstoxCandle.invalid(MONDAY_10_00 + WINDOW_MS)]
    assert five_minute_documents(KEY, candles) == []
    assert daily_documents(KEY, candles) == []


def test_an_index_has_no_volume() -> None:
    for documents in (
        five_minute_documents(OTHER_KEY, [candle(MONDAY_10_00, volume=0)]),
        daily_documents(OTHER_KEY, [candle(day_start(MONDAY_10_00), volume=0)]),
    ):
        assert [document["volume"] for document in documents] == [None]


def test_rows_that_repeat_a_start_are_one_bar_of_which_the_last_one_counts() -> None:
    repeated = [candle(MONDAY_10_00, volume) for volume in (5, 7)]
    documents = five_minute_documents(KEY, [*repeated, candle(MONDAY_10_00 + WINDOW_MS)])
    assert [document["volume"] for document in documents] == [7, 5]
    assert [document["vtt"] for document in documents] == [7, 12]


def test_daily_rows_of_one_day_of_india_are_one_candle_of_which_the_last_one_counts() -> None:
    midnight = day_start(MONDAY_10_00)
    evening = midnight + (18 * 60 + 15) * MINUTE_MS
    rows = [candle(midnight + DAY_MS), candle(evening, 7), candle(midnight, 6), candle(evening, 8)]
    documents = daily_documents(KEY, rows)
    assert [document["volume"] for document in documents] == [8, 5]
    assert len({document["_id"] for document in documents}) == 2


def test_a_daily_row_that_is_not_valid_replaces_no_other() -> None:
    midnight = day_start(MONDAY_10_00)
    rows = [candle(midnight), UpstoxCandle.invalid(midnight + MINUTE_MS)]
    assert [document["volume"] for document in daily_documents(KEY, rows)] == [5]
