"""A modification or cancellation whose effect is not known, and the report that shows it."""

import msgspec

from services.trading.orders.broker_report import BrokerReport
from shared.contracts.order_terms import Prices


class PendingCommand(msgspec.Struct, frozen=True):
    """A modification or cancellation whose effect is not known yet."""

    command_id: str
    prices: Prices | None
    """None: a cancellation."""
    is_lost: bool = False
    is_taken: bool = False
    """Whether the broker took the modification; a report has not shown it at the exchange yet."""
    is_not_modified: bool = False
    """Whether a report has said before the answer that the modification has no effect."""

    def is_shown_by(self, report: BrokerReport | None) -> bool:
        """Whether a report has the terms of this modification; False before its answer."""
        if report is None or report.prices is None or self.prices is None:
            return False
        is_answered = self.is_taken or self.is_lost
        return is_answered and have_same_terms(report.prices, self.prices)


def have_same_terms(one: Prices, other: Prices) -> bool:
    """Whether quantity and prices are the same: Upstox lists 0 for a price that is not set."""
    return (one.quantity, one.price or 0, one.trigger_price or 0) == (
        other.quantity, other.price or 0, other.trigger_price or 0,
    )  # fmt: skip
