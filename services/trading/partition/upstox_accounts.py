"""The linked accounts of a partition's users: each is followed while its token is valid."""

import asyncio
from typing import Final

from services.trading import metrics
from services.trading.journal.record import Record
from services.trading.links.link import Link, Links
from services.trading.live.news import is_unsettled
from services.trading.live.order_days import OrderDays
from services.trading.live.unlisted_orders import UnlistedOrders
from services.trading.partition.ledger import Ledger
from services.trading.partition.upstox_account import UpstoxAccount
from services.trading.partition.upstox_books import UpstoxBooks
from services.trading.partition.upstox_orders import UpstoxOrders
from services.trading.store.journal import Journal
from services.trading.upstox.calls import OpenCalls
from shared.contracts.order_terms import Account
from shared.errors import OrderRefused, UpstoxUnauthorised
from shared.market.exchange_time import DAY_MS
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import stop

log = get_logger(__name__)

_METRICS_SECS: Final = 5.0
_MAX_BACKOFF_SECS: Final = 60.0


class UpstoxAccounts:
    """The accounts of one term."""

    def __init__(
        self,
        partition: int,
        ledger: Ledger,
        orders: UpstoxOrders,
        journal: Journal,
        links: Links,
        open_calls: OpenCalls,
        order_days: OrderDays,
        clock: Clock,
    ) -> None:
        self._partition = str(partition)
        self._ledger = ledger
        self._orders = orders
        self._journal = journal
        self._links = links
        self._open_calls = open_calls
        self._order_days = order_days
        self._clock = clock
        self._unlisted = UnlistedOrders()
        self._accounts: dict[str, UpstoxAccount] = {}
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._opening = asyncio.Lock()
        self._has_changed = asyncio.Event()
        links.on_change(self._on_change)

    async def account(self, user_id: str) -> UpstoxAccount:
        """The account of a user. Raises OrderRefused if none is linked, or its token has died."""
        link = self._links.link(user_id)
        if link is None:
            is_linked = user_id in self._links.linked_users()
            raise OrderRefused(
                "account: the login at Upstox has expired; renew the link"
                if is_linked
                else "account: no Upstox account is linked",
                field="account",
                rule="account",
                value="expired" if is_linked else "unlinked",
            )
        return await self._opened(link)

    def ask(self, user_id: str) -> None:
        """Read the books of a user soon, if an account is linked."""
        account = self._accounts.get(user_id)
        if account is not None:
            account.ask()

    def take_over(self) -> None:
        """Record that answers which an earlier owner waited for are lost."""
        records: list[Record] = []
        for account in list(self._ledger.accounts()):
            records += self._orders.take_over(account.user_id)
        if records:  # together: there may be more accounts than the journal lets wait
            self._journal.append(records)

    async def run(self) -> None:
        """Follow all linked accounts until cancelled."""
        try:
            while True:
                self._has_changed.clear()
                await self._start_and_stop()
                self._expire_unread()
                self._measure()
                try:
                    async with asyncio.timeout(_METRICS_SECS):
                        await self._has_changed.wait()
                except TimeoutError:
                    continue
        finally:
            for user_id in list(self._accounts):
                await self._close(user_id)
            self._measure()

    def _on_change(self, _: str) -> None:
        self._has_changed.set()

    async def _start_and_stop(self) -> None:
        for user_id, account in list(self._accounts.items()):
            if self._links.link(user_id) != account.link:
                await self._close(user_id)
        for user_id in self._links.linked_users():
            link = self._links.link(user_id)
            if link is not None:
                account = await self._opened(link)
                followed = self._followed.get(user_id)
                if followed is None or followed.done():
                    self._followed[user_id] = asyncio.create_task(
                        self._follow(account), name="upstox account"
                    )

    async def _opened(self, link: Link) -> UpstoxAccount:
        known = self._accounts.get(link.user_id)
        if known is not None and known.link == link:
            return known
        async with self._opening:
            known = self._accounts.get(link.user_id)
            if known is not None and known.link == link:
                return known
            await self._close(link.user_id)
            calls = await self._open_calls(link.access_token)
            user_id = link.user_id
            books = UpstoxBooks(
                user_id, self._ledger, self._orders, self._journal, self._order_days,
                self._unlisted, self._clock,
            )  # fmt: skip
            account = UpstoxAccount(link, calls, books, self._clock)
            self._accounts[user_id] = account
            self._has_changed.set()  # it is followed from now on
            return account

    async def _close(self, user_id: str) -> None:
        account = self._accounts.pop(user_id, None)
        followed = self._followed.pop(user_id, None)
        if followed is not None:
            await stop([followed])
        if account is not None:
            account.calls.close()

    async def _follow(self, account: UpstoxAccount) -> None:
        """Follow one account; an unexpected error of one does not end the others."""
        backoff = Backoff(cap_secs=_MAX_BACKOFF_SECS)
        while True:
            try:
                await account.run()
            except Exception as error:  # noqa: BLE001 - it is logged, and the account tried again
                if _is_of_token(error):
                    self._links.token_refused(account.link)
                    return
                log.warning(
                    "account at Upstox cannot be followed",
                    user_id=account.link.user_id,
                    error=repr(error),
                )
            await self._clock.sleep(backoff.next_secs())

    def _expire_unread(self) -> None:
        """Record the end of orders whose day was over a day ago, and that no book lists."""
        if not self._journal.has_room:
            return
        now_ms = self._ledger.broker.time_ms
        over = {
            order.order_id: order
            for account in self._ledger.accounts()
            for order in account.open_orders(Account.UPSTOX)
            if self._order_days.is_over(order, now_ms, since_ms=DAY_MS)
        }
        due = self._unlisted.due(over, self._clock.monotonic())
        records = [record for order_id in due for record in self._orders.expire(over[order_id])[0]]
        if records:
            self._journal.append(records)

    def _measure(self) -> None:
        """Orders count also while their user's login has expired."""
        now_ms = self._ledger.broker.time_ms
        created = [
            order.created_at_ms
            for account in self._ledger.accounts()
            for order in account.open_orders(Account.UPSTOX)
            if is_unsettled(order)
            and (order.pending is None or not order.pending.is_taken)
            and not self._order_days.is_over(order, now_ms)
        ]
        label = self._partition
        metrics.UNKNOWN_ORDERS.labels(label).set(len(created))
        age_ms = now_ms - min(created, default=now_ms)
        metrics.UNKNOWN_ORDER_AGE_SECONDS.labels(label).set(max(0, age_ms) / 1_000)
        followed = self._accounts.values()
        metrics.UPSTOX_ACCOUNTS.labels(label, "followed").set(len(followed))
        streaming = sum(account.is_streaming for account in followed)
        metrics.UPSTOX_ACCOUNTS.labels(label, "streaming").set(streaming)


def _is_of_token(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return any(_is_of_token(one) for one in error.exceptions)
    return isinstance(error, UpstoxUnauthorised)
