"""A broker's report of an order, and the rank of each of Upstox's statuses.

Reports arrive late, twice and out of order. A report therefore never replaces one of a higher rank,
and quantities that were filled come from trades only. Statuses: Upstox's developer documentation,
"Order status".
"""

from enum import IntEnum
from typing import Final

import msgspec

from shared.contracts.order_terms import Prices


class BrokerState(IntEnum):
    """Progress of an order at its broker; a later state has a higher rank."""

    RECEIVED = 1
    """The broker took the order; the exchange has not confirmed it."""
    WORKING = 2
    """At the exchange, or waiting for its trigger."""
    COMPLETE = 3
    """The broker states that it is filled. Only its trades prove that."""
    CANCELLED = 4
    EXPIRED = 5
    REJECTED = 6

    @property
    def is_final(self) -> bool:
        """Whether the broker will do nothing more with the order."""
        return self >= BrokerState.COMPLETE


UPSTOX_STATES: Final = {
    "put order req received": BrokerState.RECEIVED,
    "validation pending": BrokerState.RECEIVED,
    "open pending": BrokerState.RECEIVED,
    "after market order req received": BrokerState.RECEIVED,
    "modify after market order req received": BrokerState.RECEIVED,
    "open": BrokerState.WORKING,
    "trigger pending": BrokerState.WORKING,
    "modify pending": BrokerState.WORKING,
    "modify validation pending": BrokerState.WORKING,
    "modified": BrokerState.WORKING,
    "not modified": BrokerState.WORKING,
    "cancel pending": BrokerState.WORKING,
    "not cancelled": BrokerState.WORKING,
    "complete": BrokerState.COMPLETE,
    "cancelled": BrokerState.CANCELLED,
    "cancelled after market order": BrokerState.CANCELLED,
    "rejected": BrokerState.REJECTED,
}


class BrokerReport(msgspec.Struct, frozen=True):
    """The state of one order at its broker, at one time."""

    broker_order_id: str
    state: BrokerState
    at_ms: int
    """Time of the state at the broker, epoch ms; Upstox gives whole seconds."""
    prices: Prices | None = None
    """The terms at that time; None if the report has none."""
    detail: str = ""
    """The broker's own words, for example the reason of a rejection."""
    is_not_modified: bool = False
    """Whether the exchange has refused a modification that the broker had taken."""

    @property
    def rank(self) -> tuple[int, int, bool, bytes]:
        """Of two reports, the greater one is further in the life of the order."""
        return self.state, self.at_ms, self.is_not_modified, self._encoded

    @property
    def age(self) -> tuple[int, int, bool, bytes]:
        """Of two reports, the greater one is the newer; in the same second, the further one."""
        return self.at_ms, self.state, self.is_not_modified, self._encoded

    @property
    def _encoded(self) -> bytes:
        """Makes the order of different reports total, whatever the order of arrival."""
        return msgspec.json.encode(self, order="deterministic")
