"""The accounts of a partition, and the paper broker that fills their orders.

All changes go through `record`, so memory and journal have the same order. Nothing here waits.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from decimal import Decimal

import msgspec

from services.trading.journal.entry import (
    Body,
    Entry,
    KillSwitchSet,
    LossLocked,
    LossLockLifted,
    OrderChanged,
)
from services.trading.journal.record import Record
from services.trading.orders.events import Filled
from services.trading.paper.broker import PaperBroker
from services.trading.portfolio.account import PaperAccount
from services.trading.risk.limits import UserLimits
from services.trading.risk.switch_board import SwitchBoard
from shared.contracts.order_terms import Account
from shared.contracts.trading_replies import EventKind, Limits, SwitchSetter
from shared.errors import Unavailable
from shared.runtime.tracing import current as current_trace

Ltp = Callable[[str], Decimal | None]


class Ledger:
    """The state of one partition. `opening_cash` in rupees is that of a new account.

    `limits` and `switches` are what users are told of them.
    """

    def __init__(
        self,
        broker: PaperBroker,
        opening_cash: Decimal,
        limits: UserLimits | None = None,
        switches: SwitchBoard | None = None,
    ) -> None:
        self.broker = broker
        self.switches = switches or SwitchBoard()
        self._limits = limits or UserLimits()
        self.number = 0
        """Of the last record."""
        self.position = 0
        """Of the last entry of TICKS that the broker has processed."""
        self.loaded_position = 0
        """The last entry of TICKS that the accounts know of and the broker has not processed; 0 if
        there is none."""
        self.is_stalled = False
        """Whether no entry of TICKS moves the market on."""
        self.is_silent = False
        """Whether no clock tick has come for some time: ingest has no leader."""
        self._opening_cash = opening_cash
        self._accounts: dict[str, PaperAccount] = {}
        self.closed: set[str] = set()
        """Users whose journal is damaged: nothing is read or changed until it is repaired."""
        self._held: dict[str, frozenset[str]] = {}
        """By user, the keys of open positions, and of what settles them."""
        self._holders: Counter[str] = Counter()
        """By key, the users with an open position."""

    @property
    def is_feed_live(self) -> bool:
        """Whether prices are current. The broker alone keeps the state before a stall or silence."""
        return self.broker.is_live and not self.is_stalled and not self.is_silent

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
        """The keys of open positions, and of what settles them at their expiry."""
        return self._holders.keys()

    def record(self, user_id: str, body: Body) -> Record:
        """Apply one more change to an account; the result must be appended to the journal."""
        account = self.account(user_id)
        entry = Entry(user_id=user_id, seq=account.seq + 1, position=self.position, body=body)
        self._apply(account, entry)
        self.number += 1
        event = account.user_event(entry, self.broker.ltp)
        if event.kind is EventKind.LIMITS:
            event = msgspec.structs.replace(event, limits=self.limits(account))
        cause = current_trace()
        return Record(
            number=self.number, entry=entry, event=msgspec.json.encode(event),
            traceparent="" if cause is None else cause.traceparent(),
        )  # fmt: skip

    def lock_after_loss(self, account: PaperAccount) -> list[Record]:
        """Set the loss lock if the loss of the day is beyond the limit.

        The records must be appended to the journal, so the lock stays when prices recover.
        """
        loss = account.loss(self.broker.ltp)
        if account.locked_loss is not None or not self._is_beyond_limit(account, loss):
            return []
        return [self.record(account.user_id, LossLocked(at_ms=self.broker.time_ms, loss=loss))]

    def lock_after_upstox_loss(self, account: PaperAccount, loss: Decimal) -> list[Record]:
        """The same for a loss of the account at Upstox."""
        is_beyond = loss > self._limits.loss_limit(None)
        if account.upstox_locked_loss is not None or not is_beyond:
            return []
        body = LossLocked(at_ms=self.broker.time_ms, loss=loss, account=Account.UPSTOX)
        return [self.record(account.user_id, body)]

    def limits(self, account: PaperAccount, upstox_loss: Decimal | None = None) -> Limits:
        """The limits of the user, and what stops new orders.

        `upstox_loss`: of the account at Upstox, in rupees; None for the paper account.
        """
        own = account.kill_switches
        if upstox_loss is None:
            loss = account.loss(self.broker.ltp)
            is_locked = account.locked_loss is not None or self._is_beyond_limit(account, loss)
        else:
            is_beyond = upstox_loss > self._limits.loss_limit(None)
            is_locked = account.upstox_locked_loss is not None or is_beyond
        return self._limits.view(
            kill_switch=any(switch.set_by is SwitchSetter.USER for switch in own),
            loss_lock=is_locked,
            switches=[*self.switches.all(), *own],
        )

    def close(self, user_id: str) -> None:
        """Close an account whose journal is damaged."""
        self.closed.add(user_id)
        self._accounts.pop(user_id, None)

    def load_accounts(self, accounts: Iterable[PaperAccount], number: int) -> None:
        """Take over stored accounts, which have all entries with a number up to this one."""
        self.number = max(self.number, number)
        for account in accounts:
            self._accounts[account.user_id] = account
            self._count_positions(account)

    def load(self, record: Record) -> None:
        """Apply a stored record, unless a stored account has its entry already."""
        account = self.account(record.entry.user_id)
        if record.entry.seq > account.seq:
            self._apply(account, record.entry)
        self.number = max(self.number, record.number)

    def _is_beyond_limit(self, account: PaperAccount, loss: Decimal) -> bool:
        return loss > self._limits.loss_limit(account.lifted_loss)

    def _apply(self, account: PaperAccount, entry: Entry) -> None:
        account.apply(entry)
        match entry.body:
            case OrderChanged(event=Filled()):
                self._count_positions(account)
            case OrderChanged() | KillSwitchSet() | LossLocked() | LossLockLifted():
                pass
            case _:
                self._count_positions(account)

    def _count_positions(self, account: PaperAccount) -> None:
        before = self._held.get(account.user_id, frozenset())
        instruments = [booked.instrument for booked in account.open_positions()]
        settling = (instrument.settlement_key for instrument in instruments)
        held = frozenset(instrument.key for instrument in instruments).union(filter(None, settling))
        if held == before:
            return
        self._held[account.user_id] = held
        self._holders.update(held - before)
        for key in before - held:
            self._holders[key] -= 1
            if not self._holders[key]:
                del self._holders[key]
