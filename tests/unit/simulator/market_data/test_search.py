"""The search returns matching instruments, the best match first."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.market.market import Market
from services.simulator.market.universe import instruments_of
from services.simulator.market_data.instrument_master import master_rows
from services.simulator.market_data.search import InstrumentSearch, answer_row
from shared.market.exchange_time import ist_date

START_MS = 1_767_607_200_000  # 2026-01-05
INSTRUMENTS = instruments_of("full", synthetic=0, start_ms=START_MS)
MARKET = Market(INSTRUMENTS, seed=1, start_ms=START_MS, trades_per_sec=1.0)
ROWS = master_rows(INSTRUMENTS)


def symbols(**query: str) -> list[str]:
    rows = InstrumentSearch.from_query(query).run(ROWS, MARKET.states, ist_date(START_MS))
    return [row["trading_symbol"] for row in rows]


def test_an_equal_symbol_comes_first() -> None:
    matches = symbols(query="reliance")
    assert matches[0] == "RELIANCE"
    assert len(matches) > 1
    assert all("RELIANCE" in symbol for symbol in matches)


def test_every_word_must_match() -> None:
    assert symbols(query="bank axis") == ["AXISBANK"]
    assert symbols(query="axis nothing") == []


def test_isin_and_name_are_searched() -> None:
    assert symbols(query="INE002A01018") == ["RELIANCE"]
    assert symbols(query="larsen") == ["LT"]


def test_filters_narrow_the_result() -> None:
    assert symbols(query="reliance", instrument_types="EQ") == ["RELIANCE"]
    assert symbols(query="reliance", segments="EQ") == ["RELIANCE"]
    assert symbols(query="reliance", segments="NSE_EQ", exchanges="NSE,BSE") == ["RELIANCE"]
    assert symbols(query="reliance", exchanges="MCX") == []
    assert len(symbols(query="reliance", exchanges="ALL")) > 1


def test_the_expiry_is_a_day() -> None:
    (day,) = {
        answer_row(row)["expiry"]
        for row in ROWS
        if row["instrument_type"] == "CE" and row["weekly"]
    }
    matches = symbols(query="nifty", expiry=day, instrument_types="CE,PE")
    assert len(matches) == 42
    assert symbols(query="nifty", expiry="2020-01-01") == []


def test_the_expiry_may_be_a_keyword() -> None:
    weekly = symbols(query="nifty", expiry="current_week", instrument_types="CE,PE")
    assert len(weekly) == 84  # of both indices
    assert symbols(query="nifty", expiry="next_week", instrument_types="CE,PE") == []
    near = symbols(query="reliance", expiry="near_month")
    following = symbols(query="reliance", expiry="next_month")
    assert (len(near), len(following)) == (1, 1)
    assert near != following


def test_a_segment_is_found_by_the_names_of_upstox() -> None:
    assert symbols(query="gold", segments="COMM") == symbols(query="gold", segments="MCX_FO")
    assert symbols(query="gold", segments="COMM") != []
    assert symbols(query="gold", segments="CURR") == []


def test_the_offset_is_the_number_of_strikes_from_the_money() -> None:
    at_the_money = symbols(query="nifty", instrument_types="CE", atm_offset="0", segments="FO")
    assert "NIFTY 25000 CE" in at_the_money[0]
    above = symbols(query="nifty", instrument_types="CE", atm_offset="2", segments="FO")
    assert "NIFTY 25100 CE" in above[0]


@pytest.mark.parametrize(
    ("field", "query"),
    [
        ("query", {}),
        ("query", {"query": " "}),
        ("query", {"query": "x" * 51}),
        ("records", {"query": "x", "records": "31"}),
        ("records", {"query": "x", "records": "0"}),
        ("page_number", {"query": "x", "page_number": "one"}),
        ("expiry", {"query": "x", "expiry": "tomorrow"}),
        ("atm_offset", {"query": "x", "atm_offset": "--1"}),
    ],
)
def test_an_invalid_query_is_refused(field: str, query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as error:
        InstrumentSearch.from_query(query)
    assert error.value.path == field
