"""How many instruments one connection may listen to, by Upstox's mode and plan.

PURE. Source: Upstox's documentation of the market-data feed V3, "limits"; a mode has one
limit when it is the only one in use and a lower one beside others. Order books of 30
levels need the Plus plan.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

PlanName = Literal["basic", "plus"]


class Mode(StrEnum):
    """How much Upstox sends of an instrument."""

    LTPC = "ltpc"
    OPTION_GREEKS = "option_greeks"
    FULL = "full"
    """Volume, five levels of the book, candles: what quotes are made of."""
    FULL_D30 = "full_d30"
    """The same with thirty levels."""


@dataclass(frozen=True, slots=True)
class ModeLimits:
    """Of the two modes that we use."""

    full_alone: int
    full_mixed: int
    deep: int
    """Of `full_d30`, whatever else is in use."""


LIMITS: Final[dict[PlanName, ModeLimits]] = {
    "basic": ModeLimits(full_alone=2_000, full_mixed=1_500, deep=0),
    "plus": ModeLimits(full_alone=2_000, full_mixed=1_500, deep=50),
}
