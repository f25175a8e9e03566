"""Actions at fixed times of a trading day: square-off, and settlement at expiry."""

from decimal import Decimal
from typing import Final

from services.trading.journal.record import Record
from services.trading.orders.instrument import OrderInstrument
from services.trading.partition.expiries import Expiries
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from services.trading.portfolio.account import PaperAccount
from services.trading.portfolio.position_book import BookedPosition
from services.trading.risk.square_off import square_off_ms
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import MINUTE_MS

SQUARE_OFF: Final = "square-off of intraday positions"
ORDER_PREFIX: Final = "square-off-"
"""Of the ids of orders that close positions at the end of the day."""
_PROTECTION_PERCENT: Final = Decimal(5)
"""Wider than that of users' orders: the position must be closed."""


class TradingDays:
    """Looks at all accounts once a minute of exchange time."""

    def __init__(self, ledger: Ledger, orders: PaperOrders, calendar: Calendar) -> None:
        self._ledger = ledger
        self._orders = orders
        self._calendar = calendar
        self._expiries = Expiries(ledger, orders, calendar)
        self._minute = 0

    def due(self) -> list[Record]:
        """Carry out what is due now; returns the records to append."""
        now_ms = self._ledger.broker.time_ms
        if now_ms // MINUTE_MS == self._minute:
            return []
        self._minute = now_ms // MINUTE_MS
        records: list[Record] = []
        for account in list(self._ledger.accounts()):
            records += self._expiries.due(account, now_ms)
            records += self._square_off(account, now_ms)
        return records

    def _square_off(self, account: PaperAccount, now_ms: int) -> list[Record]:
        """Cancel open intraday orders, then close the positions by market orders."""
        records: list[Record] = []
        for order in account.open_orders(Account.PAPER):
            if (
                order.terms.product is Product.INTRADAY
                and not order.order_id.startswith(ORDER_PREFIX)
                and self._is_due(account.instrument_of(order.order_id), now_ms)
            ):
                command_id = f"{ORDER_PREFIX}{order.order_id}"
                records += self._orders.cancel(order, command_id, SQUARE_OFF)[0]
        leaving = {
            order.terms.key
            for order in account.open_orders()
            if order.order_id.startswith(ORDER_PREFIX)
        }
        for booked in account.open_positions():
            if (
                booked.product is Product.INTRADAY
                and booked.instrument.key not in leaving
                and self._is_due(booked.instrument, now_ms)
            ):
                records += self._close(account, booked)
        return records

    def _close(self, account: PaperAccount, booked: BookedPosition) -> list[Record]:
        quantity = booked.position.quantity
        side = Side.SELL if quantity > 0 else Side.BUY
        prices = Prices(abs(quantity), OrderType.MARKET, Validity.DAY)
        terms = Terms(
            Account.PAPER, booked.instrument.key, side, Product.INTRADAY, prices,
            _PROTECTION_PERCENT,
        )  # fmt: skip
        records, _ = self._orders.accept(
            account.user_id,
            terms,
            booked.instrument,
            margin=Decimal(0),
            reference_price=self._ledger.broker.ltp(booked.instrument.key),
            id_prefix=ORDER_PREFIX,
        )
        return records

    def _is_due(self, instrument: OrderInstrument, now_ms: int) -> bool:
        session = self._calendar.session(instrument.segment, now_ms)
        if session is None:
            return False
        due_ms = square_off_ms(
            instrument.segment, session[1], has_derivatives=instrument.has_derivatives
        )
        return due_ms <= now_ms < session[1]
