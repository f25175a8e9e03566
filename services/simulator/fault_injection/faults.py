"""The faults that are armed, and which of them strikes next.

PURE: no sockets.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MOST_ARMED: Final = 100


class FaultKind(StrEnum):
    """What goes wrong."""

    ERROR = "error"
    """A request is answered with `status`, and not carried out."""
    SLOW = "slow"
    """A request waits for `delay_secs` before it is carried out."""
    LOST = "lost"
    """A request is carried out, and its connection aborted without an answer."""
    LATE = "late"
    """A request is carried out, and answered `delay_secs` afterwards."""

    DROP = "drop"
    """A frame is not sent."""
    DUPLICATE = "duplicate"
    """A frame is sent twice."""
    REORDER = "reorder"
    """A frame is sent after the one that follows it."""
    GARBAGE = "garbage"
    """Bytes that are no message are sent instead of a frame."""
    TRUNCATE = "truncate"
    """The first half of a frame is sent."""
    STALL = "stall"
    """The connection sends no frame any more, but answers pings."""
    HALF_OPEN = "half_open"
    """The connection neither sends nor reads any more; cut after `delay_secs`, or 60 s."""
    CLOSE = "close"
    """The connection is closed with `code`."""
    ABORT = "abort"
    """The connection is cut without a word."""

    WEBHOOK_TWICE = "webhook_twice"
    """An update is posted to the webhook twice."""


OF_REQUESTS: Final = frozenset({FaultKind.ERROR, FaultKind.SLOW, FaultKind.LOST, FaultKind.LATE})
OF_WEBHOOKS: Final = frozenset({FaultKind.WEBHOOK_TWICE})
OF_FRAMES: Final = frozenset(FaultKind) - OF_REQUESTS - OF_WEBHOOKS


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; it strikes what matches, after the first `after` of them, `times` times."""

    kind: FaultKind
    path: str = "/"
    """Of requests: the beginning of their path."""
    method: str = ""
    """Of requests: empty for any."""
    times: int | None = 1
    """None is until disarmed."""
    after: int = 0
    status: int = 500
    delay_secs: float = 0.0
    code: int = 1011

    def matches(self, kinds: Container[FaultKind], method: str, path: str) -> bool:
        """Whether it is of such a kind, and for such a request."""
        return (
            self.kind in kinds
            and path.startswith(self.path)
            and (not self.method or self.method == method)
        )


class Faults:
    """Armed faults by number, oldest first; at most 100, the oldest are disarmed."""

    def __init__(self) -> None:
        self._armed: dict[int, Fault] = {}
        self._last = 0

    def arm(self, fault: Fault) -> int:
        """From now on it strikes; its number."""
        if len(self._armed) >= MOST_ARMED:
            del self._armed[next(iter(self._armed))]
        self._last += 1
        self._armed[self._last] = fault
        return self._last

    def disarm(self, number: int) -> bool:
        """It strikes no more; False if it was not armed."""
        return self._armed.pop(number, None) is not None

    def disarm_all(self) -> None:
        """None strikes any more."""
        self._armed.clear()

    def armed(self) -> dict[int, Fault]:
        """Those that are left, with what is left of their counts."""
        return dict(self._armed)

    def is_armed(self, kind: FaultKind) -> bool:
        """Whether one of this kind is."""
        return any(fault.kind is kind for fault in self._armed.values())

    def webhook_posts(self) -> int:
        """How often the next update is posted to the webhook."""
        return 1 if self.take(OF_WEBHOOKS) is None else 2

    def take(
        self, kinds: Container[FaultKind], *, method: str = "", path: str = "/"
    ) -> Fault | None:
        """The oldest fault that strikes a matching request or frame, which counts it."""
        for number, fault in list(self._armed.items()):
            if not fault.matches(kinds, method, path):
                continue
            if fault.after:
                self._armed[number] = replace(fault, after=fault.after - 1)
                continue
            if fault.times is None:
                return fault
            if fault.times > 1:
                self._armed[number] = replace(fault, times=fault.times - 1)
            else:
                del self._armed[number]
            return fault
        return None
