"""One subject of the bus: its last message, and the queues that receive each new one."""

from typing import Protocol


class Sink(Protocol):
    """A receiver of a topic's messages: the queue of one client and channel."""

    pending: list[bytes]

    def refresh(self, topic: "Topic") -> None:
        """Deliver the topic's last message as a snapshot instead of live."""
        ...


class Topic:
    """The state of one subject."""

    __slots__ = (
        "_pendings",
        "epoch",
        "key",
        "last",
        "seq",
        "sinks",
        "subject",
        "subscriber_count",
        "version",
    )

    def __init__(self, key: str, subject: str = "") -> None:
        self.subject = subject
        """Its subject, by which the hub finds it."""
        self.key = key
        """Instrument key; the subject itself on a channel without instruments."""
        self.last: bytes | None = None
        """The last message; None before the first."""
        self.epoch = 0
        self.seq = 0
        """With `epoch`, the position of `last` in the order of the instrument's messages.

        Of a candle it is the start of its minute, and `epoch` is not used.
        """
        self.version = 0
        """The hub's version when `last` was stored."""
        self.subscriber_count = 0
        """Queues that subscribed to this topic by its own key."""
        self.sinks: set[Sink] = set()
        """Queues that are up to date: each live message is appended to their `pending`."""
        self._pendings: list[list[bytes]] | None = None

    def join(self, sink: Sink) -> None:
        """Deliver each live message to `sink` from now on."""
        self.sinks.add(sink)
        self._pendings = None

    def leave(self, sink: Sink) -> None:
        """Deliver no more live messages to `sink`."""
        self.sinks.discard(sink)
        self._pendings = None

    @property
    def pendings(self) -> list[list[bytes]]:
        """The `pending` list of each sink; cached until a sink joins or leaves."""
        if self._pendings is None:
            self._pendings = [sink.pending for sink in self.sinks]
        return self._pendings
