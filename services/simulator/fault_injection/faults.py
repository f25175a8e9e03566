"""Armed faults, and the choice of the fault for the next request, frame or webhook update."""

from collections.abc import Container
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_ARMED: Final = 100


class FaultKind(StrEnum):
    """The effect of a fault."""

    ERROR = "error"
    """A request is answered with `status` and not executed."""
    SLOW = "slow"
    """A request is executed after `delay_secs`."""
    LOST = "lost"
    """A request is executed, and its connection is aborted without an answer."""
    LATE = "late"
    """A request is executed at once and answered after `delay_secs`."""

    DROP = "drop"
    """A frame is not sent."""
    DUPLICATE = "duplicate"
    """A frame is sent twice."""
    REORDER = "reorder"
    """A frame is sent after its successor."""
    GARBAGE = "garbage"
    """Bytes that cannot be decoded are sent instead of a frame."""
    TRUNCATE = "truncate"
    """The first half of a frame is sent."""
    STALL = "stall"
    """The connection sends no more frames, but answers pings."""
    HALF_OPEN = "half_open"
    """The connection neither sends nor reads; it is aborted after `delay_secs`, or 60 s."""
    CLOSE = "close"
    """The connection is closed with `code`."""
    ABORT = "abort"
    """The connection is aborted without a close frame."""

    WEBHOOK_TWICE = "webhook_twice"
    """An update is posted to the webhook twice."""


REQUEST_FAULTS: Final = frozenset({FaultKind.ERROR, FaultKind.SLOW, FaultKind.LOST, FaultKind.LATE})
WEBHOOK_FAULTS: Final = frozenset({FaultKind.WEBHOOK_TWICE})
FRAME_FAULTS: Final = frozenset(FaultKind) - REQUEST_FAULTS - WEBHOOK_FAULTS


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It applies to `times` matching events, after the first `after` of them."""

    kind: FaultKind
    path: str = "/"
    """Path prefix of the requests; without meaning for frames and updates."""
    method: str = ""
    """Method of the requests; empty means any."""
    times: int | None = 1
    """None means until disarmed."""
    after: int = 0
    status: int = 500
    delay_secs: float = 0.0
    code: int = 1011

    def matches(self, kinds: Container[FaultKind], method: str, path: str) -> bool:
        """Whether the fault has one of these kinds and applies to this request."""
        return (
            self.kind in kinds
            and path.startswith(self.path)
            and (not self.method or self.method == method)
        )


class Faults:
    """Armed faults by number, oldest first; at most 100, the oldest are dropped."""

    def __init__(self) -> None:
        self._armed: dict[int, Fault] = {}
        self._last_number = 0

    def arm(self, fault: Fault) -> int:
        """Arm a fault; returns its number."""
        if len(self._armed) >= MAX_ARMED:
            del self._armed[next(iter(self._armed))]
        self._last_number += 1
        self._armed[self._last_number] = fault
        return self._last_number

    def disarm(self, number: int) -> bool:
        """Disarm a fault; False if it was not armed."""
        return self._armed.pop(number, None) is not None

    def disarm_all(self) -> None:
        """Disarm all faults."""
        self._armed.clear()

    def armed(self) -> dict[int, Fault]:
        """The armed faults by number, with their remaining counts."""
        return dict(self._armed)

    def is_armed(self, kind: FaultKind) -> bool:
        """Whether a fault of this kind is armed."""
        return any(fault.kind is kind for fault in self._armed.values())

    def webhook_posts(self) -> int:
        """How many times the next update is posted to the webhook."""
        return 1 if self.take(WEBHOOK_FAULTS) is None else 2

    def take(
        self, kinds: Container[FaultKind], *, method: str = "", path: str = "/"
    ) -> Fault | None:
        """The oldest fault that applies to this event, or None; reduces the counts of faults."""
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
