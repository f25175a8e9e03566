"""The halts of segments and of single instruments, which no calendar announces.

PURE: every time is an argument (exchange time, epoch ms).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Halt:
    """A halt from `from_ms` to `until_ms` (exclusive); None means until it is ended."""

    target: str
    """A segment or an instrument key."""
    from_ms: int
    until_ms: int | None

    def covers(self, at_ms: int) -> bool:
        """Whether the halt is in force."""
        return self.from_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)


class Halts:
    """At most one halt of each segment and of each instrument."""

    def __init__(self) -> None:
        self._halts: dict[str, Halt] = {}

    def __bool__(self) -> bool:
        return bool(self._halts)

    def begin(self, halt: Halt) -> None:
        """Add a halt; it replaces an earlier one of the same target."""
        self._halts[halt.target] = halt

    def end(self, target: str, at_ms: int) -> bool:
        """End a halt; False if none is in force."""
        halt = self._halts.pop(target, None)
        return halt is not None and halt.covers(at_ms)

    def covers(self, target: str, at_ms: int) -> bool:
        """Whether this segment, or this one instrument, is halted."""
        halt = self._halts.get(target)
        return halt is not None and halt.covers(at_ms)

    def stops(self, key: str, at_ms: int) -> bool:
        """Whether an instrument cannot trade because of its own halt or that of its segment."""
        return self.covers(key, at_ms) or self.covers(key.partition("|")[0], at_ms)

    def ended_by(self, at_ms: int) -> list[Halt]:
        """The halts whose time is over."""
        return [
            halt
            for halt in self._halts.values()
            if halt.until_ms is not None and halt.until_ms <= at_ms
        ]

    def forget(self, at_ms: int) -> None:
        """Drop the halts whose time is over."""
        for halt in self.ended_by(at_ms):
            del self._halts[halt.target]

    def in_force(self, at_ms: int) -> list[Halt]:
        """The present halts, oldest first."""
        return [halt for halt in self._halts.values() if halt.covers(at_ms)]
