"""Orders beside trades, as Upstox's answers name their fields."""

from datetime import datetime
from typing import Any

from services.simulator.market.instruments import ListedInstrument
from services.simulator.orders.order import Fill, Order
from shared.market.exchange_time import IST

View = dict[str, Any]
_NOT_IN_HISTORY = ("guid", "pending_quantity", "status_message_raw", "order_ref_id")


def book_row(order: Order, instrument: ListedInstrument) -> View:
    """A row of the order book, and of order details."""
    request = order.request
    return {
        "exchange": instrument.exchange,
        "product": request.product,
        "price": request.price_paise / 100,
        "quantity": request.quantity,
        "status": order.status,
        "guid": None,
        "tag": request.tag,
        "instrument_token": instrument.key,
        "placed_by": order.user_id,
        "tradingsymbol": instrument.symbol,
        "trading_symbol": instrument.symbol,
        "order_type": request.order_type,
        "validity": request.validity,
        "trigger_price": request.trigger_paise / 100,
        "disclosed_quantity": request.disclosed_quantity,
        "transaction_type": request.side,
        "average_price": average(order.filled_paise, order.filled_quantity),
        "filled_quantity": order.filled_quantity,
        "pending_quantity": order.pending_quantity,
        "status_message": order.message or None,
        "status_message_raw": order.message or None,
        "exchange_order_id": order.exchange_order_id,
        "parent_order_id": None,
        "order_id": order.order_id,
        "variety": "AMO" if order.is_amo else "SIMPLE",
        "order_timestamp": stamp(order.placed_ms),
        "exchange_timestamp": stamp(order.updated_ms) if order.exchange_order_id else None,
        "is_amo": order.is_amo,
        "order_request_id": "1",
        "order_ref_id": f"SIM{order.order_id}",
    }


def history_row(order: Order, instrument: ListedInstrument) -> View:
    """One moment of an order's history."""
    row = book_row(order, instrument)
    return {name: value for name, value in row.items() if name not in _NOT_IN_HISTORY}


def trade_row(fill: Fill, instrument: ListedInstrument) -> View:
    """A trade of the day."""
    order, request = fill.order, fill.order.request
    return {
        "exchange": instrument.exchange,
        "product": request.product,
        "tradingsymbol": instrument.symbol,
        "trading_symbol": instrument.symbol,
        "instrument_token": instrument.key,
        "order_type": request.order_type,
        "transaction_type": request.side,
        "quantity": fill.quantity,
        "exchange_order_id": order.exchange_order_id,
        "order_id": order.order_id,
        "exchange_timestamp": stamp(fill.at_ms),
        "average_price": fill.price_paise / 100,
        "trade_id": fill.trade_id,
        "order_ref_id": f"SIM{order.order_id}",
        "order_timestamp": stamp(order.placed_ms),
    }


def average(paise: int, quantity: int) -> float:
    """Rupees apiece, zero of nothing."""
    return round(paise / quantity / 100, 4) if quantity else 0.0


def stamp(at_ms: int) -> str:
    """Upstox's ``YYYY-MM-DD HH:MM:SS`` of Indian time."""
    return f"{datetime.fromtimestamp(at_ms / 1_000, IST):%Y-%m-%d %H:%M:%S}"
