"""The trading sessions of each instrument, with halts.

Every time is an argument (exchange time, epoch ms).
"""

from collections.abc import Mapping

from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from shared.market.exchange_calendar import Phase


class Sessions:
    """The calendar, asked by instrument key."""

    def __init__(self, states: Mapping[str, SimulatedState], calendar: SimulatedCalendar) -> None:
        self._states = states
        self._calendar = calendar

    def service_hours_open(self, at_ms: int) -> bool:
        """Whether the order service takes calls."""
        return self._calendar.service_hours_open(at_ms)

    def phase(self, key: str, at_ms: int) -> Phase:
        """The phase of the instrument's segment; a halted instrument is closed."""
        if self._calendar.halts.covers(key, at_ms):
            return Phase.NORMAL_CLOSE
        return self._calendar.phase(self._states[key].instrument.segment, at_ms)

    def is_trading(self, key: str, at_ms: int) -> bool:
        """Whether the instrument is traded continuously."""
        state = self._states[key]
        return not self._calendar.halts.stops(key, at_ms) and self._calendar.is_trading(
            state.instrument.segment, at_ms, closing_auction=state.has_closing_auction
        )

    def is_over(self, key: str, at_ms: int) -> bool:
        """Whether the instrument is traded no more on this day."""
        state = self._states[key]
        return self._calendar.is_over(
            state.instrument.segment, at_ms, closing_auction=state.has_closing_auction
        )

    def in_closing_auction(self, key: str, at_ms: int) -> bool:
        """Whether the instrument is in its closing auction."""
        state = self._states[key]
        stage = self._calendar.closing_auction(state.instrument.segment, at_ms)
        return state.has_closing_auction and stage is not None
