"""Parses the bodies of order requests.

A field that is missing or invalid raises ApiError (UDAPI100036) with the name of the field.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity
from services.simulator.orders.order_manager import Modification

E = TypeVar("E", bound=StrEnum)
Body = Mapping[str, Any]
_MAX_INTEGER: Final = (1 << 31) - 1
MAX_SLICES: Final = 25


def place_request(body: Body) -> OrderRequest:
    """The order of a place request; v3 differs from v2 only by its optional fields."""
    tag = body.get("tag")
    if tag is not None and not isinstance(tag, str):
        raise invalid_field("tag", tag)
    return OrderRequest(
        instrument_key=text(body, "instrument_token"),
        side=choice(body, "transaction_type", Side),
        quantity=integer(body, "quantity"),
        product=choice(body, "product", Product),
        order_type=choice(body, "order_type", OrderType),
        validity=choice(body, "validity", Validity),
        price_paise=paise(body, "price"),
        trigger_paise=paise(body, "trigger_price"),
        disclosed_quantity=integer(body, "disclosed_quantity"),
        tag=tag or None,
        protection_percent=protection_percent(body, 0.0),
    )


def is_sliced(body: Body) -> bool:
    """Whether the order may be split at the freeze quantity."""
    value = body.get("slice") or False
    if not isinstance(value, bool):
        raise invalid_field("slice", value)
    return value


def modification(body: Body) -> tuple[str, Modification]:
    """The order id of a modify request, and the modification of the order's request."""
    order_type = choice(body, "order_type", OrderType)
    validity = choice(body, "validity", Validity)
    price_paise, trigger_paise = paise(body, "price"), paise(body, "trigger_price")
    quantity = integer(body, "quantity") if body.get("quantity") is not None else None
    disclosed = body.get("disclosed_quantity")
    if disclosed is not None:
        disclosed = integer(body, "disclosed_quantity")

    def modify(request: OrderRequest) -> OrderRequest:
        return replace(
            request,
            order_type=order_type,
            validity=validity,
            price_paise=price_paise,
            trigger_paise=trigger_paise,
            quantity=request.quantity if quantity is None else quantity,
            disclosed_quantity=request.disclosed_quantity if disclosed is None else disclosed,
            protection_percent=protection_percent(body, request.protection_percent),
        )

    return text(body, "order_id"), modify


def slices(request: OrderRequest, freeze_quantity: int, lot_size: int) -> list[OrderRequest]:
    """The request split into orders up to the freeze quantity; the last may be smaller.

    Raises ApiError if there are more than 25.
    """
    max_quantity = max(freeze_quantity - freeze_quantity % lot_size, lot_size)
    if request.quantity > max_quantity * MAX_SLICES:
        raise ApiError(
            ErrorCode.INVALID_INPUT,
            f"The quantity makes more than {MAX_SLICES} slices",
            path="quantity",
            value=request.quantity,
        )
    full, rest = divmod(request.quantity, max_quantity)
    quantities = [max_quantity] * full + ([rest] if rest else [])
    return [replace(request, quantity=quantity, disclosed_quantity=0) for quantity in quantities]


def text(body: Body, field: str) -> str:
    """A string that is not empty."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise invalid_field(field, value)
    return value


def integer(body: Body, field: str) -> int:
    """An integer; a float without a fraction, such as 5.0, is accepted."""
    value = body.get(field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MAX_INTEGER:
        raise invalid_field(field, value)
    return value


def paise(body: Body, field: str) -> int:
    """A price in rupees, converted to paise; a fraction of a paisa is invalid."""
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid_field(field, value)
    exact = value * 100
    if not 0 <= exact < 1 << 53 or abs(exact - round(exact)) > 1e-4:
        raise invalid_field(field, value)
    return round(exact)


def protection_percent(body: Body, default: float) -> float:
    """The percentage of `market_protection`; `default` if the field is missing."""
    value = body.get("market_protection")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 100:
        raise invalid_field("market_protection", value)
    return float(value)


def choice(body: Body, field: str, options: type[E]) -> E:
    """A member of the enumeration `options`."""
    value = body.get(field)
    try:
        return options(str(value))
    except ValueError:
        raise invalid_field(field, value) from None


def invalid_field(field: str, value: object) -> ApiError:
    """The error of an invalid field, to be raised."""
    return ApiError(ErrorCode.INVALID_INPUT, f"The {field} is invalid", path=field, value=value)
