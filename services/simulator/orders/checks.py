"""What an order must keep to: at the door, and before the exchange.

The circuit is a fifth of the previous close either way for shares; derivatives have none.
"""

from collections.abc import Mapping
from typing import Final

from services.simulator.market.instruments import Kind
from services.simulator.market.state import InstrumentState
from services.simulator.orders.order import OrderRequest, Side, Validity
from services.simulator.orders.refused import (
    INVALID_INPUT,
    MARKET_ORDER_BLOCKED,
    TAG_TOO_LONG,
    UNKNOWN_KEY,
    ZERO_QUANTITY,
    OrderRefused,
)

MAX_TAG: Final = 40
_CIRCUIT_PERCENT: Final = 20
_AUTO_PROTECTION_PERCENT: Final = 3.0
_MAX_PROTECTION_PERCENT: Final = 25.0


def check_request(
    request: OrderRequest, states: Mapping[str, InstrumentState], *, needs_protection: bool
) -> None:
    """Raise OrderRefused for what makes no order at all."""
    state = states.get(request.instrument_key)
    if state is None or state.instrument.is_index:
        raise OrderRefused(
            UNKNOWN_KEY,
            "Invalid Instrument key",
            path="instrument_token",
            value=request.instrument_key,
        )
    if request.quantity <= 0:
        raise OrderRefused(
            ZERO_QUANTITY, "The quantity cannot be zero", path="quantity", value=request.quantity
        )
    if request.tag is not None and len(request.tag) > MAX_TAG:
        raise OrderRefused(
            TAG_TOO_LONG, f"The tag exceeds {MAX_TAG} characters", path="tag", value=request.tag
        )
    if request.order_type.has_limit and request.price_paise <= 0:
        raise OrderRefused(
            INVALID_INPUT, f"{request.order_type} needs a price", path="price", value=0
        )
    if request.order_type.has_trigger and request.trigger_paise <= 0:
        raise OrderRefused(
            INVALID_INPUT,
            f"{request.order_type} needs a trigger price",
            path="trigger_price",
            value=0,
        )
    if not 0 <= request.disclosed_quantity <= request.quantity:
        raise OrderRefused(
            INVALID_INPUT,
            "The disclosed quantity is beyond the quantity",
            path="disclosed_quantity",
            value=request.disclosed_quantity,
        )
    _check_protection(request, needs_protection=needs_protection)


def _check_protection(request: OrderRequest, *, needs_protection: bool) -> None:
    percent = request.protection_percent
    if percent != -1 and not 0 <= percent <= _MAX_PROTECTION_PERCENT:
        raise OrderRefused(
            INVALID_INPUT,
            "market_protection is -1, or from 0 to 25",
            path="market_protection",
            value=percent,
        )
    if needs_protection and not request.order_type.has_limit and percent == 0:
        raise OrderRefused(
            MARKET_ORDER_BLOCKED,
            "Market orders without market protection are blocked",
            path="market_protection",
            value=percent,
        )


def exchange_objection(request: OrderRequest, state: InstrumentState) -> str | None:
    """Why the exchange would reject this order, if it would."""
    instrument = state.instrument
    if request.quantity % instrument.lot_size:
        return f"Quantity is not a multiple of the lot size {instrument.lot_size}"
    if request.quantity > instrument.freeze_quantity:
        return f"Quantity is above the freeze quantity {instrument.freeze_quantity}"
    prices = [request.price_paise] if request.order_type.has_limit else []
    if request.order_type.has_trigger:
        prices.append(request.trigger_paise)
    if any(price % instrument.tick_paise for price in prices):
        return f"Price is not a multiple of the tick size {instrument.tick_paise / 100:.2f}"
    if any(not within_circuit(price, state) for price in prices):
        return "Price is outside the circuit limits"
    return _trigger_objection(request, state) if request.order_type.has_trigger else None


def auction_objection(request: OrderRequest) -> str | None:
    """Why the closing auction would not take this order, if it would not."""
    if request.order_type.has_trigger:
        return "Stop-loss orders are not taken in the closing auction"
    if request.validity is Validity.IOC:
        return "IOC orders are not taken in the closing auction"
    return None


def _trigger_objection(request: OrderRequest, state: InstrumentState) -> str | None:
    sign = request.side.sign
    above = "above" if request.side is Side.BUY else "below"
    if sign * request.trigger_paise <= sign * state.ltp_paise:
        return f"Trigger price of a stop-loss {request.side} must be {above} the last price"
    limited = request.order_type.has_limit
    if limited and sign * request.price_paise < sign * request.trigger_paise:
        return f"Price of a stop-loss {request.side} must be {above} its trigger price"
    return None


def circuit(state: InstrumentState) -> tuple[int, int] | None:
    """The lowest and the highest price of the day (paise), if the instrument has them."""
    if state.instrument.kind is not Kind.EQUITY:
        return None
    band = state.close_paise * _CIRCUIT_PERCENT // 100
    return state.close_paise - band, state.close_paise + band


def within_circuit(price_paise: int, state: InstrumentState) -> bool:
    """Whether this price may be traded today."""
    limits = circuit(state)
    return limits is None or limits[0] <= price_paise <= limits[1]


def worst_price(request: OrderRequest, state: InstrumentState) -> int:
    """The worst price (paise) that a working order takes; 0 is any."""
    if request.order_type.has_limit:
        return request.price_paise
    percent = request.protection_percent
    if percent == 0:
        return 0
    share = (_AUTO_PROTECTION_PERCENT if percent == -1 else percent) / 100
    price = round(state.ltp_paise * (1 + request.side.sign * share))
    tick = state.instrument.tick_paise
    return price - price % tick
