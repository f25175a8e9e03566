"""The seeded market: processes the events of all instruments in order of exchange time.

Each instrument has its own random stream, derived from seed and key, and its events have exact
times. The same seed and start therefore give the same trades, however the calls to `advance`
divide the time. Events of a closed segment are postponed until it opens. At 00:00 IST a new day
begins.
"""

import heapq
from collections.abc import Sequence

from services.simulator.market.derivative_flows import DerivativeFlow
from services.simulator.market.flows import Flow, IndexFlow, StockFlow, Trade
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from shared.market.exchange_time import DAY_MS, day_start


class Market:
    """All instruments at `now_ms` (exchange time, epoch ms)."""

    def __init__(
        self,
        instruments: Sequence[ListedInstrument],
        *,
        seed: int,
        start_ms: int,
        trades_per_sec: float,
        calendar: SimulatedCalendar | None = None,
    ) -> None:
        """Schedule the first event of each instrument at `start_ms` or at its next open.

        Without a calendar the market is always open. Raises KeyError if an index or a
        derivative follows an instrument that is not among `instruments`.
        """
        self.calendar = calendar or SimulatedCalendar()
        self._flows = _flows(instruments, seed, trades_per_sec, start_ms)
        self._segments = [flow.state.instrument.segment for flow in self._flows]
        self._sessions = dict.fromkeys(self._segments, (0, 0))
        self._event_queue = [
            (self.calendar.next_event_ms(segment, start_ms), number)
            for number, segment in enumerate(self._segments)
        ]
        heapq.heapify(self._event_queue)
        self._next_day_ms = day_start(start_ms) + DAY_MS
        self._changes: dict[str, bool] = {}
        self.seed = seed
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.states: dict[str, SimulatedState] = {
            flow.state.instrument.key: flow.state for flow in self._flows
        }
        for state in self.states.values():
            segment = state.instrument.segment
            if not self.calendar.is_open(segment, start_ms):
                state.ltt_ms = self.calendar.last_close_ms(segment, start_ms)

    def advance(self, to_ms: int) -> list[Trade]:
        """Process all events up to and including `to_ms`; returns the trades, oldest first.

        Raises ValueError if `to_ms` is before `now_ms`.
        """
        if to_ms < self.now_ms:
            raise ValueError(f"{to_ms} is before {self.now_ms}")
        trades: list[Trade] = []
        event_queue, changes = self._event_queue, self._changes
        while event_queue and event_queue[0][0] <= to_ms:
            time_ms, number = event_queue[0]
            if time_ms >= self._next_day_ms:
                self._roll_day(time_ms)
            flow, segment = self._flows[number], self._segments[number]
            opens_ms, closes_ms = self._sessions[segment]
            if time_ms >= closes_ms:
                opens_ms, closes_ms = self._begin_session(segment, time_ms)
            if time_ms < opens_ms:  # pre-open: the indicative price moves, nothing trades
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
            heapq.heapreplace(event_queue, (next_ms, number))
        if to_ms >= self._next_day_ms:
            self._roll_day(to_ms)
        self.now_ms = to_ms
        return trades

    def take_changes(self) -> dict[str, bool]:
        """Keys that changed since the last call; False if only the order book changed."""
        changes, self._changes = self._changes, {}
        return changes

    def _begin_session(self, segment: str, at_ms: int) -> tuple[int, int]:
        """Start and end (exclusive) of the day's trading; an empty range if there is none."""
        session = self.calendar.session(segment, at_ms) or (at_ms, at_ms)
        self._sessions[segment] = session
        return session

    def _roll_day(self, now_ms: int) -> None:
        for key, state in self.states.items():
            state.roll_day()
            if self.calendar.is_open(state.instrument.segment, now_ms):
                self._changes[key] = True
        self._next_day_ms = day_start(now_ms) + DAY_MS


def _flows(
    instruments: Sequence[ListedInstrument], seed: int, trades_per_sec: float, start_ms: int
) -> list[Flow]:
    """A flow for each instrument, after the flows whose state it reads.

    Events of one millisecond are processed in this order, so an index or a derivative sees
    the trades that its stocks or its underlying have in that millisecond.
    """
    flows: dict[str, Flow] = {
        instrument.key: StockFlow(instrument, seed=seed, trades_per_sec=trades_per_sec)
        for instrument in instruments
        if instrument.instrument_type is InstrumentType.EQUITY
    }
    for instrument in instruments:
        if instrument.is_index:
            stocks = [flows[key].state for key in instrument.constituents]
            flows[instrument.key] = IndexFlow(instrument, stocks)
    for instrument in instruments:
        if instrument.key not in flows:
            underlying_key = instrument.underlying_key
            flows[instrument.key] = DerivativeFlow(
                instrument,
                None if underlying_key is None else flows[underlying_key].state,
                seed=seed,
                trades_per_sec=trades_per_sec,
                start_ms=start_ms,
            )
    return list(flows.values())
