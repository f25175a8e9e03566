"""Applies what Upstox lists of one user's orders and trades to the journal.

Orders are found by Upstox's id, then by their tag. What has no order of ours was placed elsewhere
and becomes an external order.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from services.trading import metrics
from services.trading.journal.entry import KillSwitchSet
from services.trading.journal.record import Record
from services.trading.live.news import (
    events_of_row,
    events_of_trades,
    is_unsettled,
    lacks_trades,
)
from services.trading.live.order_days import OrderDays
from services.trading.live.unlisted_orders import UnlistedOrders
from services.trading.orders.events import OrderEvent
from services.trading.orders.order import Order
from services.trading.partition.ledger import Ledger
from services.trading.partition.upstox_orders import UpstoxOrders
from services.trading.portfolio.account import PaperAccount
from services.trading.portfolio.order_book import Place
from services.trading.store.journal import Journal
from services.trading.upstox.rows import OrderRow, TradeRow
from shared.contracts.order_terms import Account
from shared.market.exchange_time import ist_date
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_SYSTEM: Final = "system"
"""Stands for an administrator: only one can allow new orders again."""
SETTLED_AFTER_SECS: Final = 30.0
"""A lost or taken command that the books do not show after this time had no effect."""


class UpstoxBooks:
    """The orders at Upstox of one user, for one term."""

    def __init__(
        self,
        user_id: str,
        ledger: Ledger,
        orders: UpstoxOrders,
        journal: Journal,
        order_days: OrderDays,
        unlisted: UnlistedOrders,
        clock: Clock,
    ) -> None:
        self._user_id = user_id
        self._ledger = ledger
        self._orders = orders
        self._journal = journal
        self._order_days = order_days
        self._unlisted = unlisted
        self._clock = clock
        self._lost_since: dict[str, float] = {}
        """By command id, the monotonic time when its effect was found not to be known."""

    async def apply(
        self,
        rows: Sequence[OrderRow],
        trades: Sequence[TradeRow],
        *,
        listed: Collection[str] | None = None,
    ) -> bool:
        """Append what is new; returns whether trades are missing.

        `listed`: Upstox's ids and the tags of a whole order book. Orders that are not among them
        and whose day is over expire.
        Raises Unavailable if the journal is closed or the account is damaged.
        """
        while not self._journal.has_room:
            await self._journal.settle()
        account = self._ledger.account(self._user_id)
        by_broker_id = {
            order.broker_order_id: order.order_id
            for order in account.orders.values()
            if order.terms.account is Account.UPSTOX and order.broker_order_id is not None
        }
        records: list[Record] = []
        found: list[tuple[str, OrderRow]] = []
        for row in rows:
            order = self._order_of(account, row, by_broker_id, records)
            if order is not None:
                by_broker_id[row.report.broker_order_id] = order.order_id
                found.append((order.order_id, row))
        # Fills come first: an order that was partly filled is not told as cancelled without them.
        self._fill(account, trades, by_broker_id, records)
        for order_id, row in found:
            self._report(account.orders[order_id], row, records)
        self._unlisted.listed(order_id for order_id, _ in found)
        if listed is not None:
            self._apply_listed(account, listed, records)
        if records:
            self._journal.append(records)
        return any(lacks_trades(account.orders[order_id], row) for order_id, row in found)

    def unsettled(self) -> list[Order]:
        """Orders of which something is not known."""
        account = self._ledger.account(self._user_id)
        orders = [one for one in account.orders.values() if one.terms.account is Account.UPSTOX]
        return [order for order in orders if is_unsettled(order)]

    def filled_quantities(self) -> dict[Place, int]:
        """Quantities of all fills that are known."""
        return self._ledger.account(self._user_id).filled_quantities(Account.UPSTOX)

    def has_open(self, order_ids: Iterable[str]) -> bool:
        """Whether one of these orders is open, as far as is known."""
        orders = self._ledger.account(self._user_id).orders
        return any(one in orders and not orders[one].state.is_final for one in order_ids)

    def has_open_orders(self) -> bool:
        """Whether an order at Upstox can still change."""
        return bool(self._ledger.account(self._user_id).open_orders(Account.UPSTOX))

    def _order_of(
        self,
        account: PaperAccount,
        row: OrderRow,
        by_broker_id: dict[str, str],
        records: list[Record],
    ) -> Order | None:
        """The order of a row; None if the row is of a day that has ended, or cannot be used."""
        order_id = by_broker_id.get(row.report.broker_order_id)
        if order_id is not None:
            return account.orders[order_id]
        order = None if row.tag is None else account.orders.get(row.tag)
        if order is not None and order.terms.account is Account.UPSTOX:
            if order.broker_order_id is None and order.order_id not in by_broker_id.values():
                return order
            self._block_doubled(order, row, records)
        elif _is_forgotten(account, row):
            return None
        made = self._orders.external(self._user_id, row)
        if made is None:
            return None
        metrics.EXTERNAL_ORDERS.inc()
        records += made[0]
        return made[1]

    def _block_doubled(self, order: Order, row: OrderRow, records: list[Record]) -> None:
        """Stop new orders of a user whose order exists twice at Upstox."""
        metrics.DOUBLED_ORDERS.inc()
        log.error(
            "two orders at Upstox have the tag of one; new orders of the user are stopped",
            user_id=self._user_id,
            order_id=order.order_id,
            broker_order_ids=[order.broker_order_id, row.report.broker_order_id],
        )
        body = KillSwitchSet(
            is_on=True,
            at_ms=self._ledger.broker.time_ms,
            by=_SYSTEM,
            reason=f"two orders at Upstox have the tag of order {order.order_id}",
        )
        records.append(self._ledger.record(self._user_id, body))

    def _fill(
        self,
        account: PaperAccount,
        trades: Iterable[TradeRow],
        by_broker_id: dict[str, str],
        records: list[Record],
    ) -> None:
        """Record new trades."""
        by_order: dict[str, list[TradeRow]] = {}
        for trade in trades:
            order_id = by_broker_id.get(trade.broker_order_id)
            if order_id is not None:
                by_order.setdefault(order_id, []).append(trade)
        for order_id, rows in by_order.items():
            order = account.orders[order_id]
            self._record(order, events_of_trades(order, rows, self._ledger.broker.time_ms), records)

    def _report(self, order: Order, row: OrderRow, records: list[Record]) -> None:
        """Record the state of a row. The end of an order waits for all trades that the row counts."""
        if row.report.state.is_final and lacks_trades(order, row):
            return
        settles = self._settles_commands(order)
        at_ms = self._ledger.broker.time_ms
        order = self._record(
            order, events_of_row(order, row, at_ms, settles_commands=settles), records
        )
        if order.is_contradictory:
            log.error("reports of an order exclude each other", order_id=order.order_id)

    def _apply_listed(
        self, account: PaperAccount, listed: Collection[str], records: list[Record]
    ) -> None:
        """Record the end of orders that are not listed, and whose day is over."""
        now_ms = self._ledger.broker.time_ms
        for order in account.open_orders(Account.UPSTOX):
            if order.broker_order_id in listed or order.order_id in listed:
                self._unlisted.listed([order.order_id])
            elif self._order_days.is_over(order, now_ms):
                records += self._orders.expire(order)[0]

    def _record(self, order: Order, events: Sequence[OrderEvent], records: list[Record]) -> Order:
        if not events:
            return order
        made, order = self._orders.change(self._user_id, order.order_id, events)
        records += made
        return order

    def _settles_commands(self, order: Order) -> bool:
        pending = order.pending
        if pending is None or not (pending.is_lost or pending.is_taken):
            return False
        now = self._clock.monotonic()
        since = self._lost_since.setdefault(pending.command_id, now)
        return now - since >= SETTLED_AFTER_SECS


def _is_forgotten(account: PaperAccount, row: OrderRow) -> bool:
    """Whether the row may be an order of ours that was forgotten with its day."""
    return row.report.state.is_final and ist_date(row.report.at_ms).isoformat() <= account.ended_day
