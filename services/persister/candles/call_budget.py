"""Divides the calls for candles among repair, requests of users and the command `backfill`. Pure.

All share the limits. Requests take at most a half of the calls of a minute and of half an hour,
and the command a quarter, so that repair always has a quarter.
"""

from dataclasses import dataclass

from services.persister.candles.call_pacer import CallLimit, CallPacer


@dataclass(frozen=True, slots=True)
class CallBudget:
    """Limits on the calls for candles."""

    per_sec: int
    per_minute: int
    per_half_hour: int

    def pacers(self) -> "Pacers":
        """Pacers that hold these limits together."""
        total = CallPacer([CallLimit(self.per_sec, 1.0), *self._share(1)])
        return Pacers(
            repair=(total,),
            requests=(CallPacer(self._share(2)), total),
            command=(CallPacer(self._share(4)), total),
        )

    def _share(self, parts: int) -> list[CallLimit]:
        return [
            CallLimit(max(1, self.per_minute // parts), 60.0),
            CallLimit(max(1, self.per_half_hour // parts), 1_800.0),
        ]


@dataclass(frozen=True, slots=True)
class Pacers:
    """For each kind of call, the pacers at which it waits, in their order."""

    repair: tuple[CallPacer, ...]
    requests: tuple[CallPacer, ...]
    command: tuple[CallPacer, ...]
