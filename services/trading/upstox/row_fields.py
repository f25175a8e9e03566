"""Checked access to the fields of JSON objects from Upstox.

Every function raises BadRow, and nothing else, for a value that is missing, null, of a wrong type
or out of range. Numbers are exact: a float stands for the shortest decimal that gives this float.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from shared.market.exchange_time import IST

E = TypeVar("E", bound=StrEnum)
Row = Mapping[str, Any]

MAX_TEXT_CHARS: Final = 200
MAX_QUANTITY: Final = 10**9
MAX_RUPEES: Final = Decimal(10**13)
PLACE: Final = Decimal("0.0001")
"""The smallest unit of a price and of a computed amount, a hundredth of a paisa."""

_NOISE: Final = Decimal("0.000001")
_NOTHING: Final = ("", "NA")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MAX_EXCERPT_CHARS: Final = 40
_MAX_DIGITS: Final = 28
"""Of decimal arithmetic: more would be rounded."""
_NUMERIC_TIME: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_NAMED_TIME: Final = re.compile(r"(\d\d)-([A-Z][a-z]{2})-(\d{4}) (\d\d):(\d\d):(\d\d)", re.ASCII)
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_YEARS: Final = range(2000, 2101)


class BadRow(ValueError):
    """A row that is not as documented: `field` and the rule that it breaks."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


def row_object(row: object) -> Row:
    """The row itself, if it is a JSON object."""
    if not isinstance(row, dict):
        raise BadRow("row", f"is not an object but {type(row).__name__}")
    return row


def text(row: Row, field: str) -> str:
    """A text that is neither empty nor too long."""
    found = optional_text(row, field)
    if found is None:
        raise BadRow(field, "is missing")
    return found


def optional_text(row: Row, field: str) -> str | None:
    """A text; None if it is missing, null, empty or "NA"."""
    value = row.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS or not value.isprintable():
        raise BadRow(field, f"is not a text of at most {MAX_TEXT_CHARS} characters")
    value = value.strip()
    return None if value in _NOTHING else value


def identifier(row: Row, field: str) -> str:
    """A text, or an integer that stands for one."""
    value = row.get(field)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**30:
        return str(value)
    return text(row, field)


def words(row: Row, field: str, max_chars: int) -> str:
    """Words for people, cut and without control characters; empty if there are none."""
    value = row.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRow(field, "is not a text")
    return clean_words(value, max_chars)


def clean_words(value: str, max_chars: int) -> str:
    """At most `max_chars` characters, without control characters and lone surrogates."""
    encodable = value[: 4 * max_chars].encode("utf-8", "replace").decode()
    return _CONTROL.sub(" ", encodable).strip()[:max_chars]


def choice(row: Row, field: str, options: type[E]) -> E:
    """A member of an enumeration."""
    value = text(row, field)
    try:
        return options(value)
    except ValueError:
        raise BadRow(field, f"is not known: {_excerpt(value)}") from None


def whole(row: Row, field: str, *, low: int, default: int | None = None) -> int:
    """A whole number from `low` to a thousand million; `default`, if any, for missing and null."""
    if default is not None and row.get(field) is None:
        return default
    number = _number(row, field)
    if not low <= number <= MAX_QUANTITY or number != number.to_integral_value():
        raise BadRow(field, f"is not a whole number from {low} to {MAX_QUANTITY}")
    return int(number)


def price(row: Row, field: str) -> Decimal | None:
    """A price in rupees with at most four places; None if it is missing, null or zero."""
    if row.get(field) is None:
        return None
    number = _number(row, field)
    if not 0 <= number <= MAX_RUPEES:
        raise BadRow(field, "is not a price from 0")
    rounded = number.quantize(PLACE, ROUND_HALF_UP)
    if abs(number - rounded) > _NOISE:
        raise BadRow(field, "has more than four decimal places")
    return plain(rounded) or None


def amount(row: Row, field: str, *, low: Decimal = -MAX_RUPEES) -> Decimal:
    """An amount in rupees, rounded to four places."""
    number = _number(row, field)
    if not low <= number <= MAX_RUPEES:
        raise BadRow(field, f"is not an amount from {low} to {MAX_RUPEES}")
    return rounded_amount(number)


def rounded_amount(number: Decimal) -> Decimal:
    """The amount with at most four places."""
    return plain(number.quantize(PLACE, ROUND_HALF_UP))


def plain(number: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    if number == number.to_integral_value():
        return number.quantize(Decimal(1)) + 0  # never -0
    return number.normalize()


def time_ms(row: Row, field: str) -> int | None:
    """A time of Indian clocks as epoch ms; None if there is none.

    Upstox documents ``2017-08-03 15:03:42`` for orders, and ``03-Aug-2017 15:03:42`` for trades.
    """
    value = optional_text(row, field)
    if value is None:
        return None
    try:
        at = _numeric_time(value) or _named_time(value)
    except ValueError:
        at = None
    if at is None or at.year not in _YEARS:
        raise BadRow(field, f"is not a time: {_excerpt(value)}")
    return round(at.timestamp()) * 1_000


def _numeric_time(value: str) -> datetime | None:
    match = _NUMERIC_TIME.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=IST)


def _named_time(value: str) -> datetime | None:
    match = _NAMED_TIME.fullmatch(value)
    if match is None:
        return None
    day, name, *rest = match.groups()
    year, hour, minute, second = map(int, rest)
    return datetime(year, _MONTHS.index(name) + 1, int(day), hour, minute, second, tzinfo=IST)


def _number(row: Row, field: str) -> Decimal:
    """A finite number of an ordinary size. No other exception, and no huge integer, comes of it."""
    value = row.get(field)
    if value is None:
        raise BadRow(field, "is missing")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise BadRow(field, f"is not a number but {type(value).__name__}")
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    # copy_abs, because abs raises Overflow for a huge exponent.
    is_ordinary = number.is_finite() and number.copy_abs() <= MAX_RUPEES
    if not is_ordinary or len(number.as_tuple().digits) > _MAX_DIGITS:
        raise BadRow(field, "is out of range")
    return number


def _excerpt(value: str) -> str:
    return clean_words(repr(value), _MAX_EXCERPT_CHARS)
