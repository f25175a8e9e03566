"""The ledger stores sent quotes and trades, up to its maximum."""

import pytest

from services.simulator.market.contracts import contracts
from services.simulator.market.flows import Trade
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import SimulatedState
from services.simulator.simulation.ledger import Ledger, LedgerTrade, SentQuote

STOCK, INDEX = STOCKS[0], INDICES[0]
FOREVER = (0, 1 << 62)


def ledger_of(max_rows: int = 10) -> Ledger:
    return Ledger([STOCK.key, INDEX.key], max_rows=max_rows)


def stock_state() -> SimulatedState:
    state = SimulatedState(STOCK, None)
    state.record(1_000, 250_010, 4)
    return state


def test_a_sent_quote_is_returned_as_in_the_frame() -> None:
    ledger = ledger_of()
    ledger.record_sent("live", 1_250, stock_state())
    assert ledger.sent(STOCK.key, *FOREVER) == [
        SentQuote("live", 1_250, 2500.1, 1_000, ltq=4, vtt=4, atp=2500.1, oi=None)
    ]


def test_an_index_has_no_quantities() -> None:
    ledger = ledger_of()
    state = SimulatedState(INDEX, None)
    state.record(1_000, 2_500_005, 0)
    ledger.record_sent("snapshot", 1_000, state)
    ledger.record_trades([Trade(INDEX.key, 1_000, 2_500_005, 0)])
    assert ledger.sent(INDEX.key, *FOREVER) == [
        SentQuote("snapshot", 1_000, 25_000.05, 1_000, ltq=None, vtt=None, atp=None, oi=None)
    ]
    assert ledger.trades(INDEX.key, *FOREVER) == [LedgerTrade(1_000, 25_000.05, None)]


def test_a_repeated_row_is_recorded_once() -> None:
    ledger = ledger_of()
    ledger.record_sent("live", 1_250, stock_state())
    ledger.record_sent("snapshot", 1_250, stock_state())
    ledger.record_sent("snapshot", 1_250, stock_state())
    assert [row.kind for row in ledger.sent(STOCK.key, *FOREVER)] == ["live", "snapshot"]


def test_the_oldest_rows_are_dropped() -> None:
    ledger = ledger_of(max_rows=2)
    state = stock_state()
    for ts in (1_000, 2_000, 3_000):
        ledger.record_sent("live", ts, state)
        ledger.record_trades([Trade(STOCK.key, ts, 250_000, 1)])
    assert [row.ts for row in ledger.sent(STOCK.key, *FOREVER)] == [2_000, 3_000]
    assert [row.time_ms for row in ledger.trades(STOCK.key, *FOREVER)] == [2_000, 3_000]


def test_the_range_includes_its_start_and_excludes_its_end() -> None:
    ledger = ledger_of()
    ledger.record_trades([Trade(STOCK.key, ts, 250_000, 1) for ts in (1_000, 2_000, 3_000)])
    assert [row.time_ms for row in ledger.trades(STOCK.key, 1_000, 3_000)] == [1_000, 2_000]


def test_an_unknown_key_raises_key_error() -> None:
    with pytest.raises(KeyError):
        ledger_of().sent("NSE_EQ|NOBODY", *FOREVER)


def test_a_derivative_has_open_interest() -> None:
    (future, *_) = contracts(1_767_607_200_000)
    ledger = Ledger([future.key], max_rows=10)
    state = SimulatedState(future, None)
    state.record(1_000, future.base_paise, 65)
    state.oi = 130
    ledger.record_sent("live", 1_250, state)
    (quote,) = ledger.sent(future.key, *FOREVER)
    assert (quote.oi, quote.vtt) == (130, 65)
