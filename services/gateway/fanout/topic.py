"""One subject of the bus: its last message, and the queues that get each new one."""

from typing import Protocol


class Sink(Protocol):
    """Who gets the messages of a topic; a queue."""

    pending: list[bytes]

    def refresh(self, topic: "Topic") -> None:
        """Take its last message as a snapshot, not as live."""
        ...


class Topic:
    """State of one subject."""

    __slots__ = ("_pendings", "epoch", "key", "last", "seq", "sinks", "subscriber_count", "version")

    def __init__(self, key: str) -> None:
        self.key = key
        """Instrument key; a name of ours where a channel has none."""
        self.last: bytes | None = None
        self.epoch = 0
        self.seq = 0
        """With `epoch`, the place of `last` in the order of its instrument's messages."""
        self.version = 0
        """The hub's count of messages when `last` came."""
        self.subscriber_count = 0
        """Lanes that asked for this topic by its own name."""
        self.sinks: set[Sink] = set()
        """Lanes that are up to date, and get each live message from now on."""
        self._pendings: list[list[bytes]] | None = None

    def join(self, sink: Sink) -> None:
        """Give each live message to `sink`, from now on."""
        self.sinks.add(sink)
        self._pendings = None

    def leave(self, sink: Sink) -> None:
        """Give no more to `sink`."""
        self.sinks.discard(sink)
        self._pendings = None

    @property
    def pendings(self) -> list[list[bytes]]:
        """Where to append each live message; found anew after who has joined has changed."""
        if self._pendings is None:
            self._pendings = [sink.pending for sink in self.sinks]
        return self._pendings
