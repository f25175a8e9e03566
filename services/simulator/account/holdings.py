"""Holdings: the shares in a user's demat account, a few of them from the start."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.simulator.market.state import InstrumentState

_SEEDED: Final = (
    ("NSE_EQ|INE002A01018", 50, 95),
    ("NSE_EQ|INE040A01034", 120, 102),
    ("NSE_EQ|INE467B01029", 20, 98),
)
"""Key, quantity, and what was paid as per cent of the base price."""


@dataclass(slots=True)
class Holding:
    """Shares of one company; value in paise."""

    instrument_key: str
    quantity: int
    paid_paise: int
    t1_quantity: int = 0
    """Bought on the day before and not yet delivered."""
    used_quantity: int = 0
    """Sold today, so no longer free."""

    @property
    def free_quantity(self) -> int:
        """What may be sold."""
        return self.quantity + self.t1_quantity - self.used_quantity

    @property
    def average_paise(self) -> int:
        """Paid per share."""
        whole = self.quantity + self.t1_quantity
        return self.paid_paise // whole if whole else 0


def seeded(states: Mapping[str, InstrumentState]) -> dict[str, Holding]:
    """What every account begins with, as far as the market has these shares."""
    return {
        key: Holding(key, quantity, quantity * states[key].instrument.base_paise * percent // 100)
        for key, quantity, percent in _SEEDED
        if key in states
    }


def settle(holdings: dict[str, Holding], bought: Iterable[tuple[str, int, int]]) -> None:
    """End of the day: deliver, take away what was sold, add (key, quantity, paise) bought."""
    for holding in list(holdings.values()):
        average_paise = holding.average_paise
        holding.quantity = holding.free_quantity
        holding.t1_quantity = holding.used_quantity = 0
        holding.paid_paise = average_paise * holding.quantity
        if holding.quantity == 0:
            del holdings[holding.instrument_key]
    for key, quantity, paise in bought:
        holding = holdings.setdefault(key, Holding(key, 0, 0))
        holding.t1_quantity += quantity
        holding.paid_paise += paise
