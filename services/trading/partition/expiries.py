"""Settles the paper positions of expired contracts in cash."""

from datetime import date
from decimal import Decimal
from typing import Final

from services.trading.journal.entry import ContractSettled
from services.trading.journal.record import Record
from services.trading.orders.instrument import OrderInstrument
from services.trading.partition.ledger import Ledger
from services.trading.portfolio.account import PaperAccount
from services.trading.portfolio.position_book import BookedPosition
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start, ist_date, midnight_ms
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_AFTER_CLOSE_MS: Final = 4 * MINUTE_MS
"""Shares and indices have closed ten minutes before their derivatives; commodities close at 23:55
in winter, so their settlement is still on the same day."""
_AFTER_NEXT_OPEN_MS: Final = 15 * MINUTE_MS
_MAX_DAYS_WITHOUT_SESSION: Final = 14


class Expiries:
    """Settles each position once, when the closing price of its expiry day is known."""

    def __init__(self, ledger: Ledger, calendar: Calendar) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._unsettled: set[str] = set()
        """Keys of which a missing price was logged."""

    def due(self, account: PaperAccount, now_ms: int) -> list[Record]:
        """The settlements that are due now, as records to append."""
        records = []
        for booked in account.open_positions():
            price = self._price(booked, now_ms)
            if price is not None:
                body = ContractSettled(
                    at_ms=now_ms, key=booked.instrument.key, product=booked.product, price=price
                )
                records.append(self._ledger.record(account.user_id, body))
        return records

    def _price(self, booked: BookedPosition, now_ms: int) -> Decimal | None:
        """The settlement price of a position; None while it is not due or not known.

        Without a closing price until the next session has begun, it is the contract's own LTP.
        """
        instrument = booked.instrument
        if instrument.expiry is None or instrument.expiry > ist_date(now_ms).isoformat():
            return None
        expiry_ms = midnight_ms(date.fromisoformat(instrument.expiry))
        if now_ms < self._end_ms(instrument.segment, expiry_ms) + _AFTER_CLOSE_MS:
            return None
        next_start_ms = self._next_start_ms(instrument.segment, expiry_ms)
        closing_price = self._closing_price(instrument, expiry_ms, day_start(next_start_ms))
        if closing_price is not None:
            return instrument.price_at_expiry(closing_price)
        if now_ms < next_start_ms + _AFTER_NEXT_OPEN_MS:
            return None
        own_price = self._ledger.broker.ltp(instrument.key)
        if own_price is None and instrument.key not in self._unsettled:
            self._unsettled.add(instrument.key)
            log.warning("expired contract is not settled: no price is known", key=instrument.key)
        return own_price

    def _closing_price(
        self, instrument: OrderInstrument, expiry_ms: int, next_day_ms: int
    ) -> Decimal | None:
        key = instrument.settlement_key
        if key is None:
            return None
        end_ms = self._end_ms(key.partition("|")[0], expiry_ms)
        return self._ledger.broker.closing_price(key, end_ms, next_day_ms)

    def _end_ms(self, segment: str, day_ms: int) -> int:
        """When the session of a day ends; its midnight if the calendar has no session."""
        session = self._calendar.session(segment, day_ms)
        return day_ms + DAY_MS if session is None else session[1]

    def _next_start_ms(self, segment: str, day_ms: int) -> int:
        """Start of the first session after a day."""
        for days in range(1, _MAX_DAYS_WITHOUT_SESSION):
            session = self._calendar.session(segment, day_ms + days * DAY_MS)
            if session is not None:
                return session[0]
        return day_ms + _MAX_DAYS_WITHOUT_SESSION * DAY_MS
