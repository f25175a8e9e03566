"""Folds the entries of a user's journal into the state of the paper account."""

from datetime import date
from decimal import Decimal

import msgspec

from services.trading.journal.entry import (
    AccountReset,
    ContractSettled,
    DayEnded,
    Entry,
    KillSwitchSet,
    LossLocked,
    LossLockLifted,
    OrderChanged,
)
from services.trading.orders import events
from services.trading.portfolio.account_state import AccountState
from services.trading.portfolio.day_charges import DayCharges
from services.trading.portfolio.holdings import Holdings
from services.trading.portfolio.position_book import PositionBook
from services.trading.portfolio.settlement import settle_day
from shared.contracts.order_terms import Account, Side
from shared.market.exchange_time import ist_date


def apply_entry(state: AccountState, entry: Entry) -> None:
    """Apply the next entry in place.

    Raises ValueError for an entry of another user, a gap, a day that has ended already, an event
    that does not fit its order, or a settlement without a position; the state is then unchanged.
    """
    if entry.user_id != state.user_id or entry.seq != state.seq + 1:
        raise ValueError(
            f"entry {entry.seq} of {entry.user_id} does not follow {state.seq} of {state.user_id}"
        )
    match entry.body:
        case OrderChanged(order_id=order_id, event=event):
            _apply_event(state, order_id, event)
        case DayEnded():
            _end_day(state, entry.body)
        case ContractSettled():
            _settle_contract(state, entry.body)
        case AccountReset():
            _reset(state)
        case KillSwitchSet():
            _set_kill_switch(state, entry.body)
        case LossLocked():
            _lock(state, entry.body)
        case LossLockLifted():
            state.loss_locked, state.loss_lock_lifted = None, entry.body
    state.seq, state.at_ms = entry.seq, entry_time_ms(entry)
    is_nothing_begun = isinstance(entry.body, DayEnded) or state.is_settled
    state.day_began_ms = 0 if is_nothing_begun else state.day_began_ms or state.at_ms


def entry_time_ms(entry: Entry) -> int:
    """The exchange time of an entry, epoch ms."""
    body = entry.body
    return body.event.at_ms if isinstance(body, OrderChanged) else body.at_ms


def _apply_event(state: AccountState, order_id: str, event: events.OrderEvent) -> None:
    is_new_trade = state.orders.apply(order_id, event)
    instrument = state.orders.instruments.get(order_id)
    if instrument is None or not is_new_trade or not isinstance(event, events.Filled):
        return  # orders at a broker have no effect on the paper account
    terms = state.orders.orders[order_id].terms
    booked = state.positions.fill(
        instrument, terms.product, terms.side, event.quantity, event.price
    )
    is_buy = terms.side is Side.BUY
    state.charges.add(
        order_id,
        instrument,
        event.price * event.quantity * instrument.multiplier,
        is_buy=is_buy,
        is_demat_sale=not is_buy and booked.quantity_from(state.holdings) > 0,
        on=ist_date(event.traded_at_ms),
    )


def _end_day(state: AccountState, ended: DayEnded) -> None:
    if ended.day <= state.ended_day:
        raise ValueError(f"{ended.day} does not follow {state.ended_day}, the last day that ended")
    state.ended_day = ended.day
    state.cash += settle_day(state.positions, state.holdings) - state.charges.total
    state.charges = DayCharges()
    state.orders.start_day()
    state.mark(ended.marks)
    state.loss_locked = state.upstox_loss_locked = state.loss_lock_lifted = None


def _settle_contract(state: AccountState, settled: ContractSettled) -> None:
    booked = state.positions.find(settled.key, settled.product)
    expiry = None if booked is None else booked.instrument.expiry
    if booked is None or not booked.position.lots or expiry is None:
        raise ValueError(f"there is no position in {settled.key} to settle")
    position = booked.position
    quantity, was_long = abs(position.quantity), position.is_long
    position.fill(Side.SELL if was_long else Side.BUY, quantity, settled.price)
    booked.settled_price = settled.price
    if was_long:
        value = settled.price * quantity * position.multiplier
        state.charges.add_exercise(booked.instrument, value, date.fromisoformat(expiry))


def _lock(state: AccountState, locked: LossLocked) -> None:
    if locked.account is Account.UPSTOX:
        state.upstox_loss_locked = locked
    else:
        state.loss_locked = locked


def _set_kill_switch(state: AccountState, body: KillSwitchSet) -> None:
    switch = body if body.is_on else None
    if body.by:
        state.admin_switch = switch
    else:
        state.user_switch = switch


def _reset(state: AccountState) -> None:
    state.cash = state.opening_cash
    state.positions, state.holdings = PositionBook(), Holdings()
    state.charges = DayCharges()
    state.orders.reset_paper()
    state.mark({})
    if state.loss_lock_lifted is not None:  # the loss of the day begins at 0 again
        state.loss_lock_lifted = msgspec.structs.replace(state.loss_lock_lifted, loss=Decimal(0))
