"""Exact amounts of money in bodies and responses."""

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,4})?$"
_AMOUNT: Final = re.compile(_PATTERN)
_LIMIT: Final = Decimal(10) ** 12
_SMALLEST_EXPONENT: Final = -4
_RULE: Final = (
    'must be a JSON string or number such as "100.05", not negative, with at most 12 digits before '
    "the point and 4 after it"
)


def exact_amount(value: object) -> Decimal:
    """The amount that a client sent, digit by digit. Raises ValueError with the rule.

    A float is refused: the body's parser must leave numbers exact.
    """
    match value:
        case str() if _AMOUNT.fullmatch(value):
            return Decimal(value)
        case int() if not isinstance(value, bool):
            amount = Decimal(value)
        case Decimal():
            amount = value
        case _:
            raise ValueError(_RULE)
    if not amount.is_finite() or amount.is_signed() or amount >= _LIMIT:
        raise ValueError(_RULE)
    return _without_exponent(amount)


def _without_exponent(amount: Decimal) -> Decimal:
    """The same number in plain digits: ``1E+2`` becomes ``100``."""
    if not amount:
        return Decimal(0)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _SMALLEST_EXPONENT:
        raise ValueError(_RULE)
    return amount if exponent <= 0 else Decimal(int(amount))


Amount = Annotated[
    Decimal,
    BeforeValidator(exact_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _PATTERN},
                {"type": "number", "minimum": 0, "exclusiveMaximum": int(_LIMIT)},
            ]
        }
    ),
]
"""An amount in a body, in rupees or percent."""

Money = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
"""An exact amount in a response: a decimal string, in rupees."""
