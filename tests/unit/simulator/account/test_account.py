"""Funds, margin and settlement of a trading account."""

import pytest

from services.simulator.account.account import TradingAccount
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import (
    Fill,
    Order,
    OrderRequest,
    OrderType,
    Product,
    Side,
)

SHARE = "NSE_EQ|INE002A01018"
FUTURE = "NSE_FO|1"
OPENING = 100_000_000


def states() -> dict[str, SimulatedState]:
    share = ListedInstrument(SHARE, "RELIANCE", "Reliance", 10_000, 5)
    future = ListedInstrument(
        FUTURE, "FUT", "Future", 10_000, 5, instrument_type=InstrumentType.FUTURE, lot_size=10
    )
    return {each.key: SimulatedState(each, None) for each in (share, future)}


@pytest.fixture
def account() -> TradingAccount:
    return TradingAccount(states(), OPENING)


def order(key: str, side: Side, product: Product, quantity: int, price: int = 10_000) -> Order:
    request = OrderRequest(key, side, quantity, product, OrderType.LIMIT, price_paise=price)
    return Order("1", "U", request, 0, 0)


def fill(
    account: TradingAccount, key: str, side: Side, product: Product, quantity: int, price: int
) -> None:
    account.record(Fill("1", order(key, side, product, quantity, price), price, quantity, 0))


@pytest.mark.parametrize(
    ("key", "side", "product", "percent"),
    [
        (SHARE, Side.BUY, Product.D, 100),
        (SHARE, Side.BUY, Product.I, 20),
        (SHARE, Side.SELL, Product.I, 20),
        (SHARE, Side.BUY, Product.MTF, 40),
        (FUTURE, Side.SELL, Product.D, 18),
    ],
)
def test_a_pending_order_and_its_position_hold_the_same_margin(
    account: TradingAccount, key: str, side: Side, product: Product, percent: int
) -> None:
    pending = account.funds([order(key, side, product, 10)])
    assert pending.used.total == 1_000 * percent
    fill(account, key, side, product, 10, 10_000)
    assert account.funds([]).used == pending.used


def test_a_closing_order_needs_no_margin(account: TradingAccount) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 10, 10_000)
    closing = order(SHARE, Side.SELL, Product.I, 10)
    assert account.funds([closing]).used == account.funds([]).used
    assert account.rejection(closing.request, []) is None


def test_a_profit_is_available_on_the_next_day(account: TradingAccount) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 10, 10_000)
    fill(account, SHARE, Side.SELL, Product.I, 10, 10_500)
    assert account.funds([]).available == OPENING
    assert account.funds([]).unsettled_profit == 5_000
    account.roll_day()
    assert account.funds([]).available == OPENING + 5_000


def test_sold_holdings_add_cash_and_are_removed_on_the_next_day(account: TradingAccount) -> None:
    fill(account, SHARE, Side.SELL, Product.D, 20, 10_000)
    assert account.holdings[SHARE].free_quantity == 30
    assert account.funds([]).available == OPENING + 200_000
    account.roll_day()
    assert account.holdings[SHARE].quantity == 30
    assert account.funds([]).available == OPENING + 200_000


def test_bought_shares_become_holdings_on_the_next_day(account: TradingAccount) -> None:
    fill(account, SHARE, Side.BUY, Product.D, 50, 10_500)
    account.roll_day()
    held = account.holdings[SHARE]
    assert (held.quantity, held.t1_quantity) == (50, 50)
    assert held.average_paise == 10_000
    assert account.funds([]).available == OPENING - 525_000
    account.roll_day()
    assert (held.quantity, held.t1_quantity) == (100, 0)


def test_a_cover_order_can_sell_short(account: TradingAccount) -> None:
    selling = order(SHARE, Side.SELL, Product.CO, 60)
    assert account.rejection(selling.request, []) is None
    fill(account, SHARE, Side.SELL, Product.CO, 60, 10_000)
    assert account.holdings[SHARE].used_quantity == 0
    assert account.funds([]).used.total == 120_000


def test_a_position_can_be_closed_with_negative_funds(account: TradingAccount) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 60_000, 10_000)
    assert account.funds([]).available < 0
    assert account.rejection(order(SHARE, Side.SELL, Product.I, 10).request, []) is None
    assert account.rejection(order(SHARE, Side.BUY, Product.I, 10).request, []) is not None


def test_a_future_is_carried_overnight(account: TradingAccount) -> None:
    fill(account, FUTURE, Side.SELL, Product.D, 10, 10_000)
    account.roll_day()
    carried = account.positions.by_key[FUTURE, Product.D]
    assert (carried.quantity, carried.overnight_quantity) == (-10, -10)
    assert carried.open_paise == 100_000


def test_pending_sales_reduce_the_shares_that_can_be_sold(account: TradingAccount) -> None:
    first = order(SHARE, Side.SELL, Product.D, 30)
    second = order(SHARE, Side.SELL, Product.D, 21)
    assert account.rejection(second.request, []) is None
    assert account.rejection(second.request, [first]) == "There are not enough holdings to sell"


def test_a_conversion_to_delivery_needs_the_funds(account: TradingAccount) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 10, 10_000)
    position = account.positions.by_key[SHARE, Product.I]
    assert not account.convert(position, Product.D, Side.BUY, 10, available=79_999)
    assert account.convert(position, Product.D, Side.BUY, 10, available=80_000)
    assert account.positions.quantity(SHARE, Product.D) == 10
    assert account.funds([]).used.total == 100_000


@pytest.mark.parametrize("product", [Product.I, Product.CO, Product.OCO])
@pytest.mark.parametrize("key", [SHARE, FUTURE])
def test_an_intraday_position_is_closed_at_the_last_price_at_the_end_of_the_day(
    account: TradingAccount, key: str, product: Product
) -> None:
    fill(account, key, Side.BUY, product, 10, 9_900)
    account.roll_day()
    assert account.positions.by_key == {}
    assert account.funds([]).available == OPENING + 1_000
