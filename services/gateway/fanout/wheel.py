"""Timing of the writes to clients: at once while the CPU is idle enough, else on a wheel.

Pure: every moment and duration is an argument.

A write costs the kernel some ten microseconds however little it carries. While there are few
messages, each is written as soon as it arrives. As their number rises, messages must share
writes: clients then sit in the slots of a wheel and are written to once per turn.
"""

from typing import Final

SLOTS: Final = 16
# Loop timers are not more precise than this.
SHORTEST_TICK_SECS: Final = 0.001
# A turn lasts at most this many times the time that its writes take, ...
_TURN_PER_WORK_MAX: Final = 5.0
# ... and at least this many times: with less rest, arriving messages wait longer than with
# rarer flushes.
_TURN_PER_WORK_MIN: Final = 1.5
_SLOT_SMOOTHING: Final = 0.1

_SAMPLE_SECS: Final = 0.1
_LOAD_SMOOTHING: Final = 0.3
# The estimated load up to which each message is written at once. It exceeds 1 because messages
# that arrive during a write share the next one: the process then uses 0.9 of a core.
_AT_ONCE_LOAD: Final = 1.5
# The estimated load from which a turn is longest.
_LONGEST_TURN_LOAD: Final = 2.5


class LoadEstimate:
    """The share of one core that the process would use if it wrote each message at once.

    The estimate is measured work other than writing, plus the delivery rate times the
    measured cost of one write. It may exceed 1.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self._write_cost_secs = 0.0
        self._sampled_at: float | None = None
        self._cpu_secs = 0.0
        self._writing_secs = 0.0
        self._writes = 0
        self._deliveries = 0

    def is_due(self, now: float) -> bool:
        """Whether the next `sample` should be taken at loop time `now`."""
        return self._sampled_at is None or now - self._sampled_at >= _SAMPLE_SECS

    def wrote(self, writes: int, deliveries: int, secs: float) -> None:
        """Count `writes` that carried `deliveries` messages and took `secs` together."""
        self._writes += writes
        self._deliveries += deliveries
        self._writing_secs += secs

    def sample(self, now: float, cpu_secs: float) -> None:
        """Update the estimate. `cpu_secs` is the CPU time of this thread so far."""
        if self._sampled_at is not None:
            elapsed_secs = max(now - self._sampled_at, SHORTEST_TICK_SECS)
            if self._writes:
                cost_secs = self._writing_secs / self._writes
                if not self._write_cost_secs:
                    self._write_cost_secs = cost_secs
                self._write_cost_secs += (cost_secs - self._write_cost_secs) * _LOAD_SMOOTHING
            other_secs = max(0.0, cpu_secs - self._cpu_secs - self._writing_secs)
            writing_secs = self._deliveries * self._write_cost_secs
            share = (other_secs + writing_secs) / elapsed_secs
            self.share += (share - self.share) * _LOAD_SMOOTHING
        self._sampled_at = now
        self._cpu_secs = cpu_secs
        self._writing_secs = 0.0
        self._writes = self._deliveries = 0


class Wheel:
    """The position of the wheel, and how long a turn takes under the current load."""

    def __init__(self, longest_secs: float) -> None:
        self.load = LoadEstimate()
        self._longest_secs = longest_secs
        self._slot_cost_secs = 0.0
        self._position = 0.0
        self._advanced_at = 0.0

    @property
    def writes_at_once(self) -> bool:
        """Whether each message is to be written as soon as it arrives."""
        return self.load.share <= _AT_ONCE_LOAD

    @property
    def turn_secs(self) -> float:
        """Time from one flush of a client to its next.

        While messages are written at once, a turn only serves snapshots, and is longest.
        """
        if self.writes_at_once:
            return self._longest_secs
        return turn_secs(self._slot_cost_secs * SLOTS, self.load.share, self._longest_secs)

    @property
    def tick_secs(self) -> float:
        """Time until the next slot is due."""
        return max(SHORTEST_TICK_SECS, self.turn_secs / SLOTS)

    def start(self, now: float) -> None:
        """Begin to turn at loop time `now`."""
        self._advanced_at = now

    def advance(self, now: float) -> list[int]:
        """The slots that have become due until loop time `now`, each at most once."""
        elapsed_slots = (now - self._advanced_at) * SLOTS / max(self.turn_secs, SHORTEST_TICK_SECS)
        self._advanced_at = now
        first = int(self._position)
        self._position += min(elapsed_slots, SLOTS)
        slots = [slot % SLOTS for slot in range(first, int(self._position))]
        self._position %= SLOTS
        return slots

    def flushed_slot(self, secs: float) -> None:
        """One slot was flushed, which took `secs`."""
        self._slot_cost_secs += (secs - self._slot_cost_secs) * _SLOT_SMOOTHING


def turn_secs(work_secs: float, load_share: float, longest_secs: float) -> float:
    """The length of a turn in which writing to all clients takes `work_secs`.

    `load_share` is the estimate of `LoadEstimate`. The turn grows with it from nothing, where
    it allows to write each message at once, to `longest_secs`.
    """
    excess = (load_share - _AT_ONCE_LOAD) / (_LONGEST_TURN_LOAD - _AT_ONCE_LOAD)
    by_load_secs = longest_secs * min(1.0, max(0.0, excess))
    wanted_secs = min(by_load_secs, work_secs * _TURN_PER_WORK_MAX)
    return max(wanted_secs, work_secs * _TURN_PER_WORK_MIN)
