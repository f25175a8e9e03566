"""Orders, positions, holdings and switches as their user sees them.

Averages are rounded to a hundredth of a paisa; all sums and quantities are exact.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from services.trading.journal.entry import KillSwitchSet
from services.trading.orders.order import Order
from services.trading.orders.order_state import OrderState
from services.trading.portfolio.holdings import HeldShares, Holdings
from services.trading.portfolio.position import quantity_of, value_of
from services.trading.portfolio.position_book import BookedPosition
from shared.contracts.trading_replies import (
    ActiveSwitch,
    Holding,
    OrderView,
    Pending,
    PositionView,
    SwitchScope,
    SwitchSetter,
)

_AVERAGE_UNIT: Final = Decimal("0.0001")
_OUTCOME_UNKNOWN: Final = "outcome_unknown"
"""The code of an order whose day is over without news of its end."""
_FILLS_MAY_BE_MISSING: Final = (
    "its day has ended, and fills may be missing here: see the broker's contract note"
)


def order_view(order: Order, charges: Decimal | None) -> OrderView:
    """An order with the terms that are in force; `charges` of its fills, None if not known."""
    terms, prices = order.terms, order.prices
    is_unknown = order.is_expired and order.state is OrderState.EXPIRED
    return OrderView(
        order_id=order.order_id,
        account=terms.account,
        key=terms.key,
        side=terms.side,
        product=terms.product,
        order_type=prices.order_type,
        validity=prices.validity,
        quantity=prices.quantity,
        filled_quantity=order.filled_quantity,
        state=order.state.value,
        created_at=order.created_at_ms,
        event_count=order.event_count,
        price=prices.price,
        trigger_price=prices.trigger_price,
        disclosed_quantity=prices.disclosed_quantity,
        market_protection_percent=terms.market_protection_percent,
        average_price=_average(order.average_price),
        broker_order_id=order.broker_order_id,
        charges=charges,
        code=_OUTCOME_UNKNOWN if is_unknown else order.code or None,
        detail=_FILLS_MAY_BE_MISSING if is_unknown else order.detail or _reported(order),
        pending=_pending(order),
        external=order.is_external,
    )


def position_view(booked: BookedPosition, holdings: Holdings, ltp: Decimal | None) -> PositionView:
    """A position; what holdings will deliver has no unrealised profit."""
    position = booked.position
    exposure = booked.exposure(holdings)
    unrealised = None if ltp is None else exposure.unrealised(ltp)
    return PositionView(
        key=booked.instrument.key,
        product=booked.product,
        quantity=position.quantity,
        buy_quantity=position.buy_quantity,
        buy_value=position.buy_value,
        sell_quantity=position.sell_quantity,
        sell_value=position.sell_value,
        realised=position.realised,
        average_price=_average(position.average_price),
        ltp=ltp,
        unrealised=unrealised if exposure.lots else Decimal(0),
        settled_price=booked.settled_price,
    )


def holding_view(key: str, shares: HeldShares, ltp: Decimal | None) -> Holding:
    """The shares of one instrument."""
    lots = shares.lots
    average = (value_of(lots) / quantity_of(lots)).quantize(_AVERAGE_UNIT, ROUND_HALF_UP)
    return Holding(
        key=key,
        quantity=quantity_of(shares.settled),
        t1_quantity=quantity_of(shares.arriving),
        average_price=average,
        ltp=ltp,
    )


def switch_view(switch: KillSwitchSet) -> ActiveSwitch:
    """A kill switch of the user that is on. The user is not told which administrator set it."""
    return ActiveSwitch(
        scope=SwitchScope.USER,
        set_by=SwitchSetter.ADMINISTRATOR if switch.by else SwitchSetter.USER,
        at=switch.at_ms,
        reason=switch.reason,
    )


def _average(price: Decimal | None) -> Decimal | None:
    return None if price is None else price.quantize(_AVERAGE_UNIT, ROUND_HALF_UP)


def _pending(order: Order) -> Pending | None:
    if order.pending is None or order.state.is_final:
        return None
    return Pending.CANCEL if order.pending.prices is None else Pending.MODIFY


def _reported(order: Order) -> str | None:
    """The broker's words in its last report; None without any."""
    return None if order.report is None else order.report.detail or None
