"""The rows of the instrument master have the keys of Upstox's."""

from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.market.universe import instruments_of
from services.simulator.market_data.instrument_master import MasterRow, master_rows

START_MS = 1_767_607_200_000  # 2026-01-05
INSTRUMENTS = instruments_of("full", synthetic=2, start_ms=START_MS)
ROWS = {row["instrument_key"]: row for row in master_rows(INSTRUMENTS)}


def of_type(instrument_type: InstrumentType) -> list[tuple[ListedInstrument, MasterRow]]:
    return [(i, ROWS[i.key]) for i in INSTRUMENTS if i.instrument_type is instrument_type]


def test_every_instrument_has_a_row_with_the_common_keys() -> None:
    assert list(ROWS) == [instrument.key for instrument in INSTRUMENTS]
    common = {"segment", "name", "exchange", "instrument_type", "instrument_key", "trading_symbol"}
    assert all(common <= set(row) for row in ROWS.values())
    tokens = [(row["segment"], row["exchange_token"]) for row in ROWS.values()]
    assert len(set(tokens)) == len(tokens)


def test_an_index_has_no_trading_keys() -> None:
    for _, row in of_type(InstrumentType.INDEX):
        assert not {"isin", "lot_size", "tick_size", "freeze_quantity", "expiry"} & set(row)


def test_a_share_has_an_isin_and_its_tick_size_in_paise() -> None:
    share = next(i for i in INSTRUMENTS if i.symbol == "RELIANCE")
    row = ROWS[share.key]
    assert (row["isin"], row["tick_size"]) == ("INE002A01018", share.tick_paise)
    assert row["mtf_enabled"] is True
    assert row["cas_eligible"] is True
    assert "expiry" not in row


def test_optional_keys_are_omitted_where_they_do_not_apply() -> None:
    shares = [row for _, row in of_type(InstrumentType.EQUITY)]
    for key in ("short_name", "mtf_enabled", "cas_eligible"):
        assert 0 < sum(key in row for row in shares) < len(shares)
    assert not any(row.get("mtf_enabled") is False for row in shares)


def test_an_option_has_its_underlying_strike_and_expiry() -> None:
    for option, row in of_type(InstrumentType.CALL) + of_type(InstrumentType.PUT):
        assert row["expiry"] == option.expiry_ms
        assert row["strike_price"] * 100 == option.strike_paise
        assert row["underlying_key"] == option.underlying_key
        assert row["underlying_type"] == "INDEX"
        assert row["minimum_lot"] == row["lot_size"] == option.lot_size
        assert row["exchange_token"] == option.key.partition("|")[2]


def test_only_options_of_nifty_are_weekly() -> None:
    weekly = {row["underlying_symbol"] for row in ROWS.values() if row.get("weekly")}
    assert weekly == {"NIFTY"}


def test_a_commodity_has_no_underlying_key() -> None:
    commodities = [row for row in ROWS.values() if row["segment"] == "MCX_FO"]
    assert commodities
    assert not any("underlying_key" in row for row in commodities)
    assert {row["underlying_type"] for row in commodities} == {"COM"}
