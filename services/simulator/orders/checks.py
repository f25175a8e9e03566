"""Validation of orders: by the order service, by the exchange, by the closing auction."""

from collections.abc import Mapping
from typing import Final

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.circuit_limits import is_within_circuit
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import OrderRequest, Side, Validity

MAX_TAG: Final = 40
_AUTO_PROTECTION_PERCENT: Final = 3.0
_MAX_PROTECTION_PERCENT: Final = 25.0


def check_request(
    request: OrderRequest, states: Mapping[str, SimulatedState], *, needs_protection: bool
) -> None:
    """Raise ApiError if the order service refuses the request, so that no order exists.

    With `needs_protection` a market order without market protection is refused.
    """
    state = states.get(request.instrument_key)
    if state is None or state.instrument.is_index:
        raise ApiError(
            ErrorCode.UNKNOWN_INSTRUMENT_KEY,
            "Invalid Instrument key",
            path="instrument_token",
            value=request.instrument_key,
        )
    if request.quantity <= 0:
        raise ApiError(
            ErrorCode.ZERO_QUANTITY,
            "The quantity cannot be zero",
            path="quantity",
            value=request.quantity,
        )
    if request.tag is not None and len(request.tag) > MAX_TAG:
        raise ApiError(
            ErrorCode.TAG_TOO_LONG,
            f"The tag exceeds {MAX_TAG} characters",
            path="tag",
            value=request.tag,
        )
    _check_prices(request)
    if not 0 <= request.disclosed_quantity <= request.quantity:
        message = "The disclosed quantity is beyond the quantity"
        raise _invalid("disclosed_quantity", message, request.disclosed_quantity)
    _check_protection(request, needs_protection=needs_protection)


def exchange_rejection(request: OrderRequest, state: SimulatedState) -> str | None:
    """Why the exchange rejects this order; None if it accepts the order."""
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
    if any(not is_within_circuit(price, state) for price in prices):
        return "Price is outside the circuit limits"
    return _trigger_rejection(request, state) if request.order_type.has_trigger else None


def auction_rejection(request: OrderRequest) -> str | None:
    """Why the closing auction rejects this order; None if it accepts the order."""
    if request.order_type.has_trigger:
        return "Stop-loss orders are not taken in the closing auction"
    if request.validity is Validity.IOC:
        return "IOC orders are not taken in the closing auction"
    return None


def limit_paise(request: OrderRequest, state: SimulatedState) -> int:
    """The worst price at which a working order may trade; 0 means any price.

    For a market order it follows from the last price and the market protection.
    """
    if request.order_type.has_limit:
        return request.price_paise
    percent = request.protection_percent
    if percent == 0:
        return 0
    share = (_AUTO_PROTECTION_PERCENT if percent == -1 else percent) / 100
    price = round(state.ltp_paise * (1 + request.side.sign * share))
    tick = state.instrument.tick_paise
    return price - price % tick


def _check_prices(request: OrderRequest) -> None:
    order_type = request.order_type
    if order_type.has_limit and request.price_paise <= 0:
        raise ApiError(
            ErrorCode.MISSING_PRICE, f"{order_type} needs a price", path="price", value=0
        )
    if not order_type.has_limit and request.price_paise:
        raise ApiError(
            ErrorCode.PRICE_NOT_REQUIRED,
            "Price not required",
            path="price",
            value=request.price_paise / 100,
        )
    if order_type.has_trigger and request.trigger_paise <= 0:
        raise ApiError(
            ErrorCode.MISSING_TRIGGER_PRICE,
            f"{order_type} needs a trigger price",
            path="trigger_price",
            value=0,
        )


def _check_protection(request: OrderRequest, *, needs_protection: bool) -> None:
    percent = request.protection_percent
    if percent != -1 and not 0 <= percent <= _MAX_PROTECTION_PERCENT:
        raise _invalid("market_protection", "market_protection is -1, or from 0 to 25", percent)
    if needs_protection and not request.order_type.has_limit and percent == 0:
        raise ApiError(
            ErrorCode.MARKET_ORDER_BLOCKED,
            "Market orders without market protection are blocked",
            path="market_protection",
            value=percent,
        )


def _trigger_rejection(request: OrderRequest, state: SimulatedState) -> str | None:
    sign = request.side.sign
    above = "above" if request.side is Side.BUY else "below"
    if sign * request.trigger_paise <= sign * state.ltp_paise:
        return f"Trigger price of a stop-loss {request.side} must be {above} the last price"
    has_limit = request.order_type.has_limit
    if has_limit and sign * request.price_paise < sign * request.trigger_paise:
        return f"Price of a stop-loss {request.side} must be {above} its trigger price"
    return None


def _invalid(path: str, message: str, value: object) -> ApiError:
    return ApiError(ErrorCode.INVALID_INPUT, message, path=path, value=value)
