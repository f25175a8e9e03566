"""Sets the loss locks of accounts, once a minute of exchange time.

The entries of TICKS decide when: an owner that takes over sets the same locks as one that was never
interrupted, also for the minutes that it catches up.
"""

from services.trading.journal.record import Record
from services.trading.partition.ledger import Ledger
from shared.market.exchange_time import MINUTE_MS


class LossLocks:
    """The locks of one term, made with the broker's state that the term begins with."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._minute = ledger.broker.time_ms // MINUTE_MS

    def due(self) -> list[Record]:
        """Set the locks that are due after a clock tick; returns the records to append."""
        ledger = self._ledger
        minute = ledger.broker.time_ms // MINUTE_MS
        if minute == self._minute:
            return []
        self._minute = minute
        if ledger.position <= ledger.loaded_position:
            return []  # an earlier owner has looked, and the accounts are further than the market
        records: list[Record] = []
        for account in list(ledger.accounts()):
            if not account.is_settled:
                records += ledger.lock_after_loss(account)
        return records
