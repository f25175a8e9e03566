"""Errors that the simulator answers with Upstox's codes and messages."""

from enum import StrEnum
from http import HTTPStatus
from typing import Final


class ErrorCode(StrEnum):
    """Upstox's error codes, as far as the simulator uses them."""

    RATE_LIMIT = "UDAPI10005"
    ORDER_NOT_FOUND = "UDAPI100010"
    UNKNOWN_INSTRUMENT_KEY = "UDAPI100011"
    INVALID_CREDENTIALS = "UDAPI100016"
    INVALID_INPUT = "UDAPI100036"
    CANCEL_OF_FINAL_ORDER = "UDAPI100040"
    MODIFY_OF_FINAL_ORDER = "UDAPI100041"
    INVALID_TOKEN = "UDAPI100050"
    INVALID_AUTH_CODE = "UDAPI100057"
    PATH_NOT_FOUND = "UDAPI100060"
    NOT_PERMITTED = "UDAPI100067"
    INVALID_CLIENT = "UDAPI100068"
    FUNDS_SERVICE_CLOSED = "UDAPI100072"
    ORDER_SERVICE_CLOSED = "UDAPI100074"
    INTERNAL_ERROR = "UDAPI100500"
    INVALID_V2_DATE_RANGE = "UDAPI1015"
    INVALID_INTERVAL = "UDAPI1020"
    ZERO_QUANTITY = "UDAPI1052"
    TOO_MANY_ORDERS = "UDAPI1114"
    MISSING_CORRELATION_ID = "UDAPI1115"
    CORRELATION_ID_TOO_LONG = "UDAPI1116"
    DUPLICATE_CORRELATION_ID = "UDAPI1117"
    EMPTY_BATCH = "UDAPI1118"
    TAG_TOO_LONG = "UDAPI1119"
    INVALID_GTT_RULES = "UDAPI1126"
    GTT_NOT_FOUND = "UDAPI1130"
    GTT_FINAL = "UDAPI1131"
    INVALID_CANDLE_UNIT = "UDAPI1146"
    INVALID_CANDLE_INTERVAL = "UDAPI1147"
    INVALID_CANDLE_RANGE = "UDAPI1148"
    UNREGISTERED_IP = "UDAPI1154"
    MARKET_ORDER_BLOCKED = "UDAPI1158"


_STATUS: Final = {
    ErrorCode.RATE_LIMIT: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.ORDER_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.INVALID_CREDENTIALS: HTTPStatus.UNAUTHORIZED,
    ErrorCode.INVALID_TOKEN: HTTPStatus.UNAUTHORIZED,
    ErrorCode.INVALID_AUTH_CODE: HTTPStatus.UNAUTHORIZED,
    ErrorCode.PATH_NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorCode.NOT_PERMITTED: HTTPStatus.FORBIDDEN,
    ErrorCode.FUNDS_SERVICE_CLOSED: HTTPStatus.LOCKED,
    ErrorCode.ORDER_SERVICE_CLOSED: HTTPStatus.LOCKED,
    ErrorCode.INTERNAL_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
    ErrorCode.UNREGISTERED_IP: HTTPStatus.FORBIDDEN,
}
"""HTTP status of each code that is not 400 Bad Request."""


class ApiError(Exception):
    """A request fails, and the client receives Upstox's error envelope.

    An order request that raises it creates no order. An order that the exchange or the risk
    checks refuse does exist: its status is `rejected`, with the reason in `status_message`.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, path: str | None = None, value: object = None
    ) -> None:
        """`path` is the name of the invalid field and `value` its content; None if there is none."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.value = value

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status that Upstox sends with this code."""
        return _STATUS.get(self.code, HTTPStatus.BAD_REQUEST)

    def body(self) -> dict[str, object]:
        """The element of `errors`; Upstox sends each field in camel case and in snake case."""
        return {
            "errorCode": self.code,
            "message": self.message,
            "propertyPath": self.path,
            "invalidValue": self.value,
            "error_code": self.code,
            "property_path": self.path,
            "invalid_value": self.value,
        }
