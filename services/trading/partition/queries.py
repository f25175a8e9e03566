"""Answers reads of orders and accounts. Nothing is shown before it is stored."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import msgspec

from services.trading.journal.entry import OrderChanged
from services.trading.live.facts import UpstoxFacts
from services.trading.partition.acceptance import Acceptance
from services.trading.partition.assessment import Assessor
from services.trading.partition.ledger import Ledger
from services.trading.partition.upstox_accounts import UpstoxAccounts
from services.trading.portfolio.account import PaperAccount
from services.trading.store.documents import decode_entry
from services.trading.store.journal import Journal
from services.trading.store.journal_reader import JournalReader
from services.trading.upstox.calls import UpstoxCalls
from shared.contracts.order_terms import Account
from shared.contracts.trading import AccountQuery, EventsQuery, OrderQuery, OrdersQuery
from shared.contracts.trading_replies import (
    Funds,
    Holdings,
    Limits,
    OrderDetail,
    Orders,
    Positions,
    Trades,
)
from shared.errors import NotFound, Unavailable, UpstoxUnavailable

AnswerT = TypeVar("AnswerT", bound=msgspec.Struct)
_FACTS_AGE_SECS: Final = 15.0


class Queries:
    """The reads of one term. All methods raise Unavailable while nothing can be stored.

    An answer is made first and then waits until everything that it shows is stored.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        reader: JournalReader,
        assessor: Assessor,
        acceptance: Acceptance,
        upstox: UpstoxAccounts,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._reader = reader
        self._assessor = assessor
        self._acceptance = acceptance
        self._upstox = upstox

    async def orders(self, query: OrdersQuery) -> Orders:
        """The orders of the trading day, the newest first."""
        account = self._account(query.user_id)
        orders = account.order_views(query.account, open_only=query.open_only, limit=query.limit)
        return await self._stored(Orders(orders=orders))

    async def order(self, query: OrderQuery) -> OrderDetail:
        """An order of the trading day with its events. Raises NotFound."""
        account = self._account(query.user_id)
        order = account.orders.get(query.order_id)
        if order is None:
            raise NotFound(f"there is no order {query.order_id} of this trading day")
        view = await self._stored(account.order_view(order))
        entries = await self._reader.order_entries(query.user_id, query.order_id)
        bodies = [decode_entry(entry).body for entry in entries]
        events = [
            msgspec.Raw(msgspec.json.encode(body.event))
            for body in bodies
            if isinstance(body, OrderChanged)
        ]
        return OrderDetail(order=view, events=events)

    async def trades(self, query: OrdersQuery) -> Trades:
        """The trades of the trading day, the newest first."""
        account = self._account(query.user_id)
        return await self._stored(Trades(trades=account.trades(query.account, query.limit)))

    async def positions(self, query: AccountQuery) -> Positions:
        """The positions of the trading day."""
        if query.account is Account.UPSTOX:
            return await self._at_upstox(query, lambda calls: calls.positions())
        account = self._account(query.user_id)
        return await self._stored(account.positions(self._ledger.broker.ltp))

    async def holdings(self, query: AccountQuery) -> Holdings:
        """The holdings."""
        if query.account is Account.UPSTOX:
            return await self._at_upstox(query, lambda calls: calls.holdings())
        account = self._account(query.user_id)
        return await self._stored(account.holdings(self._ledger.broker.ltp))

    async def funds(self, query: AccountQuery) -> Funds:
        """The money of the account."""
        if query.account is Account.UPSTOX:
            return await self._at_upstox(query, lambda calls: calls.funds())
        account = self._account(query.user_id)
        return await self._stored(account.funds(self._ledger.broker.ltp))

    async def limits(self, query: AccountQuery) -> Limits:
        """The limits of the user."""
        account, facts = self._account(query.user_id), None
        if query.account is Account.UPSTOX:
            facts = await self._facts(query.user_id)
        return await self._stored(self._assessor.limits(account, facts))

    async def events(self, query: EventsQuery) -> msgspec.Raw:
        """The user's events after a sequence number, as they were published."""
        last_seq = self._account(query.user_id).seq
        await self._journal.settle()
        events = await self._reader.events(query.user_id, query.after, last_seq, query.limit)
        return msgspec.Raw(b'{"events":[%b],"last_seq":%d}' % (b",".join(events), last_seq))

    def _account(self, user_id: str) -> PaperAccount:
        self._acceptance.check_owner()
        return self._ledger.account(user_id)

    async def _at_upstox(
        self, query: AccountQuery, read: Callable[[UpstoxCalls], Awaitable[AnswerT]]
    ) -> AnswerT:
        """The answer of Upstox now. Raises OrderRefused without a link, and Unavailable."""
        self._acceptance.check_owner()
        calls = (await self._upstox.account(query.user_id)).calls
        try:
            return await read(calls)
        except UpstoxUnavailable as error:
            raise Unavailable(f"the account at Upstox cannot be read: {error}") from None

    async def _facts(self, user_id: str) -> UpstoxFacts:
        try:
            return await (await self._upstox.account(user_id)).facts(_FACTS_AGE_SECS)
        except UpstoxUnavailable as error:
            raise Unavailable(f"the account at Upstox cannot be read: {error}") from None

    async def _stored(self, answer: AnswerT) -> AnswerT:
        await self._journal.settle()
        return answer
