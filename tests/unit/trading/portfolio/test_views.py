"""Orders, positions and holdings as their user sees them."""

from decimal import Decimal

from services.trading.orders.broker_report import BrokerState
from services.trading.portfolio.holdings import HeldShares
from services.trading.portfolio.position import Lot
from services.trading.portfolio.views import holding_view, order_view
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading_replies import OrderView
from tests.support.trading_journal import DELIVERY_SHARE, Journal, no_ltp, with_holding


def test_an_order_shows_its_terms_fills_and_end() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, Side.BUY, 10)
    journal.fill(order_id, 1, "99.95")
    journal.fill(order_id, 2, "99.90")
    journal.finish(order_id, BrokerState.EXPIRED)
    order = journal.account.orders[order_id]
    assert order_view(order, Decimal("1.50")) == OrderView(
        order_id=order_id,
        account=Account.PAPER,
        key=DELIVERY_SHARE.key,
        side=Side.BUY,
        product=Product.DELIVERY,
        order_type=OrderType.LIMIT,
        validity=Validity.DAY,
        quantity=10,
        filled_quantity=3,
        state="expired",
        created_at=journal.at_ms,
        event_count=4,
        price=Decimal(100),
        average_price=Decimal("99.9167"),
        broker_order_id=f"paper-{order_id}",
        charges=Decimal("1.50"),
    )


def test_a_position_whose_ltp_is_not_known_has_no_unrealised_profit() -> None:
    journal = Journal()
    journal.trade(DELIVERY_SHARE, Side.BUY, 10, 500)
    (view,) = journal.account.positions(no_ltp).positions
    assert (view.ltp, view.unrealised) == (None, None)


def test_a_sale_that_holdings_deliver_has_no_unrealised_profit() -> None:
    journal = with_holding(10)
    journal.trade(DELIVERY_SHARE, Side.SELL, 10, 500)
    (view,) = journal.account.positions(no_ltp).positions
    assert (view.quantity, view.unrealised) == (-10, Decimal(0))


def test_the_average_price_of_a_holding_covers_t1() -> None:
    shares = HeldShares([Lot(1, Decimal(100))], [Lot(2, Decimal("100.05"))])
    view = holding_view("key", shares, Decimal(101))
    assert (view.quantity, view.t1_quantity) == (1, 2)
    assert (view.average_price, view.ltp) == (Decimal("100.0333"), Decimal(101))
