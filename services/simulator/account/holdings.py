"""Holdings: the shares in a user's demat account."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.simulator.market.state import SimulatedState

_INITIAL: Final = (
    ("NSE_EQ|INE002A01018", 50, 95),
    ("NSE_EQ|INE040A01034", 120, 102),
    ("NSE_EQ|INE467B01029", 20, 98),
)
"""Key, quantity, and price paid in per cent of the base price."""


@dataclass(slots=True)
class Holding:
    """Shares of one company; amounts in paise."""

    instrument_key: str
    quantity: int
    paid_paise: int
    t1_quantity: int = 0
    """Bought on the day before and not yet delivered."""
    used_quantity: int = 0
    """Sold today."""

    @property
    def free_quantity(self) -> int:
        """The quantity that may be sold."""
        return self.quantity + self.t1_quantity - self.used_quantity

    @property
    def average_paise(self) -> int:
        """The price paid per share; zero without shares."""
        total = self.quantity + self.t1_quantity
        return self.paid_paise // total if total else 0


def initial_holdings(states: Mapping[str, SimulatedState]) -> dict[str, Holding]:
    """The holdings of a new account, restricted to the shares of this market."""
    return {
        key: Holding(key, quantity, quantity * states[key].instrument.base_paise * percent // 100)
        for key, quantity, percent in _INITIAL
        if key in states
    }


def settle(holdings: dict[str, Holding], bought: Iterable[tuple[str, int, int]]) -> None:
    """Settle the day in place: deliver T1 shares, remove sold shares, add bought shares.

    `bought` has key, quantity and value (paise) of each delivery position.
    """
    for holding in list(holdings.values()):
        average_paise = holding.average_paise
        holding.quantity = holding.free_quantity
        holding.t1_quantity = holding.used_quantity = 0
        holding.paid_paise = average_paise * holding.quantity
        if holding.quantity == 0:
            del holdings[holding.instrument_key]
    for key, quantity, value_paise in bought:
        holding = holdings.setdefault(key, Holding(key, 0, 0))
        holding.t1_quantity += quantity
        holding.paid_paise += value_paise
