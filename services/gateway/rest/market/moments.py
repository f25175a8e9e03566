"""Parses points in time in query parameters."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema

from shared.contracts.history import MAX_TIME_MS
from shared.market.exchange_time import IST

_PATTERN: Final = (
    r"^([0-9]{1,15}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)$"
)
_MOMENT: Final = re.compile(_PATTERN)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RULE: Final = (
    "must be Unix milliseconds (1795408200000), a date (2026-11-23, from 00:00 IST on), "
    "or a time with its offset (2026-11-23T09:15:00+05:30), from 1970 to 9999"
)


def moment_ms(text: object) -> int:
    """A point in time as Unix milliseconds.

    `text` is Unix milliseconds, a date, or a time with its offset. Raises ValueError, with the
    accepted notations as its text.
    """
    # An unescaped `+` in a query string is decoded to a space.
    unescaped = str(text).replace(" ", "+")
    if _MOMENT.fullmatch(unescaped) is None:
        raise ValueError(_RULE)
    at_ms = int(unescaped) if unescaped.isdigit() else _iso_ms(unescaped)
    if not 0 <= at_ms <= MAX_TIME_MS:
        raise ValueError(_RULE)
    return at_ms


def _iso_ms(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo is not None else at.replace(tzinfo=IST)
        return (at - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise ValueError(_RULE) from None


Moment = Annotated[
    int, BeforeValidator(moment_ms), WithJsonSchema({"type": "string", "pattern": _PATTERN})
]
"""A point in time as a query parameter."""
