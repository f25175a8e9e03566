"""The subscriptions of one client: requests within limits, applied to the hub."""

from collections.abc import Iterator, Mapping

from services.gateway import metrics
from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import (
    EVERYTHING,
    KEYED,
    WITHOUT_WILDCARDS,
    Channel,
    is_wildcard,
)
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest, Outcome
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream import protocol
from shared.contracts.demand import is_deep_key
from shared.contracts.option_chains import ChainKey
from shared.errors import InvalidField, LimitExceeded


class StreamSubscriptions:
    """Subscribes the client's outbox to the hub, up to `limit` instruments and wildcards."""

    __slots__ = ("_flusher", "_hub", "_interest", "_limit", "_outbox")

    def __init__(
        self, hub: Hub, flusher: Flusher, interest: Interest, outbox: Outbox, limit: int
    ) -> None:
        self._hub = hub
        self._flusher = flusher
        self._interest = interest
        self._outbox = outbox
        self._limit = limit

    def subscribe(
        self, request: protocol.Subscribe, user_id: str, now: float
    ) -> dict[str, Outcome]:
        """The outcome of each key.

        Raises LimitExceeded or InvalidField, and then subscribes to nothing.
        """
        self._check_limit(request)
        queue = self._outbox.queue(request.channel)
        self._flusher.add(queue, self._outbox)
        count_before = queue.subscription_count
        if request.channel in KEYED:
            keys = dict.fromkeys(request.keys)
            interval_secs = (request.interval_ms or 0) / 1_000
            results = {key: self._subscribe_key(queue, key, interval_secs, now) for key in keys}
        else:
            self._hub.subscribe_whole(queue, user_id)
            results = {request.channel.value: Outcome.LIVE}
        added = queue.subscription_count - count_before
        metrics.SUBSCRIPTIONS.labels(request.channel.value).inc(added)
        return results

    def _subscribe_key(
        self, queue: ChannelQueue, key: str, interval_secs: float, now: float
    ) -> Outcome:
        try:
            topic = self._hub.subscribe(queue, key, interval_secs)
        except InvalidField:
            return Outcome.UNKNOWN
        if topic is None:
            return self._wildcard_outcome(key)
        # An instrument that has quotes also gets bars and order books of five levels.
        has_quotes = queue.channel is not Channel.CHAIN and not is_deep_key(key)
        is_known = has_quotes and self._hub.last(Channel.QUOTES, key) is not None
        return self._interest.outcome(key, now, is_known=is_known)

    def _wildcard_outcome(self, key: str) -> Outcome:
        """`unknown` for a segment without a single quote: most likely it is mistyped."""
        if key == EVERYTHING or self._hub.matching(Channel.QUOTES, key):
            return Outcome.LIVE
        return Outcome.UNKNOWN

    def _check_limit(self, request: protocol.Subscribe) -> None:
        queues = self._outbox.queues.values()
        count = sum(len(queue.topics) + len(queue.wildcards) for queue in queues)
        queue = self._outbox.queue(request.channel)
        for key in set(request.keys):
            if request.channel is Channel.CHAIN:
                ChainKey.parse(key)
            if not is_wildcard(key):
                count += key not in queue.keys
            elif request.channel in WITHOUT_WILDCARDS:
                raise InvalidField(f"{request.channel} does not support wildcards", field="keys")
            elif key not in queue.wildcards:
                count += 1 + len(self._hub.matching(request.channel, key))
        if count > self._limit:
            raise LimitExceeded(f"a stream may have {self._limit} subscriptions", field="keys")

    def instrument_count(self, request: protocol.Subscribe | protocol.Unsubscribe) -> int:
        """The instruments that a request concerns, those of wildcards and chains included."""
        return sum(self._instruments_of(request.channel, key) for key in set(request.keys))

    def _instruments_of(self, channel: Channel, key: str) -> int:
        if is_wildcard(key):
            return len(self._hub.matching(channel, key))
        return _chain_instruments(key) if channel is Channel.CHAIN else 1

    def unsubscribe(self, request: protocol.Unsubscribe) -> dict[str, Outcome]:
        """The outcome of each key. Nothing of these keys is sent after the reply."""
        queue = self._outbox.queue(request.channel)
        self._flusher.flush(self._outbox)
        count_before = queue.subscription_count
        results = {
            key: Outcome.REMOVED if self._hub.unsubscribe(queue, key) else Outcome.UNKNOWN
            for key in dict.fromkeys(request.keys or [request.channel.value])
        }
        removed = count_before - queue.subscription_count
        metrics.SUBSCRIPTIONS.labels(request.channel.value).dec(removed)
        return results

    def affected(
        self, changed: Mapping[str, Outcome]
    ) -> Iterator[tuple[Channel, dict[str, Outcome]]]:
        """The changed outcomes of keys that this client subscribes to, by channel."""
        for channel in KEYED:
            queue = self._outbox.queues.get(channel)
            keys = changed.keys() & queue.keys.keys() if queue is not None else ()
            if keys:
                yield channel, {key: changed[key] for key in keys}

    def has_any(self, channel: Channel) -> bool:
        """Whether the client subscribes to anything on this channel."""
        queue = self._outbox.queues.get(channel)
        return queue is not None and bool(queue.topics or queue.wildcards)

    def close(self) -> None:
        """End all subscriptions."""
        self._flusher.remove(self._outbox)
        for channel, queue in self._outbox.queues.items():
            metrics.SUBSCRIPTIONS.labels(channel.value).dec(queue.subscription_count)
            self._hub.remove(queue)


def _chain_instruments(key: str) -> int:
    """The underlying, and two options of each strike; 1 if the key is malformed."""
    try:
        return 1 + 2 * (2 * ChainKey.parse(key).strikes + 1)
    except InvalidField:
        return 1
