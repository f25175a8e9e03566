"""The window of strikes of each option chain in demand, around the price of its underlying.

PURE: the contracts and prices are arguments.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

from shared.contracts.option_chains import ChainKey, OptionsReply, StrikeContracts

MAX_CHAINS: Final = 200
"""Windows that are followed for all gateways together."""
# At the midpoint of two strikes both are as near. The window moves a little later, so that a price
# that stays there does not move it to and fro.
_MOVES_AT: Final = 0.6

Expiry = tuple[str, str]
"""Underlying and expiry day."""
LastPrice = Callable[[str], float | None]
"""The last price of an instrument in rupees; None if it is unknown."""


class ChainState(Enum):
    """Whether the instruments of a chain are known."""

    PENDING = auto()
    """The contracts or the price of the underlying are not known yet."""
    UNKNOWN = auto()
    """There are no such options."""
    NO_CAPACITY = auto()
    """More than MAX_CHAINS are in demand."""
    KNOWN = auto()


class ChainWindows:
    """The windows of all chains in demand during a term."""

    def __init__(self) -> None:
        self.windows: dict[ChainKey, tuple[StrikeContracts, ...]] = {}
        """The strikes of each chain that are followed, lowest first."""
        self.at_the_money: dict[ChainKey, int] = {}
        """For each chain in `windows`, the index of its strike at the money."""
        self.contracts: dict[Expiry, OptionsReply | None] = {}
        """The contracts of each expiry as far as they are known; None: there are none."""
        self._centres: dict[Expiry, float] = {}
        self._beyond: frozenset[ChainKey] = frozenset()

    def update(self, chains: Sequence[ChainKey], last_price: LastPrice) -> None:
        """Replace the chains in demand, the most wanted first, and move their windows."""
        self._centres = {
            expiry: centre for expiry, centre in self._centres.items() if expiry in self.contracts
        }
        self.windows, self.at_the_money = {}, {}
        self._beyond = frozenset(chains[MAX_CHAINS:])
        for chain in chains[:MAX_CHAINS]:
            expiry = chain.underlying, chain.expiry
            contracts = self.contracts.get(expiry)
            price = last_price(chain.underlying)
            if contracts is None or not contracts.strikes or price is None:
                continue
            strikes = [row.strike for row in contracts.strikes]
            at = centre_of(strikes, price, self._centres.get(expiry))
            self._centres[expiry] = strikes[at]
            first = max(0, at - chain.strikes)
            self.windows[chain] = tuple(contracts.strikes[first : at + chain.strikes + 1])
            self.at_the_money[chain] = at - first

    def state(self, chain: ChainKey) -> ChainState:
        """State of a chain in demand."""
        if chain in self.windows:
            return ChainState.KNOWN
        if chain in self._beyond:
            return ChainState.NO_CAPACITY
        expiry = chain.underlying, chain.expiry
        if expiry in self.contracts and self.contracts[expiry] is None:
            return ChainState.UNKNOWN
        return ChainState.PENDING

    def keys(self, chain: ChainKey) -> list[str]:
        """The instruments of a chain's window."""
        window = self.windows.get(chain, ())
        return [key for row in window for key in (row.call, row.put) if key is not None]

    def all_keys(self) -> tuple[str, ...]:
        """The instruments of all windows, those of the most wanted chains first."""
        return tuple(dict.fromkeys(key for chain in self.windows for key in self.keys(chain)))


def centre_of(strikes: Sequence[float], price: float, before: float | None) -> int:
    """The index of the strike at the money; that of `before` while it is about as near.

    `strikes` rise and are not empty.
    """
    above = min(bisect_left(strikes, price), len(strikes) - 1)
    below = max(above - 1, 0)
    nearest = min((below, above), key=lambda index: abs(strikes[index] - price))
    if before not in (strikes[below], strikes[above]) or before == strikes[nearest]:
        return nearest
    other = below if nearest == above else above
    moved = abs(price - strikes[other]) > _MOVES_AT * (strikes[above] - strikes[below])
    return nearest if moved else other
