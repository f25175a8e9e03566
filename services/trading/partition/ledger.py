"""The accounts of a partition, and the paper broker that fills their orders.

All changes go through `record`, so memory and journal have the same order. Nothing here waits.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal

import msgspec

from services.trading.journal.entry import Body, Entry, KillSwitchSet, OrderChanged
from services.trading.journal.record import Record
from services.trading.orders.events import Filled
from services.trading.paper.broker import PaperBroker
from services.trading.portfolio.account import PaperAccount
from shared.errors import Unavailable

Ltp = Callable[[str], Decimal | None]


class Ledger:
    """The state of one partition. `opening_cash` in rupees is that of a new account."""

    def __init__(self, broker: PaperBroker, opening_cash: Decimal) -> None:
        self.broker = broker
        self.number = 0
        """Of the last record."""
        self.position = 0
        """Of the last entry of TICKS that the broker has processed."""
        self._opening_cash = opening_cash
        self._accounts: dict[str, PaperAccount] = {}
        self.closed: set[str] = set()
        """Users whose journal is damaged: nothing is read or changed until it is repaired."""
        self._held: dict[str, frozenset[str]] = {}
        """By user, the keys of open positions."""
        self._holders: Counter[str] = Counter()
        """By key, the users with an open position."""

    def account(self, user_id: str) -> PaperAccount:
        """The paper account of a user; a new one if there is none.

        Raises Unavailable if the account is closed.
        """
        if user_id in self.closed:
            raise Unavailable("the journal of this account is damaged; the operator must repair it")
        account = self._accounts.get(user_id)
        if account is None:
            account = self._accounts[user_id] = PaperAccount(user_id, self._opening_cash)
        return account

    def accounts(self) -> Iterator[PaperAccount]:
        """All accounts."""
        return iter(self._accounts.values())

    def held_keys(self) -> Collection[str]:
        """The keys in which a user has an open position."""
        return self._holders.keys()

    def record(self, user_id: str, body: Body) -> Record:
        """Apply one more change to an account; the result must be appended to the journal."""
        account = self.account(user_id)
        entry = Entry(user_id=user_id, seq=account.seq + 1, position=self.position, body=body)
        self._apply(account, entry)
        self.number += 1
        event = msgspec.json.encode(account.user_event(entry, self.broker.ltp))
        return Record(number=self.number, entry=entry, event=event)

    def close(self, user_id: str) -> None:
        """Close an account whose journal is damaged."""
        self.closed.add(user_id)
        self._accounts.pop(user_id, None)

    def load(self, record: Record) -> None:
        """Apply a stored record."""
        self._apply(self.account(record.entry.user_id), record.entry)
        self.number = max(self.number, record.number)

    def _apply(self, account: PaperAccount, entry: Entry) -> None:
        account.apply(entry)
        match entry.body:
            case OrderChanged(event=Filled()):
                self._count_positions(account)
            case OrderChanged() | KillSwitchSet():
                pass
            case _:
                self._count_positions(account)

    def _count_positions(self, account: PaperAccount) -> None:
        before = self._held.get(account.user_id, frozenset())
        held = frozenset(booked.instrument.key for booked in account.open_positions())
        if held == before:
            return
        self._held[account.user_id] = held
        self._holders.update(held - before)
        for key in before - held:
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
