"""What one client has subscribed to: changed by its requests, within its limits."""

from collections.abc import Iterator, Mapping

from services.gateway import metrics
from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import EVERYTHING, KEYED, Channel, is_wildcard
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest, Outcome
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream import protocol
from shared.errors import InvalidField, LimitExceeded


class StreamSubscriptions:
    """Of the client whose outbox this is."""

    __slots__ = ("_flusher", "_hub", "_interest", "_most", "_outbox")

    def __init__(
        self, hub: Hub, flusher: Flusher, interest: Interest, outbox: Outbox, most: int
    ) -> None:
        self._hub = hub
        self._flusher = flusher
        self._interest = interest
        self._outbox = outbox
        self._most = most

    def add(self, request: protocol.Subscribe, user_id: str, now: float) -> dict[str, Outcome]:
        """The outcome of each key. Raises LimitExceeded or InvalidField, and then adds nothing."""
        self._check_room(request)
        queue = self._outbox.queue(request.channel)
        self._flusher.add(queue, self._outbox)
        is_paced = request.interval_ms is not None or queue.interval_secs > 0
        if is_paced:
            self._flusher.flush(self._outbox)  # what waits is not taken back
        before = queue.subscription_count
        if request.channel in KEYED:
            results = {key: self._add_key(queue, key, now) for key in dict.fromkeys(request.keys)}
        else:
            self._hub.subscribe_whole(queue, user_id)
            results = {request.channel.value: Outcome.LIVE}
        if is_paced:
            queue.pace((request.interval_ms or 0) / 1_000, self._hub.version)
        metrics.SUBSCRIPTIONS.labels(request.channel.value).inc(queue.subscription_count - before)
        return results

    def _add_key(self, queue: ChannelQueue, key: str, now: float) -> Outcome:
        try:
            topic = self._hub.subscribe(queue, key)
        except InvalidField:
            return Outcome.UNKNOWN
        if topic is None:
            return self._wild_outcome(key)
        # Bars and order books come with quotes: where these are, those will be.
        is_known = self._hub.last(Channel.QUOTES, key) is not None
        return self._interest.outcome(key, now, is_known=is_known)

    def _wild_outcome(self, key: str) -> Outcome:
        """A segment of which nothing was ever heard is most likely mistyped."""
        if key == EVERYTHING or self._hub.matching(Channel.QUOTES, key):
            return Outcome.LIVE
        return Outcome.UNKNOWN

    def _check_room(self, request: protocol.Subscribe) -> None:
        """Raises LimitExceeded if the stream would hold more than it may."""
        held = sum(
            len(queue.topics) + len(queue.wildcards) for queue in self._outbox.queues.values()
        )
        queue = self._outbox.queue(request.channel)
        for key in set(request.keys):
            if not is_wildcard(key):
                held += key not in queue.keys
            elif request.channel is Channel.DEPTH:
                raise InvalidField("depth is subscribed to by whole keys", field="keys")
            elif key not in queue.wildcards:
                held += 1 + len(self._hub.matching(request.channel, key))
        if held > self._most:
            raise LimitExceeded(f"a stream may hold {self._most} subscriptions", field="keys")

    def reach(self, request: protocol.Subscribe | protocol.Unsubscribe) -> int:
        """How many instruments a request is about, those that wildcards stand for included."""
        return sum(
            len(self._hub.matching(request.channel, key)) if is_wildcard(key) else 1
            for key in set(request.keys)
        )

    def remove(self, request: protocol.Unsubscribe) -> dict[str, Outcome]:
        """What became of each key; nothing of it comes after the answer."""
        queue = self._outbox.queue(request.channel)
        self._flusher.flush(self._outbox)
        before = queue.subscription_count
        results = {
            key: Outcome.REMOVED if self._hub.unsubscribe(queue, key) else Outcome.UNKNOWN
            for key in dict.fromkeys(request.keys or [request.channel.value])
        }
        metrics.SUBSCRIPTIONS.labels(request.channel.value).dec(before - queue.subscription_count)
        return results

    def concerned(
        self, changed: Mapping[str, Outcome]
    ) -> Iterator[tuple[Channel, dict[str, Outcome]]]:
        """Which of the keys with another outcome are this client's, by channel."""
        for channel in KEYED:
            queue = self._outbox.queues.get(channel)
            keys = changed.keys() & queue.keys.keys() if queue is not None else ()
            if keys:
                yield channel, {key: changed[key] for key in keys}

    def holds(self, channel: Channel) -> bool:
        """Whether anything of this channel is subscribed to."""
        queue = self._outbox.queues.get(channel)
        return queue is not None and bool(queue.topics or queue.wildcards)

    def end(self) -> None:
        """Give everything back."""
        self._flusher.remove(self._outbox)
        for channel, queue in self._outbox.queues.items():
            metrics.SUBSCRIPTIONS.labels(channel.value).dec(queue.subscription_count)
            self._hub.leave(queue)
