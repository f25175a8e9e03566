"""Commands on orders at Upstox: stored first, then sent once, then answered.

An answer that does not come leaves the order, or the effect of the command, unknown; the books are
read until it is known. Nothing is ever sent again.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from services.trading import metrics
from services.trading.journal.record import Record
from services.trading.live.facts import UpstoxFacts
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.partition.assessment import Assessment, Assessor
from services.trading.partition.idempotency import Dispatch, Outcome
from services.trading.partition.ledger import Ledger
from services.trading.partition.order_replies import orders_reply
from services.trading.partition.upstox_account import UpstoxAccount
from services.trading.partition.upstox_accounts import UpstoxAccounts
from services.trading.partition.upstox_orders import UpstoxOrders
from services.trading.partition.upstox_sender import Answered, Sending, UpstoxSender
from services.trading.store.journal import Journal
from services.trading.upstox.answers import Refused
from shared.contracts.order_terms import (
    Account,
    Prices,
    Terms,
)
from shared.contracts.trading_replies import Preview
from shared.errors import (
    BrokerRefused,
    CommandInFlight,
    OrderFinal,
    OrderRefused,
    RequestError,
    Unavailable,
    UpstoxUnavailable,
)

_UNITS: Final = 2
"""A loss lock and the command: the journal must take both."""
_FACTS_AGE_SECS: Final = 15.0
"""Of positions and funds that an order is checked against; fills and commands renew them."""


class UpstoxCommands:
    """The commands of one term."""

    def __init__(
        self,
        ledger: Ledger,
        orders: UpstoxOrders,
        accounts: UpstoxAccounts,
        assessor: Assessor,
        sender: UpstoxSender,
        journal: Journal,
        *,
        is_live_allowed: bool,
    ) -> None:
        self._ledger = ledger
        self._orders = orders
        self._accounts = accounts
        self._assessor = assessor
        self._sender = sender
        self._journal = journal
        self._is_live_allowed = is_live_allowed

    async def preview(self, user_id: str, terms: Terms, instrument: OrderInstrument) -> Preview:
        """All checks of a new order. Raises OrderRefused without a link, and Unavailable."""
        _, facts = await self.read(user_id)
        return self._assess(user_id, terms, instrument, facts).preview

    async def preview_changes(
        self, order: Order, changed: Callable[[Order], Prices], instrument: OrderInstrument
    ) -> Preview:
        """All checks of an open order with new terms. Raises what `modify` raises before them."""
        _, facts = await self.read(order.user_id)
        order = self._changeable(order)
        terms = msgspec.structs.replace(order.terms, prices=changed(order))
        return self._assess(order.user_id, terms, instrument, facts, order).preview

    async def place(self, user_id: str, terms: Terms, instrument: OrderInstrument) -> Dispatch:
        """Check and store a new order. Raises OrderRefused if a check refuses it."""
        account, facts = await self.read(user_id)
        self._sender.check()
        assessment = self._assess(user_id, terms, instrument, facts)
        self._assessor.count(user_id)
        if assessment.refusal is not None:
            metrics.REFUSALS.labels(assessment.refusal.members["rule"]).inc()
            raise assessment.refusal
        terms = msgspec.structs.replace(
            terms, market_protection_percent=assessment.protection_percent
        )
        records, order = self._orders.intend(
            user_id, terms, instrument, reference_price=assessment.price
        )
        sending = self.placing(account, order)
        return Dispatch([order.order_id], records, lambda: self._one(account, sending))

    async def modify(
        self,
        order: Order,
        changed: Callable[[Order], Prices],
        instrument: OrderInstrument,
        command_id: str,
    ) -> Dispatch:
        """Check and store a modification; `changed` gives all terms, from those in force.

        Raises OrderRefused or CommandInFlight.
        """
        account, facts = await self.read(order.user_id)
        self._sender.check()
        order = self._changeable(order)
        broker_order_id, prices = _broker_order_id(order), changed(order)
        terms = msgspec.structs.replace(order.terms, prices=prices)
        assessment = self._assess(order.user_id, terms, instrument, facts, order)
        self._assessor.count(order.user_id)
        if assessment.refusal is not None:
            raise assessment.refusal
        terms = msgspec.structs.replace(
            terms, market_protection_percent=assessment.protection_percent
        )
        records, order = self._orders.command(order, command_id, prices)
        sending = Sending(
            "modify",
            order.user_id,
            order.order_id,
            lambda check: account.calls.modify(broker_order_id, terms, check),
            lambda now, answer: self._orders.command_answered(now, command_id, answer),
        )
        return Dispatch([order.order_id], records, lambda: self._one(account, sending))

    async def cancel(self, order: Order, command_id: str) -> Dispatch:
        """Store a cancellation. Raises OrderRefused if Upstox's id of the order is not known."""
        account = await self._accounts.account(order.user_id)
        self._sender.check()
        order = self._ledger.account(order.user_id).orders[order.order_id]
        if order.state.is_final:
            raise OrderFinal(f"the order is {order.state.value} and can no longer be changed")
        records, sending = self.cancelling(account, order, command_id)
        return Dispatch([order.order_id], records, lambda: self._one(account, sending))

    async def cancel_all(self, user_id: str, command_id: str) -> Dispatch:
        """Store the cancellations of all open orders whose id at Upstox is known."""
        account = await self._accounts.account(user_id)
        self._sender.check()
        records: list[Record] = []
        sendings: list[Sending] = []
        orders = self._ledger.account(user_id).open_orders(Account.UPSTOX)
        for order in orders:
            if order.broker_order_id is not None:
                made, sending = self.cancelling(account, order, command_id)
                records += made
                sendings.append(sending)
        ids = [order.order_id for order in orders]
        return Dispatch(ids, records, lambda: self.many(account, user_id, sendings, ids))

    def _changeable(self, order: Order) -> Order:
        """The order as it is now. Raises OrderFinal, CommandInFlight or OrderRefused."""
        order = self._ledger.account(order.user_id).orders[order.order_id]
        if order.state.is_final:
            raise OrderFinal(f"the order is {order.state.value} and can no longer be changed")
        if order.pending is not None:
            raise CommandInFlight("the effect of another command on this order is not known yet")
        _broker_order_id(order)
        return order

    async def read(self, user_id: str) -> tuple[UpstoxAccount, UpstoxFacts]:
        """The account and its facts. Raises OrderRefused without a link, and Unavailable."""
        if not self._is_live_allowed:
            raise OrderRefused(
                "account: the operator of this service has not allowed orders at Upstox",
                field="account",
                rule="live_orders",
            )
        account = await self._accounts.account(user_id)
        try:
            return account, await account.facts(_FACTS_AGE_SECS)
        except UpstoxUnavailable as error:
            account.ask()  # a refused token is noticed at once
            raise Unavailable(f"the account at Upstox cannot be read: {error}") from None

    def _assess(
        self,
        user_id: str,
        terms: Terms,
        instrument: OrderInstrument,
        facts: UpstoxFacts,
        changes: Order | None = None,
    ) -> Assessment:
        account = self._ledger.account(user_id)
        if self._journal.has_room_for(_UNITS):
            locks = self._ledger.lock_after_upstox_loss(account, facts.loss())
            if locks:
                self._journal.append(locks)
        return self._assessor.assess(account, terms, instrument, changes, facts)

    def placing(self, account: UpstoxAccount, order: Order) -> Sending:
        """Sends a new order that is stored."""
        return Sending(
            "place",
            order.user_id,
            order.order_id,
            lambda check: account.calls.place(order.terms, order.order_id, check),
            self._orders.answered,
        )

    def cancelling(
        self, account: UpstoxAccount, order: Order, command_id: str
    ) -> tuple[list[Record], Sending]:
        """The records of a cancellation, and what sends it. Raises OrderRefused without an id."""
        broker_order_id = _broker_order_id(order)
        records, order = self._orders.command(order, command_id, None)
        return records, Sending(
            "cancel",
            order.user_id,
            order.order_id,
            lambda check: account.calls.cancel(broker_order_id, check),
            lambda now, answer: self._orders.command_answered(now, command_id, answer),
        )

    async def _one(self, account: UpstoxAccount, sending: Sending) -> Outcome:
        records, (answered,) = await self._sender.send(account, [sending])
        view = self._ledger.account(sending.user_id).order_view(answered.order)
        return Outcome(msgspec.json.encode(view), records, _refusal(answered))

    async def many(
        self, account: UpstoxAccount, user_id: str, sendings: Sequence[Sending], ids: Sequence[str]
    ) -> Outcome:
        """Send commands at once; the answer has the orders `ids`."""
        records, _ = await self._sender.send(account, sendings)
        return Outcome(orders_reply(self._ledger, user_id, ids), records)


def _broker_order_id(order: Order) -> str:
    if order.broker_order_id is None:
        raise OrderRefused(
            "order: whether it exists at Upstox is not known yet; it is being looked up",
            rule="order_known",
            value=order.state.value,
        )
    return order.broker_order_id


def _refusal(answered: Answered) -> RequestError | None:
    answer = answered.answer
    if not isinstance(answer, Refused):
        return None
    if answer.is_of_this_side:
        return OrderRefused(answer.detail, rule=answer.code)
    if answer.is_of_final_order:
        return OrderFinal(f"Upstox: {answer.detail}")
    return BrokerRefused(
        f"Upstox refused the command: {answer.detail} ({answer.code})",
        broker_code=answer.code,
        broker_detail=answer.detail,
    )
