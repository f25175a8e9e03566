"""Exits of positions at Upstox: cancel their orders, see these end, then send market orders.

An exit must never trade more than the position, as Upstox listed it. Upstox tells late what was
filled, so a market order is sent only if no other order that closes the position is open or was filled
meanwhile, beyond the quantity that was left out for orders whose existence is not known.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.trading.journal.record import Record
from services.trading.live.facts import UpstoxFacts
from services.trading.live.order_days import OrderDays
from services.trading.orders.order import Order
from services.trading.partition.idempotency import Dispatch, Outcome
from services.trading.partition.ledger import Ledger
from services.trading.partition.upstox_accounts import UpstoxAccounts
from services.trading.partition.upstox_commands import UpstoxCommands
from services.trading.partition.upstox_orders import UpstoxOrders
from services.trading.partition.upstox_sender import Sending, UpstoxSender
from services.trading.portfolio.order_book import Place
from services.trading.store.journal import Journal
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Side,
    Terms,
    Validity,
)
from shared.contracts.trading import ExitRequest
from shared.contracts.trading_replies import PositionView
from shared.errors import CommandInFlight, NotFound

_ENDED_WITHIN_SECS: Final = 2.0
"""The longest wait for the end of cancelled orders."""
POSITION_CHANGED: Final = "position_changed"
"""The code of a market order that was not sent, because it could trade more than the position."""
_DETAIL: Final = (
    "not sent: another order that closes this position is open or was filled meanwhile; "
    "look at the position, and exit again"
)


@dataclass(frozen=True, slots=True)
class _Exit:
    """A market order that closes a position."""

    order_id: str
    place: Place
    not_counted: int
    """Quantity of other closing orders that is left out of this one: it is not known whether they
    exist, so they may be filled."""
    sending: Sending


class UpstoxExits:
    """The exits of one term."""

    def __init__(
        self,
        ledger: Ledger,
        orders: UpstoxOrders,
        accounts: UpstoxAccounts,
        commands: UpstoxCommands,
        sender: UpstoxSender,
        journal: Journal,
        order_days: OrderDays,
    ) -> None:
        self._ledger = ledger
        self._orders = orders
        self._accounts = accounts
        self._commands = commands
        self._sender = sender
        self._journal = journal
        self._order_days = order_days

    async def exit(self, request: ExitRequest) -> Dispatch:
        """Store cancellations of the open orders in the positions, and market orders to close them.

        No rule is checked: an exit reduces risk, and works without market data. Raises NotFound if
        there is no such position, CommandInFlight if all that is left of the positions may be
        closed by orders whose existence is not known, Overloaded if there are too many orders to
        send before the deadline, and what UpstoxCommands.read raises.
        """
        user_id = request.user_id
        (await self._accounts.account(user_id)).forget_facts()
        account, facts = await self._commands.read(user_id)
        positions = [one for one in facts.positions if _quantity(one, facts, request)]
        if request.key is not None and not positions:
            raise NotFound(f"there is no open position in {request.key} with this product")
        self._sender.check()
        left = {_place(one): abs(_quantity(one, facts, request)) for one in positions}
        unknown = {place: self._unknown_quantity(user_id, place) for place in left}
        if left and all(unknown[place] >= left[place] for place in left):
            raise CommandInFlight("orders that close the position may exist; look at the orders")
        records: list[Record] = []
        cancelling: list[Sending] = []
        products = {(key, product) for key, product, _ in left}
        cancelled = [
            order
            for order in self._open_orders(user_id)
            if (order.terms.key, order.terms.product) in products
            and order.broker_order_id is not None
        ]
        pause_secs = _ENDED_WITHIN_SECS if cancelled else 0.0
        self._sender.check_many(user_id, len(cancelled) + len(left), pause_secs=pause_secs)
        for order in cancelled:
            made, sending = self._commands.cancelling(account, order, request.command_key)
            records += made
            cancelling.append(sending)
        exits: list[_Exit] = []
        for position in positions:
            place = _place(position)
            quantity = left[place] - unknown[place]
            if quantity <= 0:
                continue
            prices = Prices(quantity, OrderType.MARKET, Validity.DAY)
            terms = Terms(Account.UPSTOX, position.key, place[2], position.product, prices)
            made, order = self._orders.intend(
                user_id, terms, None, reference_price=position.ltp, is_sent_next=False
            )
            records += made
            sending = self._commands.placing(account, order)
            exits.append(_Exit(order.order_id, place, unknown[place], sending))
        ids = [*(one.order_id for one in cancelling), *(one.order_id for one in exits)]

        async def send() -> Outcome:
            if cancelling:
                await self._sender.send_and_store(account, cancelling)
                secs = min(_ENDED_WITHIN_SECS, self._sender.left_secs())
                await account.wait_ended([one.order_id for one in cancelling], secs)
            sent_next = await self._checked(facts, exits, is_sent_next=True)
            # Others may have been filled while this was stored.
            placing = await self._checked(facts, sent_next, is_sent_next=False)
            sendings = [one.sending for one in placing]
            return await self._commands.many(account, user_id, sendings, ids)

        return Dispatch(ids, records, send)

    async def _checked(
        self, facts: UpstoxFacts, exits: Sequence[_Exit], *, is_sent_next: bool
    ) -> list[_Exit]:
        """The exits that trade no more than the position; the others are recorded as not sent.

        With `is_sent_next`, also stores that they are sent next. Raises Unavailable if that fails.
        """
        while not self._journal.has_room:
            await self._journal.settle()
        safe: list[_Exit] = []
        records: list[Record] = []
        for each in exits:
            user_id = each.sending.user_id
            own = self._ledger.account(user_id)
            others = sum(
                order.open_quantity
                for order in self._open_orders(user_id, each.place)
                if order.order_id != each.order_id
            )
            order = own.orders[each.order_id]
            if others + facts.filled_since(own, each.place) > each.not_counted:
                records += self._orders.not_sent(order, POSITION_CHANGED, _DETAIL)[0]
                continue
            safe.append(each)
            if is_sent_next:
                records += self._orders.sending(order)[0]
        if records:
            await asyncio.shield(self._journal.append(records))
        return safe

    def _open_orders(self, user_id: str, place: Place | None = None) -> list[Order]:
        """Orders at Upstox that may still be filled."""
        now_ms = self._ledger.broker.time_ms
        return [
            order
            for order in self._ledger.account(user_id).open_orders(Account.UPSTOX)
            if not self._order_days.is_over(order, now_ms)
            and place in (None, (order.terms.key, order.terms.product, order.terms.side))
        ]

    def _unknown_quantity(self, user_id: str, place: Place) -> int:
        """The quantity of closing orders without an id at Upstox, which cannot be cancelled."""
        return sum(
            order.open_quantity
            for order in self._open_orders(user_id, place)
            if order.broker_order_id is None
        )


def _place(position: PositionView) -> Place:
    side = Side.SELL if position.quantity > 0 else Side.BUY
    return position.key, position.product, side


def _quantity(position: PositionView, facts: UpstoxFacts, request: ExitRequest) -> int:
    """The signed quantity to close: 0 if the request does not concern the position.

    The exit of all positions does not buy back shares that were sold from the demat account.
    """
    if request.product not in (None, position.product):
        return 0
    if request.key is None:
        return facts.exposed_quantity(position)
    return position.quantity if request.key == position.key else 0
