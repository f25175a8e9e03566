"""Orders, fills and GTT orders as JSON objects with Upstox's field names."""

from datetime import datetime
from typing import Any, Final

from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState
from services.simulator.orders.gtt import Gtt
from services.simulator.orders.order import Fill, Order
from shared.market.exchange_time import IST

View = dict[str, Any]
_NOT_IN_HISTORY: Final = (
    "guid",
    "pending_quantity",
    "status_message_raw",
    "order_ref_id",
)
_MICROS_PER_MILLI: Final = 1_000


def order_row(order: Order, instrument: ListedInstrument) -> View:
    """A row of the order book, and the data of order details, as users see it."""
    row = true_order_row(order, instrument)
    if order.is_shown_complete:
        row |= {
            "status": order.shown_status,
            "average_price": row["price"],
            "filled_quantity": row["quantity"],
            "pending_quantity": 0,
        }
    return row


def true_order_row(order: Order, instrument: ListedInstrument) -> View:
    """A row of the order book, as the order is."""
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
        "average_price": average_rupees(order.filled_paise, order.filled_quantity),
        "filled_quantity": order.filled_quantity,
        "pending_quantity": order.pending_quantity,
        "status_message": order.message or None,
        "status_message_raw": order.message or None,
        "exchange_order_id": order.exchange_order_id,
        "parent_order_id": None,
        "order_id": order.order_id,
        "variety": "AMO" if order.is_amo else "SIMPLE",
        "order_timestamp": timestamp(order.placed_ms),
        "exchange_timestamp": timestamp(order.updated_ms) if order.exchange_order_id else None,
        "is_amo": order.is_amo,
        "order_request_id": "1",
        "order_ref_id": f"SIM{order.order_id}",
    }


def history_row(order: Order, instrument: ListedInstrument) -> View:
    """One version of an order in its history."""
    row = order_row(order, instrument)
    return {name: value for name, value in row.items() if name not in _NOT_IN_HISTORY}


def trade_row(fill: Fill, instrument: ListedInstrument) -> View:
    """A row of the day's trades."""
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
        "exchange_timestamp": timestamp(fill.at_ms),
        "average_price": fill.price_paise / 100,
        "trade_id": fill.trade_id,
        "order_ref_id": f"SIM{order.order_id}",
        "order_timestamp": timestamp(order.placed_ms),
    }


def gtt_row(gtt: Gtt, state: SimulatedState) -> View:
    """A GTT order in details and in the portfolio stream; its times are epoch microseconds."""
    return {
        "type": gtt.type,
        "exchange": state.instrument.segment,
        "quantity": gtt.quantity,
        "product": gtt.product,
        "trading_symbol": state.instrument.symbol,
        "instrument_token": gtt.instrument_key,
        "gtt_order_id": gtt.gtt_id,
        "created_at": gtt.created_ms * _MICROS_PER_MILLI,
        "expires_at": gtt.expires_ms * _MICROS_PER_MILLI,
        "rules": [
            {
                "strategy": rule.strategy,
                "status": rule.status,
                "message": rule.message or None,
                "trigger_type": rule.trigger_type,
                "trigger_price": rule.trigger_paise / 100,
                "transaction_type": gtt.order_request(rule).side,
                "order_id": rule.order_id,
                "trailing_gap": rule.trailing_gap_paise / 100 or None,
            }
            for rule in gtt.rules
        ],
    }


def average_rupees(paise: int, quantity: int) -> float:
    """The average price of a quantity in rupees; zero if the quantity is zero."""
    return round(paise / quantity / 100, 4) if quantity else 0.0


def timestamp(at_ms: int) -> str:
    """Indian time in Upstox's form, ``YYYY-MM-DD HH:MM:SS``."""
    return f"{datetime.fromtimestamp(at_ms / 1_000, IST):%Y-%m-%d %H:%M:%S}"
