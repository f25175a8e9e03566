"""Random rows of the instruments master, candles, and answers on holidays and timings."""

from contextlib import suppress
from datetime import date
from typing import Any, Final

import bson
import msgspec

from services.persister.calendar.upstox_answers import (
    RefusedAnswer,
    read_holidays,
    read_timings,
)
from services.persister.candles.candle_rows import decode_candles
from services.persister.instruments.master_rows import instrument_from_row, master_row
from services.persister.repair.candle_bars import repaired_bars
from services.persister.storage.documents import bar_document
from shared.market.calendar_data import CalendarData
from shared.market.exchange_time import WINDOW_MS
from tests.fuzz.rounds import mutated, mutated_json, rounds
from tests.support.builders import KEY, MONDAY_10_00

_ROUNDS: Final = 200
_ROW: Final[dict[str, Any]] = {
    "segment": "NSE_FO", "name": "NIFTY", "exchange": "NSE", "instrument_type": "CE",
    "instrument_key": "NSE_FO|43885", "exchange_token": "43885", "lot_size": 65,
    "freeze_quantity": 1800.0, "tick_size": 5.0, "trading_symbol": "NIFTY 24000 CE 25 DEC 26",
    "expiry": 1_798_200_000_000, "strike_price": 24000.0, "underlying_key": "NSE_INDEX|Nifty 50",
    "underlying_symbol": "NIFTY", "weekly": False, "minimum_lot": 65,
}  # fmt: skip
_CANDLE: Final = ["2026-11-23T10:00:00+05:30", 1_400.0, 1_401.0, 1_399.0, 1_400.5, 300, 0]
_HOLIDAYS: Final = {
    "status": "success",
    "data": [
        {
            "date": "2026-12-25", "description": "Christmas", "holiday_type": "TRADING_HOLIDAY",
            "closed_exchanges": ["NSE", "BSE"],
            "open_exchanges": [
                {"exchange": "MCX", "start_time": 1_798_190_100_000, "end_time": 1_798_221_300_000}
            ],
        }
    ],
}  # fmt: skip
_TIMINGS: Final = {
    "status": "success",
    "data": [{"exchange": "NSE", "start_time": 1_795_405_500_000, "end_time": 1_795_428_000_000}],
}


def test_a_master_row_is_an_instrument_that_can_be_stored_or_is_passed_over() -> None:
    for source in rounds(_ROUNDS):
        try:
            instrument = instrument_from_row(master_row(mutated(source, _ROW)))
        except (ValueError, OverflowError, msgspec.ValidationError):
            pass
        else:
            bson.encode(msgspec.to_builtins(instrument))
        assert instrument_from_row(master_row(_ROW)).key == "NSE_FO|43885"


def test_candles_are_bars_that_can_be_stored_or_are_passed_over() -> None:
    windows = {MONDAY_10_00, MONDAY_10_00 + WINDOW_MS}
    for source in rounds(_ROUNDS):
        rows = [mutated(source, _CANDLE) for _ in range(5)]
        for bar in repaired_bars(KEY, decode_candles([*rows, _CANDLE]), windows):
            bson.encode(bar_document(bar))
        (candle,) = decode_candles([_CANDLE])
        assert candle.start_ms == MONDAY_10_00


def test_an_answer_on_the_calendar_is_read_or_refused() -> None:
    today = date(2026, 11, 23)
    known = CalendarData()
    for source in rounds(_ROUNDS):
        with suppress(RefusedAnswer):
            read_holidays(mutated_json(source, _HOLIDAYS), today)
        with suppress(RefusedAnswer):
            read_timings(mutated_json(source, _TIMINGS), today, known)
