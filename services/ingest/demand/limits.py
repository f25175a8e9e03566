"""Limits of one feed connection: instruments by subscription mode and account plan.

PURE. Source: Upstox's documentation of the market-data feed V3, section "limits". A mode
has one limit while it is the only mode in use, and a lower limit beside other modes.
Order books of 30 levels need the Plus plan.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from shared.contracts.demand import ModeUse

AccountPlan = Literal["basic", "plus"]


class Mode(StrEnum):
    """How much data Upstox sends of an instrument. The values are Upstox's names."""

    LTPC = "ltpc"
    OPTION_GREEKS = "option_greeks"
    FULL = "full"
    """All fields of a quote, candles, and five levels of the order book."""
    FULL_D30 = "full_d30"
    """The same with 30 levels."""


@dataclass(frozen=True, slots=True)
class ModeLimits:
    """The highest number of instruments in the modes that ingest uses."""

    full_alone: int
    """In mode `full`, with no other mode in use."""
    full_mixed: int
    """In mode `full`, if another mode is used too."""
    full_d30: int
    """In mode `full_d30`, with or without other modes."""
    option_greeks: int = 2_000
    """In mode `option_greeks`, if another mode is used too."""


LIMITS: Final[dict[AccountPlan, ModeLimits]] = {
    "basic": ModeLimits(full_alone=2_000, full_mixed=1_500, full_d30=0),
    "plus": ModeLimits(full_alone=2_000, full_mixed=1_500, full_d30=50),
}


def use_of(modes: Collection[Mode], limits: ModeLimits) -> dict[str, ModeUse]:
    """How much of each available mode subscriptions in `modes` use, by Upstox's name."""
    is_mixed = any(mode is not Mode.FULL for mode in modes)
    limit_of = {
        Mode.FULL: limits.full_mixed if is_mixed else limits.full_alone,
        Mode.FULL_D30: limits.full_d30,
        Mode.OPTION_GREEKS: limits.option_greeks,
    }
    return {
        mode.value: ModeUse(sum(one is mode for one in modes), limit)
        for mode, limit in limit_of.items()
        if limit
    }
