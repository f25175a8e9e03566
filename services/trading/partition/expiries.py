"""Settles the paper positions of expired contracts in cash."""

from datetime import date
from decimal import Decimal
from typing import Final

from services.trading.journal.entry import ContractSettled
from services.trading.journal.record import Record
from services.trading.orders.instrument import OrderInstrument
from services.trading.partition.ledger import Ledger
from services.trading.partition.paper_orders import PaperOrders
from services.trading.portfolio.account import PaperAccount
from shared.contracts.order_terms import Account
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start, ist_date, midnight_ms
from shared.runtime.logs import get_logger

log = get_logger(__name__)

EXPIRED: Final = "the contract has expired"
ORDER_PREFIX: Final = "expiry-"
_AFTER_CLOSE_MS: Final = 4 * MINUTE_MS
"""Shares and indices have closed ten minutes before their derivatives; commodities close at 23:55
in winter, so their settlement is still on the same day."""
_AWAITED_MS: Final = 15 * MINUTE_MS
"""How long a closing price is awaited, in the next session and from a connected feed."""
_MAX_DAYS_WITHOUT_SESSION: Final = 14


class Expiries:
    """Settles each position once, when the closing price of its expiry day is known."""

    def __init__(self, ledger: Ledger, orders: PaperOrders, calendar: Calendar) -> None:
        self._ledger = ledger
        self._orders = orders
        self._calendar = calendar
        self._unsettled: set[str] = set()
        """Keys of which a missing price was logged."""

    def due(self, account: PaperAccount, now_ms: int) -> list[Record]:
        """Cancel orders in expired contracts, and settle the positions whose price is known.

        Returns the records to append.
        """
        records: list[Record] = []
        for order in account.open_orders(Account.PAPER):
            if self._is_over(account.instrument_of(order.order_id), now_ms):
                command_id = f"{ORDER_PREFIX}{order.order_id}"
                records += self._orders.cancel(order, command_id, EXPIRED)[0]
        for booked in account.open_positions():
            instrument = booked.instrument
            if not self._is_over(instrument, now_ms):
                continue
            price = self._closing_price(instrument)
            if price is None:
                price = self._last_resort(account, instrument, now_ms)
            if price is not None:
                body = ContractSettled(
                    at_ms=now_ms, key=instrument.key, product=booked.product, price=price
                )
                records.append(self._ledger.record(account.user_id, body))
        return records

    def _is_over(self, instrument: OrderInstrument, now_ms: int) -> bool:
        """Whether the contract's last session has ended, some minutes ago."""
        if instrument.expiry is None or instrument.expiry > ist_date(now_ms).isoformat():
            return False
        end_ms = self._end_ms(instrument.segment, _expiry_ms(instrument))
        return now_ms >= end_ms + _AFTER_CLOSE_MS

    def _closing_price(self, instrument: OrderInstrument) -> Decimal | None:
        """The value of the contract at the closing price of its expiry day; None if not known."""
        key = instrument.settlement_key
        if key is None:
            return None
        segment, expiry_ms = key.partition("|")[0], _expiry_ms(instrument)
        next_day_ms = day_start(self._next_start_ms(segment, expiry_ms))
        price = self._ledger.broker.closing_price(
            key, self._end_ms(segment, expiry_ms), next_day_ms
        )
        return None if price is None else instrument.price_at_expiry(price)

    def _last_resort(
        self, account: PaperAccount, instrument: OrderInstrument, now_ms: int
    ) -> Decimal | None:
        """Another price, once a closing price is no longer awaited; None before, or without any.

        The contract's own LTP, its mark at the end of the last day, or its value at the LTP of the
        underlying.
        """
        broker, key = self._ledger.broker, instrument.key
        next_start_ms = self._next_start_ms(instrument.segment, _expiry_ms(instrument))
        if now_ms < next_start_ms + _AWAITED_MS or broker.connected_ms < _AWAITED_MS:
            return None
        price = broker.ltp(key)
        if price is None:
            price = account.mark(key)
        if price is None and instrument.settlement_key is not None:
            underlying = broker.ltp(instrument.settlement_key)
            price = None if underlying is None else instrument.price_at_expiry(underlying)
        if price is not None:
            log.warning("expired contract settled without closing price", key=key, price=price)
        elif key not in self._unsettled:
            self._unsettled.add(key)
            log.warning("expired contract is not settled: no price is known", key=key)
        return price

    def _end_ms(self, segment: str, day_ms: int) -> int:
        """When the session of a day ends; the end of the day without a session."""
        session = self._calendar.session(segment, day_ms)
        end_ms = day_ms + DAY_MS
        return end_ms if session is None else min(session[1], end_ms)

    def _next_start_ms(self, segment: str, day_ms: int) -> int:
        """Start of the first session after a day."""
        for days in range(1, _MAX_DAYS_WITHOUT_SESSION):
            session = self._calendar.session(segment, day_ms + days * DAY_MS)
            if session is not None:
                return session[0]
        return day_ms + _MAX_DAYS_WITHOUT_SESSION * DAY_MS


def _expiry_ms(instrument: OrderInstrument) -> int:
    """00:00 IST of the expiry day, epoch ms."""
    assert instrument.expiry is not None
    return midnight_ms(date.fromisoformat(instrument.expiry))
