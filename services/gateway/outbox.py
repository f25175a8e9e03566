"""What waits to be sent to one client: bounded, with only the newest quote of each instrument."""

from collections import deque
from collections.abc import Callable

from services.gateway import protocol


class Outbox:
    """Holds at most one quote per subscribed instrument, and a few answers.

    Its bound is kept by who puts: a client's requests are read only while it has room.

    `on_dirty` is called when it turns from empty to not empty.
    """

    MAX_ANSWERS = 64

    def __init__(self, on_dirty: Callable[[], None]) -> None:
        self._on_dirty = on_dirty
        self._answers: deque[bytes] = deque()
        self._quotes: dict[str, bytes] = {}
        self.conflated = 0
        """Quotes that were replaced by newer ones while they waited."""

    def __len__(self) -> int:
        return len(self._answers) + len(self._quotes)

    def put_quote(self, subject: str, encoded: bytes) -> None:
        """A newer quote of an instrument takes the place of the one that waits."""
        quotes = self._quotes
        if subject in quotes:
            quotes[subject] = encoded
            self.conflated += 1
            return
        if not quotes and not self._answers:
            self._on_dirty()
        quotes[subject] = encoded

    @property
    def has_room(self) -> bool:
        """False while so many answers wait that no more requests should be read."""
        return len(self._answers) < self.MAX_ANSWERS

    def put_answer(self, message: bytes) -> None:
        """Answers keep their order, and leave before quotes; look at `has_room` before."""
        if not self._quotes and not self._answers:
            self._on_dirty()
        self._answers.append(message)

    def drop_quote(self, subject: str) -> None:
        """Forget a waiting quote: the client has unsubscribed."""
        self._quotes.pop(subject, None)

    def take(self) -> tuple[list[bytes], int]:
        """All messages to send now, and how many quotes are in them; empties the outbox."""
        messages = list(self._answers)
        self._answers.clear()
        count = len(self._quotes)
        if count:
            messages.append(protocol.quotes(list(self._quotes.values())))
            self._quotes = {}
        return messages, count
