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
    TOO_MANY_QUOTE_KEYS = "UDAPI100042"
    TOO_MANY_INSTRUMENT_KEYS = "UDAPI100043"
    INVALID_TOKEN = "UDAPI100050"
    INVALID_AUTH_CODE = "UDAPI100057"
    MISSING_ORDER_ID_AND_TAG = "UDAPI100059"
    PATH_NOT_FOUND = "UDAPI100060"
    NOT_PERMITTED = "UDAPI100067"
    INVALID_CLIENT = "UDAPI100068"
    FUNDS_SERVICE_CLOSED = "UDAPI100072"
    ORDER_SERVICE_CLOSED = "UDAPI100074"
    TOO_MANY_GREEKS_KEYS = "UDAPI100076"
    INTERNAL_ERROR = "UDAPI100500"
    MISSING_MODIFIED_ORDER_ID = "UDAPI1003"
    MISSING_ORDER_TYPE = "UDAPI1004"
    MISSING_VALIDITY = "UDAPI1007"
    MISSING_PRICE = "UDAPI1008"
    MISSING_INSTRUMENT_KEYS = "UDAPI1009"
    MALFORMED_ORDER_ID = "UDAPI1010"
    MALFORMED_INSTRUMENT_KEYS = "UDAPI1011"
    INVALID_DATE_RANGE = "UDAPI1015"
    INVALID_V2_CANDLE_INTERVAL = "UDAPI1020"
    MALFORMED_INSTRUMENT_KEY = "UDAPI1021"
    MISSING_ORDER_ID = "UDAPI1023"
    MISSING_INSTRUMENT_TOKEN = "UDAPI1026"
    MISSING_QUOTE_INTERVAL = "UDAPI1027"
    INVALID_QUOTE_INTERVAL = "UDAPI1028"
    MISSING_TRIGGER_PRICE = "UDAPI1036"
    PRICE_NOT_REQUIRED = "UDAPI1040"
    ZERO_QUANTITY = "UDAPI1052"
    INVALID_PRODUCT = "UDAPI1054"
    INVALID_VALIDITY = "UDAPI1055"
    INVALID_ORDER_TYPE = "UDAPI1056"
    INVALID_TRANSACTION_TYPE = "UDAPI1057"
    MALFORMED_BROKERAGE_KEY = "UDAPI1059"
    MISSING_BROKERAGE_QUANTITY = "UDAPI1060"
    MISSING_BROKERAGE_PRICE = "UDAPI1061"
    MISSING_BROKERAGE_SIDE = "UDAPI1062"
    MISSING_BROKERAGE_PRODUCT = "UDAPI1063"
    ZERO_BROKERAGE_QUANTITY = "UDAPI1064"
    ZERO_BROKERAGE_PRICE = "UDAPI1065"
    INVALID_REPORT_SEGMENT = "UDAPI1066"
    MISSING_REPORT_SEGMENT = "UDAPI1067"
    MISSING_START_DATE = "UDAPI1068"
    MISSING_END_DATE = "UDAPI1069"
    MISSING_FINANCIAL_YEAR = "UDAPI1070"
    MISSING_PAGE_NUMBER = "UDAPI1071"
    MISSING_PAGE_SIZE = "UDAPI1072"
    INVALID_FINANCIAL_YEAR = "UDAPI1074"
    INVALID_REPORT_DATES = "UDAPI1075"
    INVALID_INSTRUMENT_KEYS = "UDAPI1087"
    INVALID_DATE = "UDAPI1088"
    INVALID_MARGIN_QUANTITY = "UDAPI1096"
    MISSING_MARGIN_QUANTITY = "UDAPI1097"
    MISSING_MARGIN_KEY = "UDAPI1099"
    MISSING_MARGIN_PRODUCT = "UDAPI1100"
    MISSING_MARGIN_SIDE = "UDAPI1101"
    TOO_MANY_MARGIN_ORDERS = "UDAPI1102"
    MARGIN_QUANTITY_NOT_IN_LOTS = "UDAPI1104"
    PAGE_TOO_SMALL = "UDAPI1106"
    PAGE_TOO_LARGE = "UDAPI1107"
    INVALID_ORDER_SEGMENT = "UDAPI1108"
    NO_OPEN_ORDER = "UDAPI1109"
    NO_OPEN_POSITION = "UDAPI1111"
    POSITION_SEGMENT_CLOSED = "UDAPI1113"
    EMPTY_BATCH = "UDAPI1114"
    MISSING_CORRELATION_ID = "UDAPI1115"
    CORRELATION_ID_TOO_LONG = "UDAPI1116"
    DUPLICATE_CORRELATION_ID = "UDAPI1117"
    TOO_MANY_ORDERS = "UDAPI1118"
    TAG_TOO_LONG = "UDAPI1119"
    INVALID_GTT_RULES = "UDAPI1126"
    GTT_NOT_FOUND = "UDAPI1130"
    GTT_FINAL = "UDAPI1131"
    SINGLE_NEEDS_ONE_RULE = "UDAPI1136"
    MULTIPLE_NEEDS_RULES = "UDAPI1137"
    ENTRY_IS_MANDATORY = "UDAPI1141"
    EXIT_NEEDS_IMMEDIATE = "UDAPI1143"
    INVALID_CANDLE_UNIT = "UDAPI1146"
    INVALID_CANDLE_INTERVAL = "UDAPI1147"
    INVALID_CANDLE_RANGE = "UDAPI1148"
    UNREGISTERED_IP = "UDAPI1154"
    MARKET_ORDER_BLOCKED = "UDAPI1158"


_STATUS: Final[dict[str, HTTPStatus]] = {
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
        self, code: str, message: str, *, path: str | None = None, value: object = None
    ) -> None:
        """`code` is an ErrorCode, except by a fault.

        `path` is the name of the invalid field and `value` its content; None if there is none.
        """
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
