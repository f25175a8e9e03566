"""After a takeover, an order at Upstox that was not sent is rejected; one that was is unknown."""

from decimal import Decimal

from services.trading.orders.order_state import OrderState
from services.trading.paper.broker import PaperBroker
from services.trading.partition.ledger import Ledger
from services.trading.partition.upstox_orders import NOT_SENT, UpstoxOrders
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
from tests.support.builders import KEY
from tests.support.trading_client import USER

TERMS = Terms(
    Account.UPSTOX, KEY, Side.SELL, Product.INTRADAY, Prices(10, OrderType.MARKET, Validity.DAY)
)


def test_an_order_that_was_not_sent_yet_never_is_and_one_that_was_is_unknown() -> None:
    ledger = Ledger(PaperBroker(Calendar()), Decimal(0))
    orders = UpstoxOrders(ledger)
    made = [
        orders.intend(USER, TERMS, None, reference_price=None, is_sent_next=is_sent_next)[1]
        for is_sent_next in (False, False, True)
    ]
    assert [one.state for one in made] == [
        OrderState.INTENT, OrderState.INTENT, OrderState.SENDING,
    ]  # fmt: skip
    orders.sending(made[1])
    assert len(orders.take_over(USER)) == 3
    after = ledger.account(USER).orders
    assert [after[one.order_id].state for one in made] == [
        OrderState.REJECTED, OrderState.UNKNOWN, OrderState.UNKNOWN,
    ]  # fmt: skip
    assert after[made[0].order_id].code == NOT_SENT
    assert orders.take_over(USER) == []
