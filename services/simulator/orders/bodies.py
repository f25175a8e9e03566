"""Bodies of order calls, read field by field as Upstox names them.

PURE. Whatever is missing or of the wrong sort is refused by its name.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity
from services.simulator.orders.order_manager import Change
from services.simulator.orders.refused import INVALID_INPUT, OrderRefused

E = TypeVar("E", bound=StrEnum)
Body = Mapping[str, Any]
_MOST: Final = (1 << 31) - 1
MAX_SLICES: Final = 25


def place_request(body: Body) -> OrderRequest:
    """The order that a place call asks for; v2 and v3 differ only in what v3 may add."""
    tag = body.get("tag")
    if tag is not None and not isinstance(tag, str):
        raise wrong("tag", tag)
    return OrderRequest(
        instrument_key=text(body, "instrument_token"),
        side=choice(body, "transaction_type", Side),
        quantity=whole(body, "quantity"),
        product=choice(body, "product", Product),
        order_type=choice(body, "order_type", OrderType),
        validity=choice(body, "validity", Validity),
        price_paise=paise(body, "price"),
        trigger_paise=paise(body, "trigger_price"),
        disclosed_quantity=whole(body, "disclosed_quantity"),
        tag=tag or None,
        protection_percent=protection(body, 0.0),
    )


def is_sliced(body: Body) -> bool:
    """Whether the order may be cut by the freeze quantity."""
    sliced = body.get("slice") or False
    if not isinstance(sliced, bool):
        raise wrong("slice", sliced)
    return sliced


def modification(body: Body) -> tuple[str, Change]:
    """The order's id, and what a modify call makes of its request."""
    order_type = choice(body, "order_type", OrderType)
    validity = choice(body, "validity", Validity)
    price_paise, trigger_paise = paise(body, "price"), paise(body, "trigger_price")
    quantity = whole(body, "quantity") if body.get("quantity") is not None else None
    disclosed = body.get("disclosed_quantity")
    if disclosed is not None:
        disclosed = whole(body, "disclosed_quantity")

    def change(request: OrderRequest) -> OrderRequest:
        return replace(
            request,
            order_type=order_type,
            validity=validity,
            price_paise=price_paise,
            trigger_paise=trigger_paise,
            quantity=request.quantity if quantity is None else quantity,
            disclosed_quantity=request.disclosed_quantity if disclosed is None else disclosed,
            protection_percent=protection(body, request.protection_percent),
        )

    return text(body, "order_id"), change


def sliced(request: OrderRequest, freeze_quantity: int, lot_size: int) -> list[OrderRequest]:
    """The request cut into orders below the freeze quantity, the last one smaller.

    Raises OrderRefused if they are too many.
    """
    most = max(freeze_quantity - freeze_quantity % lot_size, lot_size)
    if request.quantity > most * MAX_SLICES:
        raise OrderRefused(
            INVALID_INPUT,
            f"The quantity makes more than {MAX_SLICES} slices",
            path="quantity",
            value=request.quantity,
        )
    full, rest = divmod(request.quantity, most)
    quantities = [most] * full + ([rest] if rest else [])
    return [replace(request, quantity=quantity, disclosed_quantity=0) for quantity in quantities]


def text(body: Body, field: str) -> str:
    """A string that is not empty."""
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise wrong(field, value)
    return value


def whole(body: Body, field: str) -> int:
    """An integer; JSON's 5.0 is one as well."""
    value = body.get(field)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _MOST:
        raise wrong(field, value)
    return value


def paise(body: Body, field: str) -> int:
    """Rupees as paise; a part of a paisa is no price."""
    value = body.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(field, value)
    exact = value * 100
    if not 0 <= exact < 1 << 53 or abs(exact - round(exact)) > 1e-4:
        raise wrong(field, value)
    return round(exact)


def protection(body: Body, default: float) -> float:
    """The per cent of `market_protection`, or `default` if it is not there."""
    value = body.get("market_protection")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1 <= value <= 100:
        raise wrong("market_protection", value)
    return float(value)


def choice(body: Body, field: str, names: type[E]) -> E:
    """One of the names of `names`."""
    value = body.get(field)
    try:
        return names(str(value))
    except ValueError:
        raise wrong(field, value) from None


def wrong(field: str, value: object) -> OrderRefused:
    """The refusal of a field, to be raised."""
    return OrderRefused(INVALID_INPUT, f"The {field} is invalid", path=field, value=value)
