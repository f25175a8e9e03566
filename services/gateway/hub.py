"""Who wants which instrument, and the last quote of each."""

from typing import Final

from services.gateway import metrics
from services.gateway.outbox import Outbox
from shared.messages import order_of

_NONE: Final = (0, 0)


class Hub:
    """Hands each quote, as the very bytes that came, to every outbox that wants it.

    Keyed by subject, as quotes arrive by it: no quote is ever decoded here. Only its
    epoch and seq are read from the bytes, so that none goes back in time and none of a
    superseded ingest leader is passed on.
    """

    def __init__(self) -> None:
        self._outboxes: dict[str, set[Outbox]] = {}
        self._last: dict[str, bytes] = {}
        self._order: dict[str, tuple[int, int]] = {}
        self._epoch = 0

    def publish(self, subject: str, encoded: bytes) -> None:
        """A quote of the instrument with this subject; dropped if it is no newer than the last.

        Raises ValueError if the bytes are not a quote.
        """
        order = order_of(encoded)
        if order[0] < self._epoch or order <= self._order.get(subject, _NONE):
            metrics.STALE.inc()
            return
        self._epoch = order[0]
        self._order[subject] = order
        self._last[subject] = encoded
        for outbox in self._outboxes.get(subject, ()):
            outbox.put_quote(subject, encoded)

    def warm(self, subject: str, encoded: bytes) -> None:
        """A quote that was kept: counts unless a newer one of its instrument is known.

        Raises ValueError if the bytes are not a quote.
        """
        order = order_of(encoded)
        if order <= self._order.get(subject, _NONE):
            return
        self._order[subject] = order
        self._last[subject] = encoded
        for outbox in self._outboxes.get(subject, ()):
            outbox.put_quote(subject, encoded)

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
