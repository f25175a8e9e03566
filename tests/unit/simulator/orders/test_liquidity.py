"""Orders live off the market without moving it."""

from services.simulator.account.account import Accounts
from services.simulator.market.flows import Trade
from services.simulator.market.instruments import STOCKS
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.orders.order import Fill, OrderRequest, OrderType, Product, Side
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.records import Records
from tests.support.builders import MONDAY_10_00

STEP_MS = 250


def run(*, orders: bool) -> tuple[list[Trade], list[Fill]]:
    """A minute of the market, with an order each second or none."""
    market = Market(STOCKS[:2], seed=7, start_ms=MONDAY_10_00, trades_per_sec=4.0)
    accounts = Accounts(market.states, opening_paise=1 << 50)
    records = Records(max_rows=1_000)
    order_manager = OrderManager(
        market.states, SimulatedCalendar(always_open=True), accounts, records, start_ms=MONDAY_10_00
    )
    seen: list[Trade] = []
    for at_ms in range(MONDAY_10_00, MONDAY_10_00 + 60_000, STEP_MS):
        trades = market.advance(at_ms)
        seen += trades
        order_manager.step(trades, at_ms)
        if orders and at_ms % 1_000 == 0:
            number = (at_ms - MONDAY_10_00) // 1_000
            side = Side.BUY if number % 3 else Side.SELL
            kind = OrderType.LIMIT if number % 2 else OrderType.MARKET
            state = market.states[STOCKS[number % 2].key]
            assert state.book is not None
            price = state.book.best_bid_paise if kind is OrderType.LIMIT else 0
            request = OrderRequest(
                state.instrument.key, side, 60, Product.I, kind, price_paise=price
            )
            order_manager.place("U", request, at_ms)
    return seen, list(records.fills)


def test_orders_do_not_change_what_the_market_does() -> None:
    with_orders, fills = run(orders=True)
    without, none = run(orders=False)
    assert with_orders == without
    assert (len(fills) > 60, none) == (True, [])


def test_seed_and_script_decide_every_fill() -> None:
    assert run(orders=True) == run(orders=True)


def test_resting_orders_get_no_more_than_was_traded_or_shown() -> None:
    trades, fills = run(orders=True)
    traded = {(trade.key, trade.time_ms): 0 for trade in trades}
    for trade in trades:
        traded[trade.key, trade.time_ms] += trade.quantity
    passive: dict[tuple[str, int], int] = {}
    for fill in fills:
        moment = (fill.order.request.instrument_key, fill.at_ms)
        if fill.at_ms % STEP_MS:  # the depth is taken at the steps, trades happen between
            passive[moment] = passive.get(moment, 0) + fill.quantity
    assert passive
    assert all(quantity <= traded[moment] for moment, quantity in passive.items())
