"""The paper broker of a partition: all users' resting orders, driven by the entries of TICKS.

Deterministic: the same entries and commands in the same order give the same results, also after a
restore from `state` at any position between them.
"""

from decimal import Decimal
from typing import Protocol

from services.trading.paper.broker_state import (
    STATE_VERSION,
    PaperBrokerState,
    decode_state,
    encode_state,
)
from services.trading.paper.instrument_orders import (
    InstrumentFacts,
    InstrumentOrders,
    UserResult,
)
from services.trading.paper.market import Candle, Quote, exact_price
from services.trading.paper.market_view import MarketView
from services.trading.paper.progress import Progress
from services.trading.paper.resting_order import RestingOrder
from services.trading.paper.results import BrokerResult
from services.trading.paper.trading_day import TradingDay, trading_day
from shared.contracts import messages
from shared.contracts.order_terms import Terms
from shared.market import exchange_time
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import MINUTE_MS


class TradedInstrument(InstrumentFacts, Protocol):
    """Properties of an order's instrument that the paper broker needs."""

    @property
    def tick(self) -> Decimal: ...


class PaperBroker:
    """Pure. `on_entry` gets every entry once, in order; commands come in between.

    It begins with the data that `calendar` has now; `use_calendar` replaces them.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar.copy()
        self._market = MarketView()
        self._instruments: dict[str, InstrumentOrders] = {}
        self._keys: dict[tuple[str, str], str] = {}
        """Instrument key by user and order id."""
        self._awaiting: set[str] = set()
        """At least the keys with an order that waits for its first quote."""
        self.position = 0
        """Of the last entry."""

    @property
    def time_ms(self) -> int:
        """Exchange time of the clock; 0 before the first clock tick."""
        return self._market.state.time_ms

    @property
    def is_live(self) -> bool:
        """Whether the feed is live, by the last clock tick."""
        return self._market.is_live

    @property
    def connected_ms(self) -> int:
        """How long the feed has been connected without a break, in exchange time."""
        return self._market.connected_ms

    @property
    def undecodable(self) -> dict[str, int]:
        """Entries that were skipped because they are not what their subject says, by kind."""
        return self._market.undecodable

    @property
    def outdated(self) -> dict[str, int]:
        """Entries that were skipped because newer ones were seen before, by kind."""
        return self._market.outdated

    @property
    def progress(self) -> Progress:
        """Whether entries move the market on. It begins anew with `restore`."""
        return self._market.progress

    @property
    def calendar(self) -> CalendarData:
        """The days that decide when orders are matched and end."""
        return self._calendar.data

    def use_calendar(self, data: CalendarData) -> None:
        """Use other data from the next entry on. A state must be stored before that entry."""
        self._calendar.replace(data)

    def keys(self) -> frozenset[str]:
        """The instruments with resting orders: their quotes and order books are needed."""
        return frozenset(key for key, orders in self._instruments.items() if orders.has_orders)

    def ltp(self, key: str) -> Decimal | None:
        """The last traded price of any instrument; None if it is not known."""
        return self._market.ltp(key)

    def closing_price(self, key: str, end_ms: int, next_day_ms: int) -> Decimal | None:
        """The last price of the session that ended at `end_ms`; None if it is not known.

        `next_day_ms`: start of the next trading day.
        """
        return self._market.closing_price(key, end_ms, next_day_ms)

    def quote(self, key: str) -> Quote | None:
        """The newest quote of any instrument; None if its last price is not known."""
        day = self._day(key.partition("|")[0], self.time_ms, has_derivatives=False)
        is_open = day is not None and day.is_continuous(self.time_ms)
        return self._market.quote(key, is_tradable=is_open)

    def place(
        self,
        user_id: str,
        order_id: str,
        terms: Terms,
        instrument: TradedInstrument,
        arrival_ms: int,
        protection_percent: Decimal,
        *,
        remaining: int | None = None,
    ) -> None:
        """Add an order; it meets the first quote or clock tick at or after its arrival.

        `remaining`: what is left of an order with trades. Raises ValueError for an order id that
        rests already.
        """
        if (user_id, order_id) in self._keys:
            raise ValueError(f"order {order_id} rests already")
        key = terms.key
        orders = self._instruments.get(key)
        if orders is None:
            orders = self._instruments[key] = InstrumentOrders.of(key, instrument)
        order = RestingOrder(
            order_id=order_id,
            terms=terms,
            arrival_ms=arrival_ms,
            tick=instrument.tick,
            protection_percent=protection_percent,
            remaining=terms.prices.quantity if remaining is None else remaining,
        )
        orders.matcher(user_id).place(order)
        self._keys[user_id, order_id] = key
        self._awaiting.add(key)

    def modify(
        self,
        user_id: str,
        order_id: str,
        terms: Terms,
        remaining: int,
        *,
        arrival_ms: int | None = None,
    ) -> bool:
        """Change the terms of a resting order; False if it does not rest.

        `arrival_ms`: when the change takes effect; by default at once. Raises ValueError if nothing
        would remain.
        """
        if remaining <= 0:
            raise ValueError("nothing would remain of the order")
        key = self._keys.get((user_id, order_id))
        if key is None:
            return False
        arrival_ms = self.time_ms if arrival_ms is None else arrival_ms
        self._awaiting.add(key)
        return (
            self._instruments[key].matcher(user_id).modify(order_id, terms, remaining, arrival_ms)
        )

    def cancel(self, user_id: str, order_id: str) -> int:
        """Remove an order; returns the quantity that was not filled, 0 if it does not rest."""
        key = self._keys.pop((user_id, order_id), None)
        if key is None:
            return 0
        remaining = self._instruments[key].matcher(user_id).cancel(order_id)
        self._remove_idle(key)
        return remaining

    def on_entry(self, position: int, subject: str, data: bytes) -> list[BrokerResult]:
        """Apply an entry of TICKS; returns what happened, in order.

        An entry that cannot be used is skipped and counted (`undecodable`, `outdated`).
        """
        self.position = position
        before_ms = self.time_ms
        match self._market.apply(subject, data):
            case messages.Quote() as quote if quote.key in self._instruments:
                return self._on_quote(quote.key, quote.ts, is_news=True)
            case messages.Depth() as book if book.key in self._instruments:
                return self._on_quote(book.key, book.ts, is_news=False)
            case messages.Candle() as candle if candle.key in self._instruments:
                minute = Candle(candle.start, exact_price(candle.high), exact_price(candle.low))
                self._instruments[candle.key].on_candle(minute)
                self._awaiting.add(candle.key)
            case messages.ClockTick():
                return self._on_clock(before_ms)
        return []

    def state(self) -> bytes:
        """Everything that influences later results, for `restore`."""
        instruments = [orders.state(key) for key, orders in self._instruments.items()]
        calendar = None if self.calendar is BUILT_IN else self.calendar
        return encode_state(
            PaperBrokerState(
                STATE_VERSION, self.position, self._market.state, instruments, calendar
            )
        )

    def restore(self, data: bytes) -> None:
        """Take over a state. Raises ValueError if it is of another version or damaged."""
        state = decode_state(data)
        self.position = state.position
        self._calendar.replace(state.calendar or BUILT_IN)
        self._market = MarketView(state.market)
        self._instruments = {found.key: InstrumentOrders(found) for found in state.instruments}
        self._awaiting = set(self._instruments)
        self._keys = {
            name: key for key, orders in self._instruments.items() for name in orders.orders()
        }

    def _on_quote(self, key: str, ts_ms: int, *, is_news: bool) -> list[BrokerResult]:
        orders = self._instruments[key]
        day = self._day(orders.segment, ts_ms, has_derivatives=orders.has_derivatives)
        quote = self._market.quote(
            key,
            ts_ms=ts_ms,
            is_tradable=day is not None and day.is_continuous(ts_ms),
            is_news=is_news,
        )
        return [] if quote is None else self._finish(key, orders.on_quote(quote, day))

    def _on_clock(self, before_ms: int) -> list[BrokerResult]:
        """Sessions end at full minutes: then the orders whose session has ended expire."""
        now_ms = self.time_ms
        results: list[BrokerResult] = []
        is_new_day = exchange_time.trading_day(before_ms) != exchange_time.trading_day(now_ms)
        if before_ms // MINUTE_MS != now_ms // MINUTE_MS:
            for key, orders in list(self._instruments.items()):
                results += self._finish(key, orders.expire(self._calendar, now_ms))
                if is_new_day:
                    orders.start_day()
                    self._remove_idle(key)
        if self._awaiting and self.is_live:
            for key in [key for key in self._instruments if key in self._awaiting]:
                results += self._give_first_chance(key, now_ms)
            self._awaiting = {
                key
                for key in self._awaiting
                if key in self._instruments and self._instruments[key].needs_quote()
            }
        return results

    def _give_first_chance(self, key: str, now_ms: int) -> list[BrokerResult]:
        """New orders meet the newest quote, which still stands."""
        orders = self._instruments[key]
        day = self._day(orders.segment, now_ms, has_derivatives=orders.has_derivatives)
        if day is None or not day.is_continuous(now_ms):
            return []
        if not self._market.is_standing(key, day.start_ms):
            return []
        quote = self._market.quote(key, ts_ms=now_ms, is_tradable=True)
        return [] if quote is None else self._finish(key, orders.on_clock(quote))

    def _finish(self, key: str, results: list[UserResult]) -> list[BrokerResult]:
        """Forget the orders that have ended."""
        orders = self._instruments[key]
        for user_id, result in results:
            if not orders.has_order(user_id, result.order_id):
                self._keys.pop((user_id, result.order_id), None)
        self._remove_idle(key)
        return [BrokerResult(user_id, result) for user_id, result in results]

    def _remove_idle(self, key: str) -> None:
        orders = self._instruments.get(key)
        if orders is None:
            return
        orders.remove_idle()
        if orders.is_idle:
            del self._instruments[key]

    def _day(self, segment: str, at_ms: int, *, has_derivatives: bool) -> TradingDay | None:
        return trading_day(self._calendar, segment, at_ms, has_derivatives=has_derivatives)
