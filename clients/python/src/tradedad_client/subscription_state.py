"""State of one subscription: requested keys, outcomes and buffered messages. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tradedad_client.buffers import ReceiveBuffer
from tradedad_client.messages import Channel


class SubscriptionState:
    """One subscription, as the protocol sees it."""

    def __init__(
        self,
        channel: Channel,
        keys: Sequence[str],
        buffer: ReceiveBuffer[Any],
        interval_ms: int | None = None,
    ) -> None:
        self.channel = channel
        self.keys: tuple[str, ...] = tuple(dict.fromkeys(keys))
        """Instrument keys and wildcards; empty for `orders` and `status`."""
        self.names: dict[str, str] = {}
        """The name by which the program asked for a key, if it is not the key itself."""
        self.buffer = buffer
        self.interval_ms = interval_ms
        """Requested conflation interval; None requests every message."""
        self.outcomes: dict[str, str] = {}
        self.pending_requests: set[int] = set()
        """Ids of the requests that the gateway has not answered on this stream."""
        self.is_requested = False
        """Whether a subscribe request was queued on this stream."""
        self.is_closed = False
        self.error: Exception | None = None
        """Why the subscription was closed; None if the program or the client closed it."""
        self.on_change: Callable[[], None] = lambda: None
        """Called after each new message, outcome or close."""

    def set_names(self, keys: Mapping[str, str]) -> None:
        """Store the keys of the names that the program gave."""
        self.keys = tuple(dict.fromkeys(keys.values()))
        self.names = {key: name for name, key in keys.items() if name != key}

    @property
    def is_answered(self) -> bool:
        """Whether the gateway has answered all subscribe requests on this stream."""
        return self.is_requested and not self.pending_requests

    def reset(self) -> None:
        """Forget the requests of a stream that has ended."""
        self.pending_requests.clear()
        self.is_requested = False

    def put(self, message: Any) -> bool:
        """Buffer a message for the program; return False if the buffer is full."""
        is_stored = self.buffer.put(message)
        self.on_change()
        return is_stored

    def add_outcomes(self, results: dict[str, str]) -> None:
        """Store the outcomes of this subscription's keys."""
        self.outcomes |= {key: results[key] for key in results.keys() & {*self.keys}}

    def close(self, error: Exception | None = None) -> None:
        """End the subscription; messages in the buffer can still be read."""
        if not self.is_closed:
            self.is_closed = True
            self.error = error
            self.on_change()
