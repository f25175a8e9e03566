"""Orders take the market's liquidity without moving the market."""

from services.simulator.account.account import TradingAccounts
from services.simulator.market.flows import Trade
from services.simulator.market.instruments import STOCKS
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.orders.order import Fill, OrderRequest, OrderType, Product, Side
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.order_store import OrderStore
from tests.support.builders import MONDAY_10_00

STEP_MS = 250


def run(*, orders: bool) -> tuple[list[Trade], list[Fill]]:
    """A minute of the market, with an order each second if `orders` is set."""
    market = Market(STOCKS[:2], seed=7, start_ms=MONDAY_10_00, trades_per_sec=4.0)
    accounts = TradingAccounts(market.states, opening_paise=1 << 50)
    order_store = OrderStore(max_rows=1_000)
    order_manager = OrderManager(
        market.states,
        SimulatedCalendar(always_open=True),
        accounts,
        order_store,
        start_ms=MONDAY_10_00,
    )
    market_trades: list[Trade] = []
    for at_ms in range(MONDAY_10_00, MONDAY_10_00 + 60_000, STEP_MS):
        trades = market.advance(at_ms)
        market_trades += trades
        order_manager.step(trades, at_ms)
        if orders and at_ms % 1_000 == 0:
            number = (at_ms - MONDAY_10_00) // 1_000
            side = Side.BUY if number % 3 else Side.SELL
            order_type = OrderType.LIMIT if number % 2 else OrderType.MARKET
            state = market.states[STOCKS[number % 2].key]
            assert state.book is not None
            price = state.book.best_bid_paise if order_type is OrderType.LIMIT else 0
            request = OrderRequest(
                state.instrument.key, side, 60, Product.I, order_type, price_paise=price
            )
            order_manager.place("U", request, at_ms)
    return market_trades, list(order_store.fills)


def test_orders_do_not_change_the_trades_of_the_market() -> None:
    trades, fills = run(orders=True)
    trades_without_orders, no_fills = run(orders=False)
    assert trades == trades_without_orders
    assert (len(fills) > 60, no_fills) == (True, [])


def test_the_seed_and_the_orders_determine_the_fills() -> None:
    assert run(orders=True) == run(orders=True)


def test_resting_orders_are_filled_by_no_more_than_the_traded_quantity() -> None:
    trades, fills = run(orders=True)
    traded = {(trade.key, trade.time_ms): 0 for trade in trades}
    for trade in trades:
        traded[trade.key, trade.time_ms] += trade.quantity
    passive: dict[tuple[str, int], int] = {}
    for fill in fills:
        moment = (fill.order.request.instrument_key, fill.at_ms)
        if fill.at_ms % STEP_MS:  # fills from the depth are at the steps, trades between them
            passive[moment] = passive.get(moment, 0) + fill.quantity
    assert passive
    assert all(quantity <= traded[moment] for moment, quantity in passive.items())
