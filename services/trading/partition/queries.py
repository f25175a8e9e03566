"""Answers reads of orders and accounts. Nothing is shown before it is stored."""

import msgspec

from services.trading.journal.entry import OrderChanged
from services.trading.partition.assessment import Assessor
from services.trading.partition.ledger import Ledger
from services.trading.partition.request_terms import require_paper
from services.trading.portfolio.account import PaperAccount
from services.trading.store.documents import decode_entry
from services.trading.store.journal import Journal
from services.trading.store.journal_reader import JournalReader
from shared.contracts.order_terms import Account
from shared.contracts.trading import (
    AccountQuery,
    EventsQuery,
    Funds,
    Holdings,
    Limits,
    OrderDetail,
    OrderQuery,
    Orders,
    OrdersQuery,
    Positions,
    Trades,
)
from shared.errors import NotFound


class Queries:
    """The reads of one term. All methods raise Unavailable while nothing can be stored."""

    def __init__(
        self, ledger: Ledger, journal: Journal, reader: JournalReader, assessor: Assessor
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._reader = reader
        self._assessor = assessor

    async def orders(self, query: OrdersQuery) -> Orders:
        """The orders of the trading day, the newest first."""
        account = await self._account(query.user_id, query.account)
        orders = account.open_orders() if query.open_only else list(account.orders.values())
        orders = sorted(orders, key=lambda order: order.created_at_ms, reverse=True)
        return Orders(orders=[account.order_view(order) for order in orders[: query.limit]])

    async def order(self, query: OrderQuery) -> OrderDetail:
        """An order of the trading day with its events. Raises NotFound."""
        account = await self._account(query.user_id, Account.PAPER)
        order = account.orders.get(query.order_id)
        if order is None:
            raise NotFound(f"there is no order {query.order_id} of this trading day")
        entries = await self._reader.order_entries(query.user_id, query.order_id)
        bodies = [decode_entry(entry).body for entry in entries]
        events = [
            msgspec.Raw(msgspec.json.encode(body.event))
            for body in bodies
            if isinstance(body, OrderChanged)
        ]
        return OrderDetail(order=account.order_view(order), events=events)

    async def trades(self, query: OrdersQuery) -> Trades:
        """The trades of the trading day, the newest first."""
        account = await self._account(query.user_id, query.account)
        return Trades(trades=account.trades(query.account, query.limit))

    async def positions(self, query: AccountQuery) -> Positions:
        """The positions of the trading day."""
        account = await self._account(query.user_id, query.account)
        return account.positions(self._ledger.broker.ltp)

    async def holdings(self, query: AccountQuery) -> Holdings:
        """The holdings."""
        account = await self._account(query.user_id, query.account)
        return account.holdings(self._ledger.broker.ltp)

    async def funds(self, query: AccountQuery) -> Funds:
        """The money of the account."""
        account = await self._account(query.user_id, query.account)
        return account.funds(self._ledger.broker.ltp)

    async def limits(self, query: AccountQuery) -> Limits:
        """The limits of the user."""
        account = await self._account(query.user_id, query.account)
        return self._assessor.limits(account)

    async def events(self, query: EventsQuery) -> msgspec.Raw:
        """The user's events after a sequence number, as they were published."""
        account = await self._account(query.user_id, Account.PAPER)
        events = await self._reader.events(query.user_id, query.after, query.limit)
        body = b'{"events":[%b],"last_seq":%d}' % (b",".join(events), account.seq)
        return msgspec.Raw(body)

    async def _account(self, user_id: str, account: Account) -> PaperAccount:
        require_paper(account)
        await self._journal.settle()
        return self._ledger.account(user_id)
