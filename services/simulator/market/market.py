"""The seeded market: every instrument's events in the order of exchange time.

PURE: no wall clock, no sockets. Each instrument has a random stream of its own, made
from seed and key, and its events have exact times, so the same seed and start give
the same trades however the calls to `advance` are cut. Events of a segment that is
shut wait until it opens; at 00:00 IST a new day begins.
"""

import heapq
from collections.abc import Sequence

from services.simulator.market.derivative_flows import DerivativeFlow
from services.simulator.market.flows import Flow, IndexFlow, StockFlow, Trade
from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import InstrumentState
from shared.market.exchange_time import DAY_MS, day_start


class Market:
    """All instruments at `now_ms` (epoch ms of exchange time)."""

    def __init__(
        self,
        instruments: Sequence[ListedInstrument],
        *,
        seed: int,
        start_ms: int,
        trades_per_sec: float,
        calendar: SimulatedCalendar | None = None,
    ) -> None:
        """Every instrument has its first event at `start_ms`, or when it opens after that.

        Without a calendar the market is always open. Raises KeyError if an index or a
        derivative follows an instrument that is not among `instruments`.
        """
        self.calendar = calendar or SimulatedCalendar()
        self._flows = _flows_of(instruments, seed, trades_per_sec, start_ms)
        self._segments = [flow.state.instrument.segment for flow in self._flows]
        self._sessions = dict.fromkeys(self._segments, (0, 0))
        self._agenda = [
            (self.calendar.next_event_ms(segment, start_ms), place)
            for place, segment in enumerate(self._segments)
        ]
        heapq.heapify(self._agenda)
        self._next_day_ms = day_start(start_ms) + DAY_MS
        self._changes: dict[str, bool] = {}
        self.seed = seed
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.states: dict[str, InstrumentState] = {
            flow.state.instrument.key: flow.state for flow in self._flows
        }
        for state in self.states.values():
            segment = state.instrument.segment
            if not self.calendar.is_open(segment, start_ms):
                state.ltt_ms = self.calendar.last_close_ms(segment, start_ms)

    def advance(self, to_ms: int) -> list[Trade]:
        """Let everything happen up to and including `to_ms`; the trades, oldest first.

        Raises ValueError if `to_ms` is in the past.
        """
        if to_ms < self.now_ms:
            raise ValueError(f"{to_ms} is before {self.now_ms}")
        trades: list[Trade] = []
        agenda, changes = self._agenda, self._changes
        while agenda and agenda[0][0] <= to_ms:
            time_ms, place = agenda[0]
            if time_ms >= self._next_day_ms:
                self._roll_day(time_ms)
            flow, segment = self._flows[place], self._segments[place]
            opens_ms, closes_ms = self._sessions[segment]
            if time_ms >= closes_ms:
                opens_ms, closes_ms = self._begin_session(segment, time_ms)
            if time_ms < opens_ms:  # the pre-open: the indicative price moves, nothing trades
                flow.indicate()
                changes[flow.state.instrument.key] = True
            elif (trade := flow.act(time_ms)) is None:
                changes.setdefault(flow.state.instrument.key, False)
            else:
                changes[trade.key] = True
                trades.append(trade)
            next_ms = flow.next_ms(time_ms)
            if not opens_ms <= next_ms < closes_ms:
                next_ms = self.calendar.next_event_ms(segment, next_ms)
            heapq.heapreplace(agenda, (next_ms, place))
        if to_ms >= self._next_day_ms:
            self._roll_day(to_ms)
        self.now_ms = to_ms
        return trades

    def take_changes(self) -> dict[str, bool]:
        """Keys changed since the last call: False of those whose book alone changed."""
        changes, self._changes = self._changes, {}
        return changes

    def _begin_session(self, segment: str, at_ms: int) -> tuple[int, int]:
        """First and last moment of the day's trading; nothing happens on a day without."""
        session = self.calendar.session(segment, at_ms) or (at_ms, at_ms)
        self._sessions[segment] = session
        return session

    def _roll_day(self, now_ms: int) -> None:
        for key, state in self.states.items():
            state.roll_day()
            if self.calendar.is_open(state.instrument.segment, now_ms):
                self._changes[key] = True
        self._next_day_ms = day_start(now_ms) + DAY_MS


def _flows_of(
    instruments: Sequence[ListedInstrument], seed: int, trades_per_sec: float, start_ms: int
) -> list[Flow]:
    """What follows another comes after it: at one millisecond it sees what that has done."""
    flows: dict[str, Flow] = {
        instrument.key: StockFlow(instrument, seed=seed, trades_per_sec=trades_per_sec)
        for instrument in instruments
        if instrument.kind is Kind.EQUITY
    }
    for instrument in instruments:
        if instrument.is_index:
            stocks = [flows[key].state for key in instrument.constituents]
            flows[instrument.key] = IndexFlow(instrument, stocks)
    for instrument in instruments:
        if instrument.key not in flows:
            followed = instrument.underlying_key
            flows[instrument.key] = DerivativeFlow(
                instrument,
                None if followed is None else flows[followed].state,
                seed=seed,
                trades_per_sec=trades_per_sec,
                start_ms=start_ms,
            )
    return list(flows.values())
