"""The limits of a user: how large, how many and how fast orders may be, and how large the loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.contracts.trading_replies import ActiveSwitch, Limits


@dataclass(frozen=True, slots=True)
class UserLimits:
    """Orders that only close a position are bound by `max_orders_per_sec` alone."""

    max_order_quantity: int = 100_000
    """Shares, units of a derivative, or lots on MCX."""
    max_order_value: Decimal = Decimal(5_000_000)
    """Rupees; the notional value of a future, the premium of an option."""
    max_open_orders: int = 100
    max_orders_per_sec: int = 10
    """An exchange treats users above ten orders a second as algorithmic traders."""
    max_orders_per_day: int = 2_000
    max_daily_loss: Decimal = Decimal(100_000)
    """Rupees, realised and marked to market, after charges."""

    def loss_limit(self, lifted_loss: Decimal | None) -> Decimal:
        """The loss of the day (rupees) beyond which the loss lock is set.

        `lifted_loss`: at which an administrator has lifted the lock on this day; None if not.
        """
        return self.max_daily_loss + (lifted_loss or 0)

    def view(
        self, *, kill_switch: bool, loss_lock: bool, switches: Sequence[ActiveSwitch]
    ) -> Limits:
        """The limits as their user sees them; `switches` are all that are on."""
        return Limits(
            max_order_quantity=self.max_order_quantity,
            max_order_value=self.max_order_value,
            max_open_orders=self.max_open_orders,
            max_orders_per_sec=self.max_orders_per_sec,
            max_orders_per_day=self.max_orders_per_day,
            max_daily_loss=self.max_daily_loss,
            kill_switch=kill_switch,
            loss_lock=loss_lock,
            switches=list(switches),
        )
