"""State of a paper account, and its funds, loss and margins."""

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from typing import Final, Literal

import msgspec

from services.trading.journal.entry import KillSwitchSet, LossLocked, LossLockLifted
from services.trading.portfolio.day_charges import DayCharges
from services.trading.portfolio.holdings import Holdings
from services.trading.portfolio.order_book import OrderBook
from services.trading.portfolio.position import Position, take_oldest, value_of
from services.trading.portfolio.position_book import BookedPosition, PositionBook
from services.trading.portfolio.position_margin import Ltp, position_margin
from shared.contracts.order_terms import Account
from shared.contracts.trading_replies import Funds
from shared.market.exchange_time import ist_date

_ZERO: Final = Decimal(0)
_PAISA: Final = Decimal("0.01")
_USABLE_PROCEEDS: Final = Decimal("0.8")
"""Of a sale from the demat account, on the same day. The proceeds of T1 shares come later."""


class AccountState(msgspec.Struct):
    """Everything that entries change. Its encoding is the account's snapshot."""

    user_id: str
    opening_cash: Decimal
    """Of a new account, and after a reset."""
    cash: Decimal
    """At the start of the trading day."""
    version: Literal[1] = 1
    seq: int = 0
    at_ms: int = 0
    """Time of the newest entry."""
    day_began_ms: int = 0
    """Time since which the account has something of a trading day that has not ended; 0 without."""
    ended_day: str = ""
    """The last trading day that has ended, ``YYYY-MM-DD``; empty before the first."""
    carried_profit: Decimal = _ZERO
    """Unrealised profit of the carried positions when that day ended, at its marks."""
    marks: dict[str, Decimal] = {}
    """Their last prices when that day ended, by key."""
    user_switch: KillSwitchSet | None = None
    """The user's own kill switch; None while it is off."""
    admin_switch: KillSwitchSet | None = None
    """The kill switch that administrators have set for the user; None while it is off."""
    loss_locked: LossLocked | None = None
    """The loss lock of the trading day; None while it is off."""
    upstox_loss_locked: LossLocked | None = None
    """The same of the account at Upstox; it ends with the trading day only."""
    loss_lock_lifted: LossLockLifted | None = None
    """That an administrator has lifted the lock on the trading day."""
    orders: OrderBook = msgspec.field(default_factory=OrderBook)
    positions: PositionBook = msgspec.field(default_factory=PositionBook)
    holdings: Holdings = msgspec.field(default_factory=Holdings)
    charges: DayCharges = msgspec.field(default_factory=DayCharges)

    @property
    def is_settled(self) -> bool:
        """Whether the end of a trading day would change nothing."""
        return not (
            self.orders.orders
            or self.orders.daily_orders
            or self.loss_locked
            or self.upstox_loss_locked
            or self.loss_lock_lifted
            or self.positions.booked
            or any(held.arriving for held in self.holdings.shares.values())
        )

    def realised(self) -> Decimal:
        """Profit of the positions that were closed today, before charges."""
        return sum((booked.position.realised for booked in self._booked()), _ZERO)

    def unrealised(self, ltp: Ltp) -> Decimal | None:
        """Profit of all open positions; None while an LTP is missing."""
        profits = [_profit(booked, exposure, ltp) for booked, exposure in self._exposures()]
        if any(profit is None for profit in profits):
            return None
        return sum((profit for profit in profits if profit is not None), _ZERO)

    def loss(self, ltp: Ltp) -> Decimal:
        """Of the day, after charges; negative for a profit.

        Carried positions are counted from their marks. While an LTP is not known, the mark stands
        for it; a position with neither counts 0.
        """

        def price_of(key: str) -> Decimal | None:
            price = ltp(key)
            return self.marks.get(key) if price is None else price

        profit = self.realised() + self._marked_profit(price_of)
        return self.charges.total + self.carried_profit - profit

    def mark(self, marks: dict[str, Decimal]) -> None:
        """Count the loss of the next day from these prices."""
        self.marks = marks
        self.carried_profit = self._marked_profit(marks.get)

    def funds(self, ltp: Ltp) -> Funds:
        """Money of the account. `cash` includes what may be used of today's sales of holdings."""
        cash = self.cash + self._usable_proceeds()
        realised = self.realised()
        charges = self.charges.total
        order_margin = self.orders.reserved()
        blocked = self._position_margin(ltp)
        return Funds(
            account=Account.PAPER,
            cash=cash,
            realised=realised,
            charges=charges,
            order_margin=order_margin,
            position_margin=blocked,
            available=cash + realised - charges - order_margin - blocked,
            unrealised=self.unrealised(ltp),
        )

    def _marked_profit(self, price: Ltp) -> Decimal:
        profits = (_profit(booked, exposure, price) for booked, exposure in self._exposures())
        return sum((profit for profit in profits if profit is not None), _ZERO)

    def _position_margin(self, ltp: Ltp) -> Decimal:
        today = ist_date(self.at_ms)
        return sum(
            (
                position_margin(booked.instrument, booked.product, exposure, today, ltp)
                for booked, exposure in self._exposures()
            ),
            _ZERO,
        )

    def _usable_proceeds(self) -> Decimal:
        total = _ZERO
        for booked in self._booked():
            settled = self.holdings.settled_quantity(booked.instrument.key)
            if quantity := min(booked.quantity_from(self.holdings), settled):
                sold = take_oldest(list(booked.position.lots), quantity)
                total += value_of(sold) * _USABLE_PROCEEDS
        return total.quantize(_PAISA, ROUND_DOWN)

    def _exposures(self) -> Iterator[tuple[BookedPosition, Position]]:
        for booked in self._booked():
            exposure = booked.exposure(self.holdings)
            if exposure.lots:
                yield booked, exposure

    def _booked(self) -> Iterator[BookedPosition]:
        return iter(self.positions.booked.values())


def _profit(booked: BookedPosition, exposure: Position, ltp: Ltp) -> Decimal | None:
    price = ltp(booked.instrument.key)
    return None if price is None else exposure.unrealised(price)
