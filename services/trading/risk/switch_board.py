"""The global kill switch and those of instruments, as they were last read. Time is an argument."""

from collections.abc import Iterable
from typing import Final

from shared.contracts.trading_replies import ActiveSwitch, SwitchScope

MAX_AGE_SECS: Final = 5.0
"""After this time without a read, no order opens a position."""


class SwitchBoard:
    """The switches that are on. Before the first read, nothing is known. Times are monotonic."""

    def __init__(self) -> None:
        self._global: list[ActiveSwitch] = []
        self._by_key: dict[str, ActiveSwitch] = {}
        self._read_at_secs: float | None = None

    def update(self, switches: Iterable[ActiveSwitch], read_at_secs: float) -> None:
        """Replace all switches by those that were on at `read_at_secs`."""
        self._global, self._by_key = [], {}
        for switch in switches:
            if switch.scope is SwitchScope.INSTRUMENT and switch.key is not None:
                self._by_key[switch.key] = switch
            else:
                self._global.append(switch)
        self._read_at_secs = read_at_secs

    def of(self, key: str) -> list[ActiveSwitch]:
        """The switches that stop new orders in an instrument, the global one first."""
        switch = self._by_key.get(key)
        return self._global if switch is None else [*self._global, switch]

    def all(self) -> list[ActiveSwitch]:
        """All switches, the global one first."""
        return [*self._global, *self._by_key.values()]

    def count(self, scope: SwitchScope) -> int:
        """How many switches of this scope are on."""
        return len(self._by_key) if scope is SwitchScope.INSTRUMENT else len(self._global)

    def is_current(self, now_secs: float) -> bool:
        """Whether the last read is recent enough for new orders."""
        return self._read_at_secs is not None and now_secs - self._read_at_secs <= MAX_AGE_SECS
