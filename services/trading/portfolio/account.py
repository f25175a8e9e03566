"""A paper account: the pure fold of the journal's entries of its user.

It reads no clock and no price of its own: the same entries give the same account, byte for byte.
Prices that a view needs are passed to it.
"""

from decimal import Decimal
from typing import Final

import msgspec

from services.trading.journal.entry import (
    ContractSettled,
    Entry,
    KillSwitchSet,
    LossLocked,
    LossLockLifted,
    OrderChanged,
)
from services.trading.orders import events
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.portfolio.account_state import AccountState
from services.trading.portfolio.entry_fold import apply_entry, entry_time_ms
from services.trading.portfolio.order_book import Place
from services.trading.portfolio.position_book import BookedPosition
from services.trading.portfolio.position_margin import Ltp
from services.trading.portfolio.views import (
    holding_view,
    order_view,
    position_view,
    switch_view,
)
from shared.contracts import trading_replies as replies
from shared.contracts.order_terms import Account, Product, Side
from shared.contracts.trading import MAX_ORDERS

_PROGRESS: Final = (events.Sending, events.Accepted, events.Reported)
"""Unless the order ends by them, they change no money."""


class PaperAccount:
    """Orders of all accounts of a user; positions, holdings and funds of the paper account."""

    def __init__(
        self, user_id: str, opening_cash: Decimal, *, state: AccountState | None = None
    ) -> None:
        self._state = state or AccountState(user_id, opening_cash, opening_cash)

    @classmethod
    def from_state(cls, snapshot: bytes) -> "PaperAccount":
        """The account of a snapshot. Raises msgspec.DecodeError if it is none of this version."""
        state = msgspec.msgpack.decode(snapshot, type=AccountState)
        return cls(state.user_id, state.opening_cash, state=state)

    def state(self) -> bytes:
        """A snapshot; the entries after `seq` complete it."""
        return msgspec.msgpack.encode(self._state)

    @property
    def user_id(self) -> str:
        """The owner."""
        return self._state.user_id

    @property
    def seq(self) -> int:
        """The number of the newest entry."""
        return self._state.seq

    @property
    def orders(self) -> dict[str, Order]:
        """The orders of the trading day, oldest first; callers must not change it."""
        return self._state.orders.orders

    @property
    def day_began_ms(self) -> int:
        """Time since which the account has something of a trading day that has not ended.

        0 for what earlier days have left, and for an account that is settled.
        """
        return self._state.day_began_ms

    @property
    def is_settled(self) -> bool:
        """Whether the end of a trading day would change nothing."""
        return self._state.is_settled

    @property
    def kill_switches(self) -> list[replies.ActiveSwitch]:
        """The user's own switch, and that of administrators for this user, while they are on."""
        switches = (self._state.user_switch, self._state.admin_switch)
        return [switch_view(switch) for switch in switches if switch is not None]

    @property
    def locked_loss(self) -> Decimal | None:
        """The loss at which the loss lock was set on this trading day; None while it is off."""
        locked = self._state.loss_locked
        return None if locked is None else locked.loss

    @property
    def upstox_locked_loss(self) -> Decimal | None:
        """The same of the account at Upstox."""
        locked = self._state.upstox_loss_locked
        return None if locked is None else locked.loss

    @property
    def lifted_loss(self) -> Decimal | None:
        """The loss at which the lock was lifted on this trading day; None if it was not."""
        lifted = self._state.loss_lock_lifted
        return None if lifted is None else lifted.loss

    @property
    def ended_day(self) -> str:
        """The last trading day that has ended, ``YYYY-MM-DD``; empty before the first."""
        return self._state.ended_day

    def mark(self, key: str) -> Decimal | None:
        """The last price of a carried position at the end of the last day; None if not known."""
        return self._state.marks.get(key)

    @property
    def daily_orders(self) -> int:
        """Orders that were intended on this trading day, also before a reset."""
        return self._state.orders.daily_orders

    def apply(self, entry: Entry) -> None:
        """Apply the next entry.

        Raises ValueError for an entry of another user, a gap, a day that has ended already, or an
        event that does not fit its order; the account is then unchanged.
        """
        apply_entry(self._state, entry)

    def open_orders(self, account: Account | None = None) -> list[Order]:
        """Orders of one account, or of all, that can still be filled, oldest first."""
        return self._state.orders.open_orders(account)

    def open_quantity(
        self, account: Account, key: str, product: Product, side: Side, without: str | None = None
    ) -> int:
        """Quantity that open orders of an account, except one, can still buy or sell."""
        return self._state.orders.open_quantity(
            key, product, side, account=account, without=without
        )

    def filled_quantities(self, account: Account) -> dict[Place, int]:
        """Filled quantities of the orders of an account at a broker."""
        return self._state.orders.filled_quantities(account)

    def filled_quantity(self, account: Account, place: Place) -> int:
        """The same of one instrument, product and side."""
        return self.filled_quantities(account).get(place, 0)

    def instrument_of(self, order_id: str) -> OrderInstrument:
        """The instrument of a paper order of the day. Raises KeyError."""
        return self._state.orders.instruments[order_id]

    def order_view(self, order: Order) -> replies.OrderView:
        """An order as the user sees it."""
        is_charged = order.terms.account is Account.PAPER and order.fills
        charges = self._state.charges.of(order.order_id) if is_charged else None
        return order_view(order, charges)

    def order_views(
        self, account: Account, *, open_only: bool = False, limit: int = MAX_ORDERS
    ) -> list[replies.OrderView]:
        """Orders of the trading day, the newest first: of those of one moment, the last one."""
        orders = self.open_orders() if open_only else [*self.orders.values()]
        orders.reverse()
        newest = sorted(orders, key=lambda order: -order.created_at_ms)
        of_account = [order for order in newest if order.terms.account is account]
        return [self.order_view(order) for order in of_account[:limit]]

    def trades(self, account: Account, limit: int = MAX_ORDERS) -> list[replies.Trade]:
        """Trades of the trading day, the newest first."""
        newest = reversed(self._state.orders.trades)
        of_account = [
            trade for trade in newest if self.orders[trade.order_id].terms.account is account
        ]
        return of_account[:limit]

    def positions(self, ltp: Ltp) -> replies.Positions:
        """Positions of the trading day, closed ones included."""
        state = self._state
        views = [
            position_view(booked, state.holdings, ltp(booked.instrument.key))
            for booked in state.positions.booked.values()
        ]
        return replies.Positions(positions=views, charges=state.charges.total)

    def position_view(self, key: str, product: Product, ltp: Ltp) -> replies.PositionView | None:
        """One position; None without a trade of the day or a carried quantity."""
        booked = self._state.positions.find(key, product)
        return None if booked is None else position_view(booked, self._state.holdings, ltp(key))

    def holdings(self, ltp: Ltp) -> replies.Holdings:
        """Shares in the demat account and T1. Sales of today still count as held."""
        held = self._state.holdings.shares.items()
        return replies.Holdings(
            holdings=[holding_view(key, shares, ltp(key)) for key, shares in held]
        )

    def funds(self, ltp: Ltp) -> replies.Funds:
        """Money of the account."""
        return self._state.funds(ltp)

    def charges(self) -> Decimal:
        """All charges of the trading day."""
        return self._state.charges.total

    def loss(self, ltp: Ltp) -> Decimal:
        """Realised and marked loss of the day, after charges; negative for a profit.

        Carried positions are counted from the marks of the last day's end.
        """
        return self._state.loss(ltp)

    def open_positions(self) -> list[BookedPosition]:
        """Positions with a quantity."""
        return [one for one in self._state.positions.booked.values() if one.position.lots]

    def net_quantity(self, key: str, product: Product) -> int:
        """Of today's and carried positions; negative for a short one."""
        return self._state.positions.quantity(key, product)

    def exposed_quantity(self, booked: BookedPosition) -> int:
        """Of a position; signed, without the sale of shares that the holding delivers."""
        return booked.exposure(self._state.holdings).quantity

    def order_margin(self, order_id: str) -> Decimal:
        """Amount that is reserved for one order."""
        return self._state.orders.reserved_for(order_id)

    def closable(self, key: str, product: Product, *, without: str | None = None) -> int:
        """The quantity that an order can close, less what open orders will close.

        Positive: it can be sold, for delivery from holding, T1 and today's position. Negative: it
        is short, and can be bought. `without`: an open order that does not count, since it is
        being modified.
        """
        state = self._state
        held = state.positions.quantity(key, product)
        if product is Product.DELIVERY:
            held += state.holdings.quantity(key)
        side = Side.SELL if held > 0 else Side.BUY
        open_quantity = state.orders.open_quantity(key, product, side, without=without)
        left = max(0, abs(held) - open_quantity)
        return left if held > 0 else -left

    def is_first_demat_sale(self, key: str, quantity: int) -> bool:
        """Whether a delivery sale of this quantity would be the day's first from the holding."""
        state = self._state
        bought_today = max(0, state.positions.quantity(key, Product.DELIVERY))
        return (
            quantity > bought_today
            and state.holdings.quantity(key) > 0
            and key not in state.charges.sold_from_demat
        )

    def user_event(self, entry: Entry, ltp: Ltp) -> replies.UserEvent:
        """The user's event for the newest entry. Raises ValueError for another one.

        An event of the kind `limits` is without them: they are no part of the account.
        """
        if entry.seq != self.seq:
            raise ValueError(f"entry {entry.seq} is not the newest, {self.seq}")
        at = entry_time_ms(entry)
        if isinstance(entry.body, KillSwitchSet | LossLocked | LossLockLifted):
            return replies.UserEvent(seq=entry.seq, kind=replies.EventKind.LIMITS, at=at)
        if isinstance(entry.body, ContractSettled):
            return replies.UserEvent(
                seq=entry.seq,
                kind=replies.EventKind.SETTLEMENT,
                at=at,
                position=self.position_view(entry.body.key, entry.body.product, ltp),
                funds=self.funds(ltp),
            )
        if not isinstance(entry.body, OrderChanged):
            return replies.UserEvent(
                seq=entry.seq, kind=replies.EventKind.FUNDS, at=at, funds=self.funds(ltp)
            )
        order = self.orders[entry.body.order_id]
        view = self.order_view(order)
        event = entry.body.event
        terms = order.terms
        is_paper = terms.account is Account.PAPER
        is_progress = isinstance(event, _PROGRESS) and not order.state.is_final
        funds = self.funds(ltp) if is_paper and not is_progress else None
        if not isinstance(event, events.Filled):
            return replies.UserEvent(
                seq=entry.seq, kind=replies.EventKind.ORDER, at=at, order=view, funds=funds
            )
        return replies.UserEvent(
            seq=entry.seq,
            kind=replies.EventKind.FILL,
            at=at,
            order=view,
            trade=self._state.orders.trade(order.order_id, event.trade_id),
            position=self.position_view(terms.key, terms.product, ltp) if is_paper else None,
            funds=funds,
        )
