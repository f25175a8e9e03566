"""Orders and trades from the rows of Upstox's order book, order history, trades and stream."""

from typing import Final

from services.trading.orders.broker_report import UPSTOX_STATES, BrokerReport
from services.trading.upstox.row_fields import (
    BadRow,
    Row,
    choice,
    identifier,
    optional_text,
    price,
    row_object,
    text,
    time_ms,
    whole,
    words,
)
from services.trading.upstox.rows import OrderRow, TradeRow
from shared.contracts.order_terms import OrderType, Prices, Product, Side, Validity

_MAX_WORDS_CHARS: Final = 300
_KEY_SEPARATOR: Final = "|"
_NOT_MODIFIED: Final = "not modified"
_TERMS_ARE_NOT_IN_FORCE: Final = frozenset(
    {"modify validation pending", "modify pending", _NOT_MODIFIED}
)
"""Whether such a row has the terms before or after the modification is not documented."""


def order_row(row: object) -> OrderRow:
    """The order of a row of the order book, of a history or of the stream. Raises BadRow.

    Parents, references and trading symbols differ between Upstox's calls and are not read: rows
    belong together by `order_id` alone.
    """
    fields = row_object(row)
    status = text(fields, "status")
    state = UPSTOX_STATES.get(status)
    if state is None:
        raise BadRow("status", f"is not known: {status[:40]}")
    prices = _prices(fields)
    report = BrokerReport(
        broker_order_id=identifier(fields, "order_id"),
        state=state,
        at_ms=_reported_at_ms(fields),
        prices=None if status in _TERMS_ARE_NOT_IN_FORCE else prices,
        detail=_detail(fields),
        is_not_modified=status == _NOT_MODIFIED,
    )
    return OrderRow(
        report=report,
        tag=optional_text(fields, "tag"),
        key=_key(fields),
        side=choice(fields, "transaction_type", Side),
        product=choice(fields, "product", Product),
        filled_quantity=whole(fields, "filled_quantity", low=0),
        is_at_exchange=_has_exchange_order_id(fields),
    )


def order_names(row: object) -> set[str]:
    """Upstox's id and the tag of a row, of which nothing else needs to be right. Raises BadRow."""
    fields = row_object(row)
    return {identifier(fields, "order_id"), optional_text(fields, "tag") or ""} - {""}


def trade_row(row: object) -> TradeRow:
    """The trade of a row. Raises BadRow."""
    fields = row_object(row)
    traded_at_ms = time_ms(fields, "exchange_timestamp") or time_ms(fields, "order_timestamp")
    if traded_at_ms is None:
        raise BadRow("exchange_timestamp", "is missing")
    traded_price = price(fields, "average_price")
    if traded_price is None:
        raise BadRow("average_price", "is missing or zero")
    return TradeRow(
        broker_order_id=identifier(fields, "order_id"),
        trade_id=identifier(fields, "trade_id"),
        key=_key(fields),
        side=choice(fields, "transaction_type", Side),
        product=choice(fields, "product", Product),
        quantity=whole(fields, "quantity", low=1),
        price=traded_price,
        traded_at_ms=traded_at_ms,
    )


def _prices(fields: Row) -> Prices:
    order_type = choice(fields, "order_type", OrderType)
    limit, trigger = price(fields, "price"), price(fields, "trigger_price")
    if order_type.has_limit and limit is None:
        raise BadRow("price", f"is missing in an order of type {order_type}")
    return Prices(
        quantity=whole(fields, "quantity", low=1),
        order_type=order_type,
        validity=choice(fields, "validity", Validity),
        price=limit if order_type.has_limit else None,
        # Zero after the trigger was reached.
        trigger_price=trigger if order_type.has_trigger else None,
        disclosed_quantity=whole(fields, "disclosed_quantity", low=0, default=0),
    )


def _reported_at_ms(fields: Row) -> int:
    """When the order reached this state, as far as Upstox says.

    `order_timestamp` is the time of placing. `exchange_timestamp` is the time of the last change at
    the exchange; it is null until the order gets there. So the later one is the time of the state.
    """
    times = (time_ms(fields, "order_timestamp"), time_ms(fields, "exchange_timestamp"))
    at_ms = max(filter(None, times), default=None)
    if at_ms is None:
        raise BadRow("order_timestamp", "is missing")
    return at_ms


def _key(fields: Row) -> str:
    """The instrument key. The stream has it in `instrument_key`, next to a token that may be one."""
    token, key = optional_text(fields, "instrument_token"), optional_text(fields, "instrument_key")
    for found in (token, key):
        if found is not None and _KEY_SEPARATOR in found:
            return found
    # Upstox's example of a trade has a number here. The order id says which instrument it is.
    found = token or key
    if found is None:
        raise BadRow("instrument_token", "is missing")
    return found


def _has_exchange_order_id(fields: Row) -> bool:
    name = "exchange_order_id"
    if isinstance(fields.get(name), int):
        return identifier(fields, name) != ""
    return optional_text(fields, name) is not None


def _detail(fields: Row) -> str:
    raw = words(fields, "status_message_raw", _MAX_WORDS_CHARS)
    return words(fields, "status_message", _MAX_WORDS_CHARS) or raw
