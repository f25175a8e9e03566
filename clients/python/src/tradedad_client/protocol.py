"""Client side of the stream protocol, as a state machine without I/O. Pure.

The caller reports when a stream opens, which data it receives and when it is lost; `requests`
holds the data to send. All subscriptions are requested again on each new stream.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from tradedad_client import wire
from tradedad_client.buffers import RingBuffer
from tradedad_client.errors import SubscriptionRefused, TooSlow
from tradedad_client.messages import (
    DEEP_SUFFIX,
    FEW_LEVELS,
    Bar,
    Candle,
    Chain,
    Channel,
    Connected,
    Depth,
    Event,
    Gap,
    Heartbeat,
    OrderEvent,
    OutcomesChanged,
    Quote,
    Renewed,
)
from tradedad_client.routing import RoutingTable
from tradedad_client.subscription_state import SubscriptionState

_MAX_EVENTS: Final = 1_000
_CHANNELS_WITH_GAPS: Final = (Channel.CANDLES, Channel.BARS, Channel.ORDERS)
"""Channels whose snapshots do not replace missed messages."""
_CHANNELS: Final[dict[type, Channel]] = {
    Quote: Channel.QUOTES,
    Depth: Channel.DEPTH,
    Chain: Channel.CHAIN,
    Candle: Channel.CANDLES,
    Bar: Channel.BARS,
}


class StreamProtocol:
    """All subscriptions of a client, and the state of its stream."""

    def __init__(self) -> None:
        self.requests: deque[bytes] = deque()
        """Requests to send, in this order."""
        self.on_request: Callable[[], None] = lambda: None
        """Called when a request was appended to `requests`."""
        self.is_live = False
        """Whether a stream is open and its token was accepted."""
        self.was_live = False
        """Whether any stream has been live."""
        self.needs_token = False
        """Whether the gateway has announced that the token expires soon."""
        self.expires_at: int | None = None
        """When the token expires, in Unix seconds."""
        self.last_error: wire.ErrorMessage | None = None
        """The last error message of the stream; it explains a close that follows."""
        self._last_request_id = 0
        self._pending: dict[int, SubscriptionState] = {}
        self._routes = RoutingTable()
        self._listeners: list[SubscriptionState] = []

    def add(self, subscription: SubscriptionState) -> None:
        """Request a subscription, now or as soon as a stream is live."""
        self._routes.add(subscription)
        if self.is_live:
            self._request(subscription)

    def remove(self, subscription: SubscriptionState, error: Exception | None = None) -> None:
        """Close a subscription, and unsubscribe from keys that no other one contains."""
        if subscription in self._routes:
            before = self._intervals(subscription)
            released = self._routes.remove(subscription)
            for request_id in subscription.pending_requests:
                del self._pending[request_id]
            subscription.pending_requests.clear()
            if self.is_live and subscription.is_requested:
                if released:
                    self._unsubscribe(subscription.channel, released if subscription.keys else ())
                self._restore_intervals(subscription, before)
        subscription.close(error)

    def add_listener(self) -> SubscriptionState:
        """Return a new subscription to the events of the stream itself."""
        listener = SubscriptionState(Channel.STATUS, (), RingBuffer[Event](_MAX_EVENTS))
        self._listeners.append(listener)
        return listener

    def remove_listener(self, listener: SubscriptionState) -> None:
        """Close a subscription to events."""
        if listener in self._listeners:
            self._listeners.remove(listener)
        listener.close()

    def close(self, error: Exception | None) -> None:
        """Close all subscriptions."""
        self.stream_lost()
        for subscription in (*self._routes, *self._listeners):
            subscription.close(error)
        self._routes.clear()
        self._listeners.clear()

    def stream_opened(self, token: str) -> None:
        """A WebSocket was opened; `token` is the first message on it."""
        self.stream_lost()
        self.last_error = None
        self.authenticate(token)

    def authenticate(self, token: str) -> None:
        """Send a token: the first one of a stream, or a newer one."""
        self.needs_token = False
        self._send(wire.authenticate(token))

    def stream_lost(self) -> None:
        """The WebSocket has ended. All subscriptions are requested again on the next one."""
        self.is_live = self.needs_token = False
        self.requests.clear()
        self._pending.clear()
        for subscription in self._routes:
            subscription.reset()

    def receive(self, data: str | bytes) -> None:
        """Process a message of the gateway. Raises NotUnderstood if it is not valid."""
        match wire.decode(data):
            case wire.Authenticated() as message:
                self._on_authenticated(message)
            case wire.Expiring():
                self.needs_token = True
            case wire.Ack(id=request_id, results=results):
                self._on_ack(request_id, results)
            case wire.Outcomes(channel=channel, results=results):
                self._on_outcomes(channel, results)
            case wire.GapNotice(channel=channel):
                self._report_gap(channel)
            case wire.HeartbeatMessage(now=now, feed_is_current=feed_is_current):
                self.report(Heartbeat(now, feed_is_current))
            case wire.ErrorMessage() as error:
                self._on_error(error)
            case (
                wire.Quotes()
                | wire.Depths()
                | wire.Chains()
                | wire.Candles()
                | wire.Bars()
                | wire.Statuses()
                | wire.Orders() as batch
            ):
                self._on_batch(batch)

    def report(self, event: Event) -> None:
        """Send an event to all listeners."""
        for listener in self._listeners:
            listener.put(event)

    def _on_authenticated(self, message: wire.Authenticated) -> None:
        self.expires_at = message.expires_at
        if self.is_live:
            self.report(Renewed(message.expires_at))
            return
        self.is_live = True
        self.report(Connected(message.user_id))
        if self.was_live:
            for channel in _CHANNELS_WITH_GAPS:
                self._report_gap(channel)
        self.was_live = True
        for subscription in self._routes:
            self._request(subscription)

    def _on_ack(self, request_id: int, results: dict[str, str]) -> None:
        subscription = self._pending.pop(request_id, None)
        if subscription is None:
            return  # answers an unsubscribe, or a subscription that was closed since
        subscription.pending_requests.discard(request_id)
        subscription.add_outcomes(results)
        subscription.on_change()
        self.report(OutcomesChanged(subscription.channel, results))

    def _on_outcomes(self, channel: Channel, results: dict[str, str]) -> None:
        for subscription in self._routes.of_channel(channel):
            subscription.add_outcomes(results)
        self.report(OutcomesChanged(channel, results))

    def _on_error(self, error: wire.ErrorMessage) -> None:
        self.last_error = error
        if error.id is None:
            return
        subscription = self._pending.pop(error.id, None)
        if subscription is not None:
            subscription.pending_requests.discard(error.id)
            refusal = SubscriptionRefused(error.detail, code=error.code, field=error.field)
            self.remove(subscription, refusal)

    def _on_batch(self, batch: wire.Batch) -> None:
        match batch:
            case (
                wire.Quotes(data=data)
                | wire.Depths(data=data)
                | wire.Chains(data=data)
                | wire.Candles(data=data)
                | wire.Bars(data=data)
            ):
                self._deliver_by_key(data)
            case wire.Statuses(data=statuses):
                self._deliver_to_channel(Channel.STATUS, statuses)
            case wire.Orders(data=orders):
                self._deliver_to_channel(Channel.ORDERS, map(OrderEvent, orders))

    def _request(self, subscription: SubscriptionState) -> None:
        subscription.is_requested = True
        intervals = self._intervals(subscription)
        for request_id in self._subscribe(subscription.channel, intervals):
            self._pending[request_id] = subscription
            subscription.pending_requests.add(request_id)

    def _intervals(self, subscription: SubscriptionState) -> dict[str, int | None]:
        """Return the interval of each key, by all subscriptions to it; empty without keys."""
        channel = subscription.channel
        return {key: self._routes.interval_ms(channel, key) for key in subscription.keys}

    def _subscribe(self, channel: Channel, intervals: Mapping[str, int | None]) -> list[int]:
        """Request keys, each with its interval, and return the ids of the requests."""
        keys_by_interval: dict[int | None, list[str]] = {}
        for key, interval_ms in intervals.items():
            keys_by_interval.setdefault(interval_ms, []).append(key)
        request_ids = []
        for interval_ms, keys in (keys_by_interval or {None: []}).items():
            for some_keys in wire.split_keys(keys):
                request_ids.append(self._next_request_id())
                self._send(wire.subscribe(request_ids[-1], channel, some_keys, interval_ms))
        return request_ids

    def _unsubscribe(self, channel: Channel, keys: Sequence[str]) -> None:
        for some_keys in wire.split_keys(keys):
            self._send(wire.unsubscribe(self._next_request_id(), channel, some_keys))

    def _restore_intervals(
        self, removed: SubscriptionState, before: Mapping[str, int | None]
    ) -> None:
        """Request the keys whose interval is longer without a subscription that was removed."""
        changed = {
            key: interval_ms
            for key, interval_ms in self._intervals(removed).items()
            if self._routes.has_key(removed.channel, key) and interval_ms != before[key]
        }
        if changed:
            self._subscribe(removed.channel, changed)

    def _next_request_id(self) -> int:
        self._last_request_id += 1
        return self._last_request_id

    def _send(self, request: bytes) -> None:
        self.requests.append(request)
        self.on_request()

    def _report_gap(self, channel: Channel) -> None:
        gap = Gap(channel)
        self.report(gap)
        for subscription in self._routes.of_channel(channel):
            self._deliver(subscription, gap)

    def _deliver_by_key(self, batch: Iterable[Quote | Depth | Chain | Candle | Bar]) -> None:
        for message in batch:
            channel = _CHANNELS[type(message)]
            for subscription in self._routes.of_instrument(channel, _key(message)):
                self._deliver(subscription, message)

    def _deliver_to_channel(self, channel: Channel, batch: Iterable[Any]) -> None:
        for message in batch:
            for subscription in self._routes.of_channel(channel):
                self._deliver(subscription, message)

    def _deliver(self, subscription: SubscriptionState, message: Any) -> None:
        if not subscription.put(message):
            detail = f"more {subscription.channel.value} wait than a subscription may hold"
            self.remove(subscription, TooSlow(detail))


def _key(message: Quote | Depth | Chain | Candle | Bar) -> str:
    """The key that was subscribed to."""
    is_deep = isinstance(message, Depth) and message.levels > FEW_LEVELS
    return message.key + DEEP_SUFFIX if is_deep else message.key
