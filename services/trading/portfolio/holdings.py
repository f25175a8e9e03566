"""Shares in the demat account, and shares that were bought and arrive on the next trading day."""

import msgspec

from services.trading.portfolio.position import Lot, quantity_of, take_oldest


class HeldShares(msgspec.Struct):
    """The shares of one instrument, as the lots in which they were bought."""

    settled: list[Lot] = []
    """In the demat account, oldest first."""
    arriving: list[Lot] = []
    """Bought on the last trading day (T1)."""

    @property
    def lots(self) -> list[Lot]:
        """All lots, oldest first."""
        return [*self.settled, *self.arriving]


class Holdings(msgspec.Struct):
    """All holdings of an account. They change only when a trading day ends."""

    shares: dict[str, HeldShares] = {}
    """By instrument key."""

    def settled_quantity(self, key: str) -> int:
        """The quantity in the demat account."""
        return quantity_of(self.shares[key].settled) if key in self.shares else 0

    def quantity(self, key: str) -> int:
        """The quantity that may be sold for delivery, T1 included."""
        return quantity_of(self.shares[key].lots) if key in self.shares else 0

    def settle(self, sold: dict[str, int], bought: dict[str, list[Lot]]) -> None:
        """End a trading day: deliver what was sold, receive T1, and take over what was bought."""
        for key, quantity in sold.items():
            shares = self.shares[key]
            taken = take_oldest(shares.settled, quantity)
            take_oldest(shares.arriving, quantity - quantity_of(taken))
        for shares in self.shares.values():
            shares.settled += shares.arriving
            shares.arriving = []
        for key, lots in bought.items():
            self.shares.setdefault(key, HeldShares()).arriving += lots
        self.shares = {key: shares for key, shares in self.shares.items() if shares.lots}
