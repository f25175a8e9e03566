"""An account holds margin for what is open and for what may become so."""

import pytest

from services.simulator.account.account import Account
from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.market.state import InstrumentState
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


def states() -> dict[str, InstrumentState]:
    share = ListedInstrument(SHARE, "RELIANCE", "Reliance", 10_000, 5)
    future = ListedInstrument(FUTURE, "FUT", "Future", 10_000, 5, kind=Kind.FUTURE, lot_size=10)
    return {each.key: InstrumentState(each, None) for each in (share, future)}


@pytest.fixture
def account() -> Account:
    return Account(states(), OPENING)


def order(key: str, side: Side, product: Product, quantity: int, price: int = 10_000) -> Order:
    request = OrderRequest(key, side, quantity, product, OrderType.LIMIT, price_paise=price)
    return Order("1", "U", request, 0, 0)


def fill(
    account: Account, key: str, side: Side, product: Product, quantity: int, price: int
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
def test_order_and_its_position_hold_the_same_margin(
    account: Account, key: str, side: Side, product: Product, percent: int
) -> None:
    waiting = account.funds([order(key, side, product, 10)])
    assert waiting.used.total == 1_000 * percent
    fill(account, key, side, product, 10, 10_000)
    assert account.funds([]).used == waiting.used


def test_closing_order_needs_no_margin(account: Account) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 10, 10_000)
    closing = order(SHARE, Side.SELL, Product.I, 10)
    assert account.funds([closing]).used == account.funds([]).used
    assert account.objection(closing.request, []) is None


def test_loss_is_taken_at_once_and_profit_is_free_tomorrow(account: Account) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 10, 10_000)
    fill(account, SHARE, Side.SELL, Product.I, 10, 10_500)
    assert account.funds([]).available == OPENING
    assert account.funds([]).unsettled_profit == 5_000
    account.roll_day()
    assert account.funds([]).available == OPENING + 5_000


def test_sold_holdings_bring_cash_and_are_gone_the_next_day(account: Account) -> None:
    fill(account, SHARE, Side.SELL, Product.D, 20, 10_000)
    assert account.holdings[SHARE].free_quantity == 30
    assert account.funds([]).available == OPENING + 200_000
    account.roll_day()
    assert account.holdings[SHARE].quantity == 30
    assert account.funds([]).available == OPENING + 200_000


def test_bought_shares_become_holdings_the_next_day(account: Account) -> None:
    fill(account, SHARE, Side.BUY, Product.D, 50, 10_500)
    account.roll_day()
    held = account.holdings[SHARE]
    assert (held.quantity, held.t1_quantity) == (50, 50)
    assert held.average_paise == 10_000
    assert account.funds([]).available == OPENING - 525_000
    account.roll_day()
    assert (held.quantity, held.t1_quantity) == (100, 0)


def test_cover_order_sells_short_beyond_the_holdings(account: Account) -> None:
    selling = order(SHARE, Side.SELL, Product.CO, 60)
    assert account.objection(selling.request, []) is None
    fill(account, SHARE, Side.SELL, Product.CO, 60, 10_000)
    assert account.holdings[SHARE].used_quantity == 0
    assert account.funds([]).used.total == 120_000


def test_position_can_be_closed_with_less_than_nothing_left(account: Account) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 60_000, 10_000)
    assert account.funds([]).available < 0
    assert account.objection(order(SHARE, Side.SELL, Product.I, 10).request, []) is None
    assert account.objection(order(SHARE, Side.BUY, Product.I, 10).request, []) is not None


def test_future_is_carried_overnight(account: Account) -> None:
    fill(account, FUTURE, Side.SELL, Product.D, 10, 10_000)
    account.roll_day()
    carried = account.positions.by_key[FUTURE, Product.D]
    assert (carried.quantity, carried.overnight_quantity) == (-10, -10)
    assert carried.open_paise == 100_000


def test_shares_are_not_sold_twice(account: Account) -> None:
    first = order(SHARE, Side.SELL, Product.D, 30)
    second = order(SHARE, Side.SELL, Product.D, 21)
    assert account.objection(second.request, []) is None
    assert account.objection(second.request, [first]) == "There are not enough holdings to sell"


def test_conversion_to_delivery_needs_the_funds(account: Account) -> None:
    fill(account, SHARE, Side.BUY, Product.I, 10, 10_000)
    position = account.positions.by_key[SHARE, Product.I]
    assert not account.convert(position, Product.D, Side.BUY, 10, available=79_999)
    assert account.convert(position, Product.D, Side.BUY, 10, available=80_000)
    assert account.positions.quantity(SHARE, Product.D) == 10
    assert account.funds([]).used.total == 100_000


@pytest.mark.parametrize("product", [Product.I, Product.CO, Product.OCO])
@pytest.mark.parametrize("key", [SHARE, FUTURE])
def test_intraday_position_is_squared_off_at_the_last_price(
    account: Account, key: str, product: Product
) -> None:
    fill(account, key, Side.BUY, product, 10, 9_900)
    account.roll_day()
    assert account.positions.by_key == {}
    assert account.funds([]).available == OPENING + 1_000
