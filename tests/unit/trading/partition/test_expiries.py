"""Expired contracts on paper are settled in cash, at the closing price of their expiry day."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.trading.charges.rates import RateTable, rates_on
from services.trading.journal.entry import OrderChanged
from services.trading.margin.margin import UnderlyingKind
from services.trading.orders import events
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.paper.always_open import AlwaysOpenCalendar
from services.trading.partition.day_ends import DayEnds
from services.trading.partition.expiries import EXPIRED
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from services.trading.partition.trading_days import TradingDays
from shared.contracts.messages import FeedState
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import IST, MINUTE_MS
from tests.support.paper_market import PaperMarket
from tests.support.trading_client import USER
from tests.support.trading_journal import CRUDE_FUTURE, INDEX_CALL, INDEX_FUTURE

TUESDAY = date(2026, 12, 29)
"""The expiry of the index contracts."""
NIFTY = "NSE_INDEX|Nifty 50"
INDEX_PUT = msgspec.structs.replace(INDEX_CALL, key="NSE_FO|4", is_call=False)
STOCK_FUTURE = msgspec.structs.replace(
    INDEX_FUTURE, key="NSE_FO|5", underlying_kind=UnderlyingKind.STOCK,
    underlying_key="NSE_EQ|INE002A01018",
)  # fmt: skip


def at(hour: int, minute: int, day: int = TUESDAY.day, second: int = 0) -> int:
    """A time in December 2026, epoch ms."""
    moment = datetime.combine(date(2026, 12, day), time(hour, minute, second), IST)
    return int(moment.timestamp() * 1000)


class Setup:
    """An account with one position, in a market whose time tests set."""

    def __init__(
        self, instrument: OrderInstrument, quantity: int = 65, price: str = "100",
        side: Side = Side.BUY, start_ms: int = at(15, 0), calendar: Calendar | None = None,
    ) -> None:  # fmt: skip
        self.market = PaperMarket(start_ms=start_ms)
        self.ledger = Ledger(self.market.broker, Decimal(10_000_000))
        self._orders = PaperOrders(self.ledger, latency_ms=0)
        self.days = TradingDays(self.ledger, self._orders, calendar or Calendar())
        self.day_ends = DayEnds(self.ledger, calendar or Calendar())
        self.account = self.ledger.account(USER)
        self.instrument = instrument
        order = self.place(side, quantity, price)
        fill = events.Filled(
            at_ms=start_ms, trade_id="t1", quantity=quantity, price=Decimal(price),
            traded_at_ms=start_ms,
        )  # fmt: skip
        self.ledger.record(USER, OrderChanged(order_id=order.order_id, event=fill))
        self.market.broker.cancel(USER, order.order_id)

    def place(self, side: Side, quantity: int = 65, price: str = "100") -> Order:
        """An order in the contract."""
        prices = Prices(quantity, OrderType.LIMIT, Validity.DAY, Decimal(price))
        terms = Terms(Account.PAPER, self.instrument.key, side, Product.DELIVERY, prices)
        _, order = self._orders.accept(
            USER, terms, self.instrument, margin=Decimal(0), reference_price=Decimal(price)
        )
        return order

    def quote(self, key: str, ltp: float, at_ms: int, **fields: Any) -> None:
        """A quote of any instrument."""
        self.market.now_ms = at_ms
        self.market.quote(ltp, key=key, after_ms=0, **fields)

    def clock(self, at_ms: int, state: FeedState = FeedState.LIVE) -> Decimal | None:
        """Set the market's time; returns the price at which the contract is settled."""
        self.market.now_ms = at_ms
        self.market.clock(state=state)
        self.day_ends.due()
        self.days.due()
        view = self.account.position_view(
            self.instrument.key, Product.DELIVERY, self.ledger.broker.ltp
        )
        assert view is not None, "the position is shown until its trading day has ended"
        assert (view.quantity == 0) is (view.settled_price is not None)
        return view.settled_price


@pytest.mark.parametrize(
    ("instrument", "price"),
    [
        (INDEX_FUTURE, "24850.35"),
        (INDEX_CALL, "50.35"),
        (INDEX_PUT, "0"),
        (STOCK_FUTURE, "24850.35"),
    ],
)
def test_a_contract_is_settled_at_the_closing_price_of_its_underlying(
    instrument: OrderInstrument, price: str
) -> None:
    setup = Setup(instrument)
    assert instrument.underlying_key is not None
    assert instrument.underlying_key in setup.ledger.held_keys()
    setup.quote(instrument.key, 61.0, at(15, 39))
    setup.quote(instrument.underlying_key, 24_850.35, at(15, 36))
    assert setup.clock(at(15, 43)) is None, "four minutes after the close of the contract"
    assert setup.clock(at(15, 44), FeedState.CLOSED) == Decimal(price)
    assert set(setup.ledger.held_keys()) == set()
    seq = setup.account.seq
    setup.clock(at(15, 45))
    assert setup.account.seq == seq, "it is settled once"


def test_a_put_in_the_money_is_worth_what_the_strike_is_above_the_close() -> None:
    setup = Setup(INDEX_PUT, side=Side.SELL)
    setup.quote(NIFTY, 24_700.5, at(15, 31))
    assert setup.clock(at(15, 44)) == Decimal("99.5")


def test_a_contract_lives_until_its_expiry_day() -> None:
    setup = Setup(INDEX_FUTURE, start_ms=at(15, 0, 28))
    setup.quote(NIFTY, 24_850.35, at(15, 36, 28))
    assert setup.clock(at(23, 50, 28)) is None


def test_a_price_from_before_the_close_settles_nothing() -> None:
    setup = Setup(INDEX_FUTURE)
    setup.quote(NIFTY, 24_850.35, at(15, 29, second=59))
    assert setup.clock(at(15, 44)) is None
    setup.quote(NIFTY, 24_860.0, at(16, 10), ltt=at(15, 29, second=59), snap=True)
    assert setup.clock(at(16, 10)) == Decimal(24_860)


@pytest.mark.parametrize("state", [FeedState.STALE, FeedState.CONNECTING, FeedState.UNAUTHORISED])
def test_a_feed_that_may_miss_the_closing_price_settles_nothing(state: FeedState) -> None:
    setup = Setup(INDEX_FUTURE)
    setup.quote(NIFTY, 24_850.35, at(15, 31))
    assert setup.clock(at(15, 44), state) is None
    assert setup.clock(at(15, 45), FeedState.CLOSED) is None, "its first quotes are awaited"
    setup.quote(NIFTY, 24_860.0, at(15, 45, second=10), ltt=at(15, 35), snap=True)
    assert setup.clock(at(15, 46), FeedState.CLOSED) == Decimal(24_860)


def test_the_previous_close_settles_a_contract_on_the_next_trading_day() -> None:
    setup = Setup(INDEX_FUTURE)
    setup.clock(at(15, 44))
    setup.market.epoch = 2
    setup.quote(NIFTY, 24_900.0, at(9, 0, 30), ltt=at(15, 29), snap=True)
    assert setup.clock(at(9, 0, 30)) is None
    assert setup.clock(at(9, 1, 30)) == Decimal(24_900), "a snapshot of the evening's LTP"
    setup = Setup(INDEX_FUTURE)
    setup.quote(NIFTY, 25_000.0, at(9, 16, 30), cp=24_910.0)
    assert setup.clock(at(9, 16, 30)) == Decimal(24_910)


def test_without_a_closing_price_the_contract_is_settled_at_its_own_ltp() -> None:
    setup = Setup(INDEX_CALL)
    setup.quote(INDEX_CALL.key, 61.05, at(15, 39))
    assert setup.clock(at(9, 29, 30)) is None
    assert setup.clock(at(9, 30, 30)) == Decimal("61.05")


def test_a_contract_without_any_price_is_kept_and_logged_once(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = Setup(INDEX_CALL)
    for minute in (15, 30, 31, 32):
        assert setup.clock(at(9, minute, 30)) is None
    output = caplog.text + capsys.readouterr().out
    assert output.count("is not settled") == 1
    assert INDEX_CALL.key in output


def test_a_commodity_future_is_settled_at_its_own_close_on_the_same_day() -> None:
    setup = Setup(CRUDE_FUTURE, quantity=1, price="6000", start_ms=at(15, 0, 18))
    setup.quote(CRUDE_FUTURE.key, 6_040.0, at(23, 55, 18), ltt=at(23, 54, 18))
    assert setup.clock(at(23, 58, 18)) is None
    assert setup.clock(at(23, 59, 18)) == Decimal(6_040)
    assert setup.account.funds(setup.ledger.broker.ltp).realised == 40 * 100


def test_an_option_whose_underlying_is_not_known_takes_its_own_price() -> None:
    option = msgspec.structs.replace(INDEX_CALL, underlying_key=None)
    setup = Setup(option)
    setup.quote(option.key, 61.05, at(15, 39))
    setup.quote(NIFTY, 24_850.35, at(15, 36))
    assert setup.clock(at(15, 44)) is None
    assert setup.clock(at(9, 30, 30)) == Decimal("61.05")


def test_an_expiry_on_a_day_without_a_session_ends_with_that_day() -> None:
    on_sunday = msgspec.structs.replace(INDEX_FUTURE, expiry=TUESDAY.replace(day=27).isoformat())
    setup = Setup(on_sunday, start_ms=at(15, 0, 24))
    assert setup.clock(at(23, 59, 27)) is None
    setup.quote(NIFTY, 25_000.0, at(9, 16, 28), cp=24_910.0)
    assert setup.clock(at(9, 16, 28)) == Decimal(24_910)


def test_an_outage_until_the_next_day_does_not_hide_the_closing_price() -> None:
    setup = Setup(INDEX_CALL)
    setup.quote(INDEX_CALL.key, 61.05, at(11, 0))
    setup.market.epoch = 2
    assert setup.clock(at(10, 0, 30), FeedState.CONNECTING) is None
    assert setup.clock(at(10, 1, 30)) is None
    setup.quote(NIFTY, 25_000.0, at(10, 1, 30, second=5), cp=24_910.0, snap=True)
    assert setup.clock(at(10, 2, 30)) == Decimal(110)


def test_the_day_ends_before_a_late_settlement_also_of_a_new_account() -> None:
    setup = Setup(INDEX_FUTURE)
    setup.quote(NIFTY, 25_000.0, at(9, 16, 30), cp=24_910.0)
    assert setup.clock(at(9, 16, 30)) == Decimal(24_910), "it is shown on the day of the settlement"
    assert setup.account.ended_day == TUESDAY.isoformat()
    assert setup.account.charges() == 0, "no charge of the day before"


def test_orders_in_an_expired_contract_are_cancelled_before_it_is_settled() -> None:
    setup = Setup(INDEX_FUTURE)
    setup.clock(at(15, 42))
    order = setup.place(Side.SELL)
    setup.clock(at(15, 43))
    assert setup.account.orders[order.order_id].state == "open"
    assert setup.clock(at(15, 44)) is None, "no closing price is known"
    assert setup.account.orders[order.order_id].state == "cancelled"
    assert setup.account.order_view(setup.account.orders[order.order_id]).detail == EXPIRED
    assert setup.market.broker.keys() == frozenset()


def test_without_an_own_ltp_the_mark_of_the_last_day_settles_a_contract() -> None:
    setup = Setup(INDEX_CALL, start_ms=at(15, 0, 28))
    setup.quote(INDEX_CALL.key, 61.05, at(15, 39, 28))
    setup.clock(at(0, 1))
    setup.market.broker._market.state.quotes.clear()
    assert setup.clock(at(9, 14, 30)) is None
    assert setup.clock(at(9, 30, 30)) == Decimal("61.05")


def test_without_any_price_of_its_own_the_underlying_settles_a_contract() -> None:
    setup = Setup(INDEX_CALL)
    later = at(12, 0, 31)
    setup.clock(later - 20 * MINUTE_MS)
    setup.quote(NIFTY, 24_950.0, later, cp=25_000.0)
    assert setup.clock(later) == Decimal(150), "the previous close is that of another day"


def test_the_next_trading_day_is_that_of_the_underlying() -> None:
    saturday = date(2026, 12, 26)
    calendar = Calendar(
        BUILT_IN.updated(CalendarData(timings={saturday: {"NSE": (9 * 60 + 15, 15 * 60 + 30)}}))
    )
    future = msgspec.structs.replace(INDEX_FUTURE, expiry="2026-12-24")
    setup = Setup(future, start_ms=at(15, 0, 24), calendar=calendar)
    setup.clock(at(23, 50, 24))
    setup.quote(NIFTY, 25_100.0, at(10, 0, 26), cp=24_500.0)
    assert setup.clock(at(10, 1, 26)) == Decimal(24_500)


def test_in_a_market_that_is_always_open_a_contract_ends_with_its_expiry_day() -> None:
    setup = Setup(INDEX_CALL, calendar=AlwaysOpenCalendar())
    assert setup.clock(at(23, 59)) is None
    setup.quote(NIFTY, 25_000.0, at(0, 3, 30), cp=24_910.0)
    assert setup.clock(at(0, 3, 30)) is None
    assert setup.clock(at(0, 4, 30)) == Decimal(110)


def test_the_tax_of_an_exercise_is_that_of_the_expiry_day(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[date] = []

    def rates(day: date) -> RateTable:
        asked.append(day)
        return rates_on(day)

    setup = Setup(INDEX_CALL)
    monkeypatch.setattr("services.trading.portfolio.day_charges.rates_on", rates)
    setup.quote(NIFTY, 25_000.0, at(9, 16, 30), cp=24_910.0)
    setup.clock(at(9, 16, 30))
    assert asked == [TUESDAY]
