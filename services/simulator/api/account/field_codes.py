"""Upstox's error codes for the fields of account calls, where each call has codes of its own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from services.simulator.errors import ApiError, ErrorCode


@dataclass(frozen=True)
class FieldCodes:
    """The documented codes of one call, by the name of the field."""

    missing: Mapping[str, ErrorCode] = field(default_factory=dict)
    invalid: Mapping[str, ErrorCode] = field(default_factory=dict)


BROKERAGE_CODES: Final = FieldCodes(
    missing={
        "quantity": ErrorCode.MISSING_BROKERAGE_QUANTITY,
        "price": ErrorCode.MISSING_BROKERAGE_PRICE,
        "transaction_type": ErrorCode.MISSING_BROKERAGE_SIDE,
        "product": ErrorCode.MISSING_BROKERAGE_PRODUCT,
        "instrument_token": ErrorCode.MALFORMED_BROKERAGE_KEY,
    },
    invalid={
        "quantity": ErrorCode.ZERO_BROKERAGE_QUANTITY,
        "price": ErrorCode.ZERO_BROKERAGE_PRICE,
    },
)
MARGIN_CODES: Final = FieldCodes(
    missing={
        "quantity": ErrorCode.MISSING_MARGIN_QUANTITY,
        "instrument_key": ErrorCode.MISSING_MARGIN_KEY,
        "product": ErrorCode.MISSING_MARGIN_PRODUCT,
        "transaction_type": ErrorCode.MISSING_MARGIN_SIDE,
    },
    invalid={"quantity": ErrorCode.INVALID_MARGIN_QUANTITY},
)
REPORT_CODES: Final = FieldCodes(
    missing={
        "segment": ErrorCode.MISSING_REPORT_SEGMENT,
        "start_date": ErrorCode.MISSING_START_DATE,
        "end_date": ErrorCode.MISSING_END_DATE,
        "financial_year": ErrorCode.MISSING_FINANCIAL_YEAR,
        "page_number": ErrorCode.MISSING_PAGE_NUMBER,
        "page_size": ErrorCode.MISSING_PAGE_SIZE,
    },
    invalid={
        "segment": ErrorCode.INVALID_REPORT_SEGMENT,
        "financial_year": ErrorCode.INVALID_FINANCIAL_YEAR,
        "from_date": ErrorCode.INVALID_REPORT_DATES,
        "to_date": ErrorCode.INVALID_REPORT_DATES,
    },
)


@contextmanager
def documented(codes: FieldCodes) -> Iterator[None]:
    """Raise the ApiError of a field within the block with the call's own code.

    The code of an instrument key that is well-formed and unknown is kept.
    """
    try:
        yield
    except ApiError as error:
        is_missing = error.value is None or error.value == ""
        code = (codes.missing if is_missing else codes.invalid).get(error.path or "", error.code)
        raise ApiError(code, error.message, path=error.path, value=error.value) from None
