"""What one client has subscribed to: changed by its requests, within its limits."""

from collections.abc import Iterator, Mapping

from services.gateway import metrics, protocol
from services.gateway.coverage import Interest
from services.gateway.flush import Flusher
from services.gateway.hub import Hub, is_wildcard
from services.gateway.outbox import Lane, Outbox
from services.gateway.protocol import EVERYTHING, KEYED, Channel, Outcome
from shared.errors import InvalidField, LimitExceeded


class Subscriptions:
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
        lane = self._outbox.lane(request.channel)
        self._flusher.add(lane, self._outbox)
        is_paced = request.interval_ms is not None or lane.interval_secs > 0
        if is_paced:
            self._flusher.flush(self._outbox)  # what waits is not taken back
        before = lane.asked
        if request.channel in KEYED:
            results = {key: self._add_key(lane, key, now) for key in dict.fromkeys(request.keys)}
        else:
            self._hub.subscribe_whole(lane, user_id)
            results = {request.channel.value: Outcome.LIVE}
        if is_paced:
            lane.pace((request.interval_ms or 0) / 1_000, self._hub.version)
        metrics.SUBSCRIPTIONS.labels(request.channel.value).inc(lane.asked - before)
        return results

    def _add_key(self, lane: Lane, key: str, now: float) -> Outcome:
        try:
            topic = self._hub.subscribe(lane, key)
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
        held = sum(len(lane.topics) + len(lane.wild) for lane in self._outbox.lanes.values())
        lane = self._outbox.lane(request.channel)
        for key in set(request.keys):
            if not is_wildcard(key):
                held += key not in lane.named
            elif request.channel is Channel.DEPTH:
                raise InvalidField("depth is subscribed to by whole keys", field="keys")
            elif key not in lane.wild:
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
        lane = self._outbox.lane(request.channel)
        self._flusher.flush(self._outbox)
        before = lane.asked
        results = {
            key: Outcome.REMOVED if self._hub.unsubscribe(lane, key) else Outcome.UNKNOWN
            for key in dict.fromkeys(request.keys or [request.channel.value])
        }
        metrics.SUBSCRIPTIONS.labels(request.channel.value).dec(before - lane.asked)
        return results

    def concerned(
        self, changed: Mapping[str, Outcome]
    ) -> Iterator[tuple[Channel, dict[str, Outcome]]]:
        """Which of the keys with another outcome are this client's, by channel."""
        for channel in KEYED:
            lane = self._outbox.lanes.get(channel)
            keys = changed.keys() & lane.named.keys() if lane is not None else ()
            if keys:
                yield channel, {key: changed[key] for key in keys}

    def holds(self, channel: Channel) -> bool:
        """Whether anything of this channel is subscribed to."""
        lane = self._outbox.lanes.get(channel)
        return lane is not None and bool(lane.topics or lane.wild)

    def end(self) -> None:
        """Give everything back."""
        self._flusher.remove(self._outbox)
        for channel, lane in self._outbox.lanes.items():
            metrics.SUBSCRIPTIONS.labels(channel.value).dec(lane.asked)
            self._hub.leave(lane)
