"""Rows of Upstox's books for tests."""

from decimal import Decimal
from typing import Any

import msgspec

from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.upstox.rows import OrderRow, TradeRow
from shared.contracts.order_terms import OrderType, Prices, Product, Side, Validity
from tests.support.builders import KEY, MONDAY_10_00

LIMIT_99 = Prices(10, OrderType.LIMIT, Validity.DAY, Decimal(99))


def order_row(
    state: BrokerState,
    broker_order_id: str = "b1",
    *,
    tag: str | None = None,
    filled: int = 0,
    at_ms: int = MONDAY_10_00 + 1_000,
    prices: Prices | None = LIMIT_99,
    **more: Any,
) -> OrderRow:
    """A row of an order to buy 10 at 99."""
    row = OrderRow(
        report=BrokerReport(broker_order_id, state, at_ms, prices),
        tag=tag,
        key=KEY,
        side=Side.BUY,
        product=Product.INTRADAY,
        filled_quantity=filled,
        is_at_exchange=True,
    )
    return msgspec.structs.replace(row, **more)


def trade_row(trade_id: str, quantity: int, broker_order_id: str = "b1") -> TradeRow:
    """A trade at 99."""
    return TradeRow(
        broker_order_id=broker_order_id,
        trade_id=trade_id,
        key=KEY,
        side=Side.BUY,
        product=Product.INTRADAY,
        quantity=quantity,
        price=Decimal(99),
        traded_at_ms=MONDAY_10_00 + 2_000,
    )
