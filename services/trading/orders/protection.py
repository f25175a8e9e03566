"""The market protection: how far from its reference price a market order may trade.

A MARKET order becomes a limit order at LTP x (1 +- p), an SL-M order at trigger x (1 +- p).
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from shared.contracts.order_terms import Side

MAX_PROTECTION_PERCENT: Final = Decimal(10)
"""The greatest protection that a user may set."""

_HUNDRED: Final = Decimal(100)
_Steps = tuple[tuple[Decimal, Decimal], ...]
# (reference price below, percent). Upstox publishes those of options up to 10 rupees only.
_SHARES_AND_FUTURES: Final[_Steps] = (
    (Decimal(50), Decimal(3)),
    (Decimal(500), Decimal(2)),
    (Decimal(10_000), Decimal(1)),
    (Decimal("Infinity"), Decimal("0.5")),
)
_OPTIONS: Final[_Steps] = (
    (Decimal(5), Decimal(15)),
    (Decimal(10), Decimal(10)),
    (Decimal("Infinity"), Decimal(5)),
)


def automatic_protection_percent(reference: Decimal, *, is_option: bool) -> Decimal:
    """The protection of an order that sets none, by its reference price in rupees."""
    steps = _OPTIONS if is_option else _SHARES_AND_FUTURES
    return next(percent for below, percent in steps if reference < below)


def protected_price(side: Side, reference: Decimal, percent: Decimal, tick: Decimal) -> Decimal:
    """The worst price of the order: on a tick, and not beyond the protection."""
    sign = 1 if side is Side.BUY else -1
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    price = reference * (_HUNDRED + sign * percent) / _HUNDRED
    return (price / tick).quantize(Decimal(1), rounding) * tick
