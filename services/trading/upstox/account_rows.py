"""Positions, holdings and funds from Upstox's answers.

Profit and loss are computed from quantities and values. Those that Upstox sends are not used: its
own example has an average price of null and an unrealised loss of 658,304.25 rupees on 15 options.
"""

from decimal import Decimal
from typing import Final

from services.trading.upstox.row_fields import (
    MAX_QUANTITY,
    BadRow,
    Row,
    amount,
    choice,
    plain,
    price,
    rounded_amount,
    row_object,
    text,
    whole,
)
from shared.contracts.order_terms import Account, Product
from shared.contracts.trading_replies import Funds, Holding, PositionView

_ZERO: Final = Decimal(0)


def position_view(row: object) -> PositionView:
    """The position of a row, with what was carried overnight. Raises BadRow.

    Values count the multiplier of commodities. All purchases of a position have one average
    price, and so have all sales.
    """
    fields = row_object(row)
    multiplier = _multiplier(fields)
    bought = _quantity(fields, "buy")
    sold = _quantity(fields, "sell")
    quantity = whole(fields, "quantity", low=-MAX_QUANTITY)
    if quantity != bought - sold:
        raise BadRow("quantity", "is not the bought quantity less the sold one")
    buy_value, sell_value = _value(fields, "buy"), _value(fields, "sell")
    open_value = _open_value(quantity, bought, buy_value, sold, sell_value)
    ltp = price(fields, "last_price")
    market_value = None if ltp is None else ltp * quantity * multiplier
    average = None if not quantity else abs(open_value) / abs(quantity) / multiplier
    return PositionView(
        key=_key(fields),
        product=choice(fields, "product", Product),
        quantity=quantity,
        buy_quantity=bought,
        buy_value=buy_value,
        sell_quantity=sold,
        sell_value=sell_value,
        realised=plain(sell_value - buy_value + open_value),
        average_price=None if average is None else rounded_amount(average),
        ltp=ltp,
        unrealised=None if market_value is None else plain(market_value - open_value),
    )


def holding_view(row: object) -> Holding:
    """The holding of a row. Raises BadRow."""
    fields = row_object(row)
    return Holding(
        key=_key(fields),
        quantity=whole(fields, "quantity", low=0),
        t1_quantity=whole(fields, "t1_quantity", low=0, default=0),
        average_price=amount(fields, "average_price", low=_ZERO),
        ltp=price(fields, "last_price"),
    )


def funds_view(data: object) -> Funds:
    """The funds of the v3 call. Raises BadRow.

    Upstox does not divide what is used among open orders and positions, and has neither the day's
    charges nor its profit before them.
    """
    available = _part(row_object(data), "available_to_trade")
    cash = _part(available, "cash_available_to_trade")
    pledge = available.get("pledge_available_to_trade")
    used = _used(cash)
    return Funds(
        account=Account.UPSTOX,
        # Before what is used: the opening balance with today's payments and sales.
        cash=rounded_amount(amount(cash, "total") + used),
        available=amount(available, "total"),
        used=used if pledge is None else rounded_amount(used + _used(row_object(pledge))),
    )


def _used(part: Row) -> Decimal:
    if part.get("margin_used") is None:
        return _ZERO
    return amount(_part(part, "margin_used"), "total")


def _part(fields: Row, field: str) -> Row:
    value = fields.get(field)
    if not isinstance(value, dict):
        raise BadRow(field, "is not an object")
    return value


def _key(fields: Row) -> str:
    key = text(fields, "instrument_token")
    if "|" not in key:
        raise BadRow("instrument_token", "is not an instrument key")
    return key


def _multiplier(fields: Row) -> Decimal:
    if fields.get("multiplier") is None:
        return Decimal(1)
    multiplier = amount(fields, "multiplier", low=_ZERO)
    if not multiplier:
        raise BadRow("multiplier", "is zero")
    return multiplier


def _quantity(fields: Row, side: str) -> int:
    """Bought or sold: on the day, and before it as far as it is still open."""
    of_day = whole(fields, f"day_{side}_quantity", low=0)
    return of_day + whole(fields, f"overnight_{side}_quantity", low=0)


def _value(fields: Row, side: str) -> Decimal:
    of_day = amount(fields, f"day_{side}_value", low=_ZERO)
    return of_day + amount(fields, f"overnight_{side}_amount", low=_ZERO)


def _open_value(
    quantity: int, bought: int, buy_value: Decimal, sold: int, sell_value: Decimal
) -> Decimal:
    """Cost of the open quantity; for a short position its proceeds, as a negative amount.

    Rounded here, so that realised and unrealised profit have an exact sum.
    """
    if quantity > 0:
        return rounded_amount(buy_value * quantity / bought)
    if quantity < 0:
        return rounded_amount(sell_value * quantity / sold)
    return _ZERO
