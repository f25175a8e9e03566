"""Subscriptions to the stream: quotes, order books, chains, candles, bars, orders and events."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Literal

from tradedad_client.buffers import ConflatingBuffer, FifoBuffer, ReceiveBuffer
from tradedad_client.messages import (
    DEEP_SUFFIX,
    Bar,
    Candle,
    Chain,
    Channel,
    Depth,
    Event,
    FeedStatus,
    Gap,
    OrderEvent,
    Quote,
)
from tradedad_client.names import checked
from tradedad_client.stream import Stream
from tradedad_client.subscription import Subscription

_MAX_LEVELS: Final = 30


class Subscriptions(ABC):
    """The part of `Client` that subscribes. Call it within `async with` of the client."""

    _max_waiting: int

    def quotes(
        self, instruments: Sequence[str], *, interval_ms: int | None = None
    ) -> Subscription[Quote]:
        """Subscribe to quotes, beginning with the last known one of each instrument.

        Also wildcards are allowed: ``NSE_EQ|*``, ``*``. With `interval_ms` (100 to 60 000) the
        newest quote of each instrument comes once in that time, otherwise every quote at once.
        For an instrument in several subscriptions of the client, the shortest interval counts.
        """
        buffer = ConflatingBuffer[Quote](self._max_waiting, _key, _version)
        return self._subscribe(Channel.QUOTES, checked(instruments), buffer, interval_ms)

    def depth(
        self,
        instruments: Sequence[str],
        *,
        levels: Literal[5, 30] = 5,
        interval_ms: int | None = None,
    ) -> Subscription[Depth]:
        """Subscribe to order books of instruments; wildcards are not allowed.

        Books of 30 `levels` need Upstox Plus: without it, the outcome is ``needs_plus`` and nothing
        comes. The keys of their outcomes end with ``|30``.
        """
        suffix = DEEP_SUFFIX if levels == _MAX_LEVELS else ""
        buffer = ConflatingBuffer[Depth](self._max_waiting, _key, _version)
        return self._subscribe(Channel.DEPTH, checked(instruments), buffer, interval_ms, suffix)

    def chain(
        self, underlying: str, expiry: str, *, strikes: int = 10, interval_ms: int | None = None
    ) -> Subscription[Chain]:
        """Subscribe to an option chain: `strikes` (1 to 50) on each side of the price.

        `expiry` is ``YYYY-MM-DD``. A chain comes at most twice a second, whole each time.
        """
        buffer = ConflatingBuffer[Chain](self._max_waiting, _key, _version)
        suffix = f"|{expiry}|{strikes}"
        return self._subscribe(Channel.CHAIN, [underlying], buffer, interval_ms, suffix)

    def candles(self, instruments: Sequence[str]) -> Subscription[Candle | Gap]:
        """Subscribe to one-minute candles, beginning with the last one of each instrument.

        A candle comes once its minute is completed. A Gap says that candles may be missing.
        """
        buffer = FifoBuffer[Candle | Gap](self._max_waiting, _key_of_bar)
        return self._subscribe(Channel.CANDLES, checked(instruments), buffer)

    def live_bars(self, instruments: Sequence[str]) -> Subscription[Bar | Gap]:
        """Subscribe to five-minute bars, beginning with the last one of each instrument.

        A bar comes once it is closed and stored, and again if a late trade changes it. A Gap
        says that bars may be missing, for example after a reconnect: read them with `bars`.
        """
        buffer = FifoBuffer[Bar | Gap](self._max_waiting, _key_of_bar)
        return self._subscribe(Channel.BARS, checked(instruments), buffer)

    def orders(self) -> Subscription[OrderEvent | Gap]:
        """Subscribe to new events of this user's orders; a Gap says that events are missing.

        `trading.follow` gives typed events, the missing ones included.
        """
        return self._subscribe(Channel.ORDERS, (), FifoBuffer[OrderEvent | Gap](self._max_waiting))

    def status(self) -> Subscription[FeedStatus]:
        """Subscribe to the state of Trade Dad's connection to the market."""
        buffer = ConflatingBuffer[FeedStatus](self._max_waiting, lambda _: "status")
        return self._subscribe(Channel.STATUS, (), buffer)

    def events(self) -> Subscription[Event]:
        """Subscribe to events of the stream itself; beyond 1 000 unread the oldest are dropped."""
        return self._open_stream().listen()

    def _subscribe(
        self,
        channel: Channel,
        instruments: Sequence[str],
        buffer: ReceiveBuffer[Any],
        interval_ms: int | None = None,
        suffix: str = "",
    ) -> Subscription[Any]:
        return self._open_stream().subscribe(channel, instruments, buffer, interval_ms, suffix)

    @abstractmethod
    def _open_stream(self) -> Stream:
        """Return the stream. Raises RuntimeError if there is none."""


def _key(state: Quote | Depth | Chain) -> str:
    return state.key


def _version(state: Quote | Depth | Chain) -> tuple[int, int]:
    return state.epoch, state.seq


def _key_of_bar(bar: Bar | Candle | Gap) -> str | None:
    return None if isinstance(bar, Gap) else bar.key
