"""Whether the subscribed instruments of one connection trade now."""

from services.ingest.demand.connection_subscriptions import ConnectionSubscriptions
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.market.market_hours import MarketHours, segment_of
from shared.contracts.messages import FeedState
from shared.runtime.clock import Clock


class SubscribedMarket:
    """Market hours applied to the subscribed instruments at the present exchange time."""

    def __init__(
        self,
        subscriptions: ConnectionSubscriptions,
        hours: MarketHours,
        exchange_clock: ExchangeClock,
        clock: Clock,
    ) -> None:
        self._subscriptions = subscriptions
        self._hours = hours
        self._exchange_clock = exchange_clock
        self._clock = clock

    def any_open(self) -> bool:
        """Whether the segment of a subscribed instrument is open."""
        return self._hours.any_open(self._subscriptions.modes, self._now_ms())

    def state(self) -> FeedState | None:
        """CLOSED if every subscribed segment is closed, else LIVE; None without subscriptions."""
        keys = self._subscriptions.modes
        if not keys:
            return None
        is_closed = self._hours.all_closed(keys, self._now_ms())
        return FeedState.CLOSED if is_closed else FeedState.LIVE

    def open_keys(self) -> list[str]:
        """The subscribed instruments whose segment is open."""
        now_ms = self._now_ms()
        return [
            key for key in self._subscriptions.modes if self._hours.is_open(segment_of(key), now_ms)
        ]

    def _now_ms(self) -> int:
        """Exchange time; before the first frame of the term, local time."""
        exchange_ms = self._exchange_clock.now_ms(self._clock.monotonic())
        return self._clock.now_ms() if exchange_ms is None else exchange_ms
