"""The resting paper orders of one instrument: one matcher per user, and the auctions. Pure."""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from services.trading.paper.auctions import AuctionWatch
from services.trading.paper.market import Candle, Quote
from services.trading.paper.matching import Matcher, MatcherState
from services.trading.paper.results import Expired, Lapsed, Result
from services.trading.paper.trading_day import TradingDay, order_end_ms
from shared.market.exchange_calendar import Calendar

UserResult = tuple[str, Result]
"""User id and what happened."""


class InstrumentFacts(Protocol):
    """Properties of an instrument that the paper broker needs."""

    @property
    def segment(self) -> str: ...

    @property
    def has_derivatives(self) -> bool: ...


class InstrumentState(msgspec.Struct):
    """Everything of one instrument that influences later fills."""

    key: str
    segment: str
    has_derivatives: bool
    auctions: AuctionWatch
    matchers: list[tuple[str, MatcherState]] = []
    """By user, in the order in which they are served."""


class InstrumentOrders:
    """Users are served in the order of their first order."""

    def __init__(self, state: InstrumentState) -> None:
        self.segment = state.segment
        self.has_derivatives = state.has_derivatives
        self._auctions = state.auctions
        self._matchers = {user_id: Matcher(matcher) for user_id, matcher in state.matchers}

    @classmethod
    def of(cls, key: str, facts: InstrumentFacts) -> "InstrumentOrders":
        """Without orders yet."""
        return cls(InstrumentState(key, facts.segment, facts.has_derivatives, AuctionWatch()))

    def state(self, key: str) -> InstrumentState:
        """A view of the state, to be encoded at once."""
        matchers = [(user_id, matcher.state()) for user_id, matcher in self._matchers.items()]
        return InstrumentState(key, self.segment, self.has_derivatives, self._auctions, matchers)

    @property
    def has_orders(self) -> bool:
        """Whether an order rests."""
        return any(matcher.orders for matcher in self._matchers.values())

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left that a later fill depends on."""
        return not self._matchers

    def orders(self) -> Iterator[tuple[str, str]]:
        """User and order id of each resting order."""
        for user_id, matcher in self._matchers.items():
            for order_id in matcher.orders:
                yield user_id, order_id

    def matcher(self, user_id: str) -> Matcher:
        """The user's matcher; added if it is the user's first order."""
        return self._matchers.setdefault(user_id, Matcher())

    def has_order(self, user_id: str, order_id: str) -> bool:
        """Whether the order rests."""
        matcher = self._matchers.get(user_id)
        return matcher is not None and order_id in matcher.orders

    def needs_quote(self) -> bool:
        """Whether an order waits for its first quote since its arrival, now or later."""
        return any(
            order.needs_quote
            for matcher in self._matchers.values()
            for order in matcher.orders.values()
        )

    def on_candle(self, candle: Candle) -> None:
        """Notes the stops that a completed minute has reached."""
        for matcher in self._matchers.values():
            matcher.on_candle(candle)

    def on_quote(self, quote: Quote, day: TradingDay | None) -> list[UserResult]:
        """Match all orders; first those of an auction that this quote has ended."""
        results: list[UserResult] = []
        auction = None if day is None else self._auctions.on_quote(quote, day)
        for user_id, matcher in self._matchers.items():
            if auction is not None:
                results += [(user_id, result) for result in matcher.on_auction(quote, auction)]
            results += [(user_id, result) for result in matcher.on_quote(quote)]
        return results

    def on_clock(self, quote: Quote) -> list[UserResult]:
        """The first chance of orders that have arrived since the last quote."""
        results: list[UserResult] = []
        for user_id, matcher in self._matchers.items():
            if matcher.needs_quote(quote.ts_ms):
                results += [(user_id, result) for result in matcher.on_quote(quote)]
        return results

    def expire(self, calendar: Calendar, at_ms: int) -> list[UserResult]:
        """End the orders whose session has ended."""
        results: list[UserResult] = []
        for user_id, matcher in self._matchers.items():
            for order in list(matcher.orders.values()):
                end_ms = order_end_ms(
                    calendar,
                    self.segment,
                    order.arrival_ms,
                    has_derivatives=self.has_derivatives,
                    is_waiting=order.is_waiting,
                )
                if at_ms < end_ms:
                    continue
                remaining = matcher.cancel(order.order_id)
                ended = Lapsed if order.is_ioc else Expired
                results.append((user_id, ended(order.order_id, remaining)))
        return results

    def start_day(self) -> None:
        """Used quantities are forgotten."""
        for matcher in self._matchers.values():
            matcher.start_day()

    def remove_idle(self) -> None:
        """Remove the matchers that no later fill depends on."""
        idle = [user_id for user_id, matcher in self._matchers.items() if matcher.is_idle]
        for user_id in idle:
            del self._matchers[user_id]
