"""Why an order request is refused at the door, by Upstox's codes.

A refusal makes no order. What the exchange or the risk order_manager would object to makes an
order that is `rejected`, with the reason in its `status_message`.
"""

from typing import Final

NO_SUCH_ORDER: Final = "UDAPI100010"
UNKNOWN_KEY: Final = "UDAPI100011"
INVALID_INPUT: Final = "UDAPI100036"
CANCEL_OF_FINAL: Final = "UDAPI100040"
MODIFY_OF_FINAL: Final = "UDAPI100041"
SERVICE_HOURS_FUNDS: Final = "UDAPI100072"
SERVICE_HOURS: Final = "UDAPI100074"
ZERO_QUANTITY: Final = "UDAPI1052"
TOO_MANY_ORDERS: Final = "UDAPI1114"
NO_CORRELATION_ID: Final = "UDAPI1115"
LONG_CORRELATION_ID: Final = "UDAPI1116"
SAME_CORRELATION_ID: Final = "UDAPI1117"
EMPTY_BATCH: Final = "UDAPI1118"
TAG_TOO_LONG: Final = "UDAPI1119"
GTT_RULES: Final = "UDAPI1126"
GTT_NOT_FOUND: Final = "UDAPI1130"
GTT_FINAL: Final = "UDAPI1131"
STATIC_IP: Final = "UDAPI1154"
MARKET_ORDER_BLOCKED: Final = "UDAPI1158"


class OrderRefused(Exception):
    """A request that makes no order; `path` names the field at fault."""

    def __init__(
        self, code: str, message: str, *, path: str | None = None, value: object = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.value = value
