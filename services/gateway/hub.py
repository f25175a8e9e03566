"""Who wants which instrument, and the last quote of each."""

from services.gateway.outbox import Outbox


class Hub:
    """Hands each quote, as the very bytes that came, to every outbox that wants it.

    Keyed by subject, as quotes arrive by it: no quote is ever decoded here.
    """

    def __init__(self) -> None:
        self._outboxes: dict[str, set[Outbox]] = {}
        self._last: dict[str, bytes] = {}

    def publish(self, subject: str, encoded: bytes) -> None:
        """A new quote of the instrument with this subject."""
        self._last[subject] = encoded
        for outbox in self._outboxes.get(subject, ()):
            outbox.put_quote(subject, encoded)

    def warm(self, subject: str, encoded: bytes) -> None:
        """A quote from the past: counts only if nothing newer has come meanwhile."""
        if subject not in self._last:
            self.publish(subject, encoded)

    def subscribe(self, subject: str, outbox: Outbox) -> bool:
        """Deliver from now on, at once the last quote; False if none is known."""
        self._outboxes.setdefault(subject, set()).add(outbox)
        last = self._last.get(subject)
        if last is None:
            return False
        outbox.put_quote(subject, last)
        return True

    def unsubscribe(self, subject: str, outbox: Outbox) -> None:
        """Deliver no more; nothing happens if it was not subscribed."""
        outboxes = self._outboxes.get(subject)
        if outboxes is None:
            return
        outboxes.discard(outbox)
        if not outboxes:
            del self._outboxes[subject]
        outbox.drop_quote(subject)

    @property
    def instrument_count(self) -> int:
        """Instruments of which a last quote is known."""
        return len(self._last)
