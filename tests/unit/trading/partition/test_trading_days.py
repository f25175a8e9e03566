"""Intraday positions are closed before the session's end, and deliveries settle day by day."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.trading.journal.entry import AccountReset, KillSwitchSet
from services.trading.orders.instrument import order_instrument
from services.trading.orders.order import Order
from services.trading.partition.day_ends import DayEnds
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from services.trading.partition.paper_results import order_changes
from services.trading.partition.trading_days import ORDER_PREFIX, SQUARE_OFF, TradingDays
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, ist_date
from tests.support.builders import KEY
from tests.support.builders import MONDAY_10_00 as MONDAY_BEFORE_A_HOLIDAY
from tests.support.paper_market import PaperMarket
from tests.support.trading_client import RELIANCE, USER

HOUR_MS = 3_600_000
MONDAY_10_00 = MONDAY_BEFORE_A_HOLIDAY - 7 * DAY_MS
MONDAY_15_12 = MONDAY_10_00 + 5 * HOUR_MS + 12 * 60_000


class Day:
    """A ledger with one account, driven by a market."""

    def __init__(self, start_ms: int = MONDAY_10_00) -> None:
        self.market = PaperMarket(start_ms=start_ms)
        self.ledger = Ledger(self.market.broker, Decimal(1_000_000))
        self.orders = PaperOrders(self.ledger, latency_ms=0)
        self.days = TradingDays(self.ledger, self.orders, Calendar())
        self.day_ends = DayEnds(self.ledger, Calendar())
        self.account = self.ledger.account(USER)

    def place(self, product: Product, side: Side = Side.BUY, price: str | None = None) -> Order:
        limit = None if price is None else Decimal(price)
        kind = OrderType.MARKET if limit is None else OrderType.LIMIT
        terms = Terms(
            Account.PAPER, KEY, side, product, Prices(10, kind, Validity.DAY, limit), Decimal(1)
        )
        instrument = order_instrument(RELIANCE, product, ist_date(self.market.now_ms))
        _, order = self.orders.accept(
            USER, terms, instrument, margin=Decimal(14_000), reference_price=limit
        )
        return order

    def trade(self, ltp: float = 1_400.0) -> None:
        """A quote whose best prices fill everything that can be filled."""
        self.market.quote(ltp, bid=f"1000@{ltp - 0.05:.2f}", ask=f"1000@{ltp + 0.05:.2f}")
        self._record()

    def at(self, at_ms: int) -> None:
        """Let the market's time be this."""
        self.market.now_ms = at_ms
        self.market.clock()
        self.day_ends.due()
        self._record()
        self.days.due()

    def _record(self) -> None:
        for found in self.market.results:
            order = self.account.orders[found.result.order_id]
            for body in order_changes(order, found.result, self.market.now_ms):
                self.ledger.record(USER, body)


def test_intraday_positions_are_closed_before_the_end_of_the_session() -> None:
    day = Day()
    day.place(Product.INTRADAY)
    day.trade()
    resting = day.place(Product.INTRADAY, price="1390.00")
    day.at(MONDAY_15_12 - 60_000)
    assert day.account.net_quantity(KEY, Product.INTRADAY) == 10
    day.at(MONDAY_15_12)
    assert day.account.orders[resting.order_id].state == "cancelled"
    assert day.account.order_view(day.account.orders[resting.order_id]).detail == SQUARE_OFF
    (leaving,) = day.account.open_orders()
    assert leaving.order_id.startswith(ORDER_PREFIX)
    for minutes in (1, 2):
        day.at(MONDAY_15_12 + minutes * 60_000)
        day.trade()
    assert day.account.net_quantity(KEY, Product.INTRADAY) == 0
    closing = [name for name in day.account.orders if name.startswith(ORDER_PREFIX)]
    assert closing == [leaving.order_id], "one order closes the position"


def test_deliveries_are_not_squared_off_and_settle_day_by_day() -> None:
    day = Day()
    day.place(Product.DELIVERY)
    day.trade()
    day.at(MONDAY_15_12)
    assert day.account.open_orders() == []
    day.at(MONDAY_10_00 + DAY_MS)
    (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
    assert (holding.quantity, holding.t1_quantity) == (0, 10)
    assert day.account.ended_day == "2026-11-16"
    day.at(MONDAY_10_00 + 2 * DAY_MS)
    (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
    assert (holding.quantity, holding.t1_quantity) == (10, 0)
    assert day.account.positions(day.ledger.broker.ltp).positions == []
    seq = day.account.seq
    day.at(MONDAY_10_00 + 3 * DAY_MS)
    assert day.account.seq == seq, "nothing is left to settle"


def test_a_resting_order_ends_with_its_day() -> None:
    day = Day()
    order = day.place(Product.DELIVERY, price="1300.00")
    day.at(MONDAY_10_00 + 8 * HOUR_MS)
    assert day.account.orders[order.order_id].state == "expired"
    day.at(MONDAY_10_00 + DAY_MS)
    assert day.account.orders == {}


def test_a_weekend_settles_nothing() -> None:
    day = Day()
    friday_ms = MONDAY_10_00 + 4 * DAY_MS
    day.at(friday_ms)
    day.place(Product.DELIVERY)
    day.trade()
    for days in (1, 2):
        day.at(friday_ms + days * DAY_MS)
        (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
        assert holding.t1_quantity == 10
    day.at(friday_ms + 4 * DAY_MS)  # Tuesday: Monday has ended
    (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
    assert holding.quantity == 10


def test_a_holiday_settles_nothing() -> None:
    day = Day(MONDAY_BEFORE_A_HOLIDAY)
    day.place(Product.DELIVERY)
    day.trade()
    for days, settled in ((1, 0), (2, 0), (3, 10)):
        day.at(MONDAY_BEFORE_A_HOLIDAY + days * DAY_MS)
        (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
        assert holding.quantity == settled


def test_a_position_without_a_price_keeps_its_mark() -> None:
    day = Day()
    day.place(Product.DELIVERY, Side.SELL)
    day.trade()
    day.at(MONDAY_10_00 + DAY_MS)
    assert day.account.mark(KEY) == 1_400
    day.market.broker._market.state.quotes.clear()
    day.at(MONDAY_10_00 + 2 * DAY_MS)
    assert day.account.mark(KEY) == 1_400


def test_orders_after_idle_days_are_of_their_own_day() -> None:
    day = Day()
    day.place(Product.DELIVERY)
    day.trade()
    for days in (1, 2, 3):
        day.at(MONDAY_10_00 + days * DAY_MS)
    thursday_ms = MONDAY_10_00 + 3 * DAY_MS
    order = day.place(Product.DELIVERY)
    day.trade()
    day.at(thursday_ms + 60_000)
    assert order.order_id in day.account.orders
    (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
    assert (holding.quantity, holding.t1_quantity) == (10, 0)
    assert day.account.net_quantity(KEY, Product.DELIVERY) == 10
    day.at(thursday_ms + DAY_MS)
    (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
    assert (holding.quantity, holding.t1_quantity) == (10, 10)


def test_the_first_day_of_an_account_ends_although_its_orders_end_on_the_next_day() -> None:
    day = Day()
    day.place(Product.DELIVERY)
    day.trade()
    resting = day.place(Product.DELIVERY, price="1300.00")
    day.at(MONDAY_10_00 + DAY_MS)  # nothing was processed since: it expires only now
    assert day.account.orders[resting.order_id].state == "expired"
    assert day.account.ended_day == "2026-11-16"
    (holding,) = day.account.holdings(day.ledger.broker.ltp).holdings
    assert holding.t1_quantity == 10


FIRST_TRADING_DAYS = (0, 1, 2, 3, 4, 7, 9, 10, 11)
"""Days after Monday, 16 November 2026, with a session: Tuesday, 24 November, is a holiday."""


@given(st.lists(st.sampled_from(["buy", "idle", "away"]), min_size=9, max_size=9))
def test_deliveries_arrive_on_their_days_whatever_idle_days_and_outages_come_between(
    plan: list[str],
) -> None:
    day = Day()
    bought: list[int] = []
    for number, (days, what) in enumerate(zip(FIRST_TRADING_DAYS, plan, strict=True)):
        if what == "away":
            continue
        day.at(MONDAY_10_00 + days * DAY_MS)
        if what == "buy":
            order = day.place(Product.DELIVERY)
            day.trade()
            bought.append(number)
        day.at(MONDAY_10_00 + days * DAY_MS + 60_000)
        assert what != "buy" or order.order_id in day.account.orders
        held = day.account.holdings(day.ledger.broker.ltp).holdings
        quantity, t1_quantity = (held[0].quantity, held[0].t1_quantity) if held else (0, 0)
        assert t1_quantity == 10 * (number - 1 in bought)
        assert quantity == 10 * sum(buy < number - 1 for buy in bought)


def test_a_switch_or_a_reset_of_an_earlier_day_does_not_end_the_day_of_an_order() -> None:
    day = Day()
    for is_on in (True, False):
        day.ledger.record(USER, KillSwitchSet(is_on=is_on, at_ms=day.market.now_ms))
    day.ledger.record(USER, AccountReset(at_ms=day.market.now_ms))
    tuesday_ms = MONDAY_10_00 + DAY_MS
    day.at(tuesday_ms)
    order = day.place(Product.DELIVERY)
    day.trade()
    day.at(tuesday_ms + 60_000)
    assert order.order_id in day.account.orders
    assert day.account.net_quantity(KEY, Product.DELIVERY) == 10
    assert day.account.ended_day == ""
