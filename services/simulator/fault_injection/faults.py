"""Armed faults, and the choice of the fault for the next request, message, order or update."""

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Final

from services.simulator.fault_injection.fault_kinds import FaultKind, Stream

MAX_ARMED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. It applies to `times` matching events, after the first `after` of them."""

    kind: FaultKind
    path: str = "/"
    """Path prefix of the requests; without meaning for other events."""
    method: str = ""
    """Method of the requests; empty means any."""
    stream: Stream = Stream.FEED
    """The stream of the messages; without meaning for other events."""
    user_id: str = ""
    """User of the request, connection or order; empty means any."""
    times: int | None = 1
    """None means until disarmed."""
    after: int = 0
    status: int = 500
    error_code: str = ""
    """Upstox's error code; empty means one that follows from the status."""
    message: str = ""
    """Words of the error or the rejection; empty means the usual ones."""
    is_executed: bool = False
    """Whether a request is executed before `error` or `html` answers it."""
    delay_secs: float = 0.0
    """Wall time; exchange time for faults of orders."""
    code: int = 1011

    @property
    def delay_ms(self) -> int:
        """The delay in ms."""
        return round(self.delay_secs * 1_000)

    def matches(
        self,
        kinds: Container[FaultKind],
        *,
        method: str,
        path: str,
        stream: Stream | None,
        user_id: str,
    ) -> bool:
        """Whether the fault has one of these kinds and applies to this event."""
        return (
            self.kind in kinds
            and path.startswith(self.path)
            and self.method in ("", method)
            and self.user_id in ("", user_id)
            and stream in (None, self.stream)
        )


class Faults:
    """Armed faults by number, oldest first; at most 1000, the oldest are dropped."""

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

    def take(
        self,
        kinds: Container[FaultKind],
        *,
        method: str = "",
        path: str = "/",
        stream: Stream | None = None,
        user_id: str = "",
    ) -> Fault | None:
        """The oldest fault that applies to this event, or None; reduces the counts of faults."""
        for number, fault in list(self._armed.items()):
            if not fault.matches(kinds, method=method, path=path, stream=stream, user_id=user_id):
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
