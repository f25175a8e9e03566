"""Parses the bodies of order requests.

Numbers and booleans may be written as strings (``"quantity": "1"``, ``"slice": "false"``), as
third-party programs send them to Upstox. A field that is missing or invalid raises ApiError with
the name of the field, and with Upstox's code for it: UDAPI100036 unless one is documented.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity
from services.simulator.orders.order_manager import Modification

E = TypeVar("E", bound=StrEnum)
Body = Mapping[str, Any]
_MAX_INTEGER: Final = (1 << 31) - 1
_MAX_PAISE: Final = (1 << 53) - 1
_MAX_ROUNDING_PAISE: Final = Decimal("0.0001")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,20})?")
MAX_SLICES: Final = 25
_MISSING: Final = {
    "instrument_token": ErrorCode.MISSING_INSTRUMENT_TOKEN,
    "order_id": ErrorCode.MISSING_MODIFIED_ORDER_ID,
    "order_type": ErrorCode.MISSING_ORDER_TYPE,
    "price": ErrorCode.MISSING_PRICE,
    "trigger_price": ErrorCode.MISSING_TRIGGER_PRICE,
    "validity": ErrorCode.MISSING_VALIDITY,
}
"""The codes of fields that are missing, null or empty."""
_INVALID: Final = {
    "order_type": ErrorCode.INVALID_ORDER_TYPE,
    "product": ErrorCode.INVALID_PRODUCT,
    "transaction_type": ErrorCode.INVALID_TRANSACTION_TYPE,
    "validity": ErrorCode.INVALID_VALIDITY,
}
"""The codes of fields with an invalid value."""


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
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), value)
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
    """An integer, also as a string; a number without a fraction, such as 5.0, is accepted."""
    value = _number(body, field)
    if abs(value) > _MAX_INTEGER or value != int(value):
        raise invalid_field(field, body[field])
    return int(value)


def paise(body: Body, field: str) -> int:
    """A price in rupees, converted to paise; a fraction of a paisa is invalid.

    The rounding error of a computed price, such as 1310.3000000000002, is accepted.
    """
    exact = _number(body, field) * 100
    if not 0 <= exact <= _MAX_PAISE or abs(exact - round(exact)) > _MAX_ROUNDING_PAISE:
        raise invalid_field(field, body[field])
    return round(exact)


def protection_percent(body: Body, default: float) -> float:
    """The percentage of `market_protection`; `default` if the field is missing."""
    if body.get("market_protection") is None:
        return default
    value = _number(body, "market_protection")
    if not -1 <= value <= 100:
        raise invalid_field("market_protection", body["market_protection"])
    return float(value)


def _number(body: Body, field: str) -> Decimal:
    """A finite number, exact as it was written. Raises ApiError."""
    value = body.get(field)
    if isinstance(value, str):
        text = value
    elif isinstance(value, float) and abs(value) < _MAX_PAISE:  # NaN is not
        text = f"{Decimal(repr(value)):f}"  # without an exponent
    else:
        text = repr(value)
    if not _NUMBER.fullmatch(text):
        raise invalid_field(field, value)
    return Decimal(text)


def choice(body: Body, field: str, options: type[E]) -> E:
    """A member of the enumeration `options`."""
    value = body.get(field)
    try:
        return options(str(value))
    except ValueError:
        raise invalid_field(field, value) from None


def invalid_field(field: str, value: object) -> ApiError:
    """The error of a missing or an invalid field, to be raised."""
    if value is None or value == "":
        code = _MISSING.get(field, ErrorCode.INVALID_INPUT)
        return ApiError(code, f"The {field} is required", path=field, value=value)
    code = _INVALID.get(field, ErrorCode.INVALID_INPUT)
    return ApiError(code, f"The {field} is invalid", path=field, value=value)
