"""The query parameters of order calls: order id and segment."""

import re
from typing import Final

from services.simulator.api.request_context import RequestContext
from services.simulator.errors import ApiError, ErrorCode

_ORDER_ID: Final = re.compile(r"[-a-zA-Z0-9]+")
_SEGMENTS: Final = frozenset(
    {"NSE_EQ", "BSE_EQ", "NSE_FO", "BSE_FO", "MCX_FO", "NCD_FO", "BCD_FO", "NSE_COM"}
)


def required_order_id(context: RequestContext) -> str:
    """The `order_id`. Raises ApiError: UDAPI1023 if it is missing, UDAPI1010 if malformed."""
    order_id = optional_order_id(context)
    if order_id is None:
        raise ApiError(ErrorCode.MISSING_ORDER_ID, "Order id is required", path="order_id")
    return order_id


def optional_order_id(context: RequestContext) -> str | None:
    """The `order_id`; None if it is missing. Raises ApiError (UDAPI1010) if it is malformed."""
    order_id = context.query("order_id")
    if order_id is not None and not _ORDER_ID.fullmatch(order_id):
        raise ApiError(
            ErrorCode.MALFORMED_ORDER_ID,
            "Order id accepts only alphanumeric characters and '-'",
            path="order_id",
            value=order_id,
        )
    return order_id


def optional_segment(context: RequestContext) -> str | None:
    """The `segment`; None means all. Raises ApiError (UDAPI1108) for an unknown segment."""
    segment = context.query("segment")
    if segment is not None and segment not in _SEGMENTS:
        raise ApiError(
            ErrorCode.INVALID_ORDER_SEGMENT, "Invalid segment", path="segment", value=segment
        )
    return segment
