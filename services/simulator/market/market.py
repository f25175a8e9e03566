"""The seeded market: processes the events of all instruments in order of exchange time.

Each instrument has its own random stream, derived from seed and key, and its events have exact
times. The same seed and start therefore give the same trades, however the calls to `advance`
divide the time. Events outside of trading and of an auction's order entry are postponed to the
next of these windows; no match of an auction is skipped. During a halt, events have no effect.
At 00:00 IST a new day begins.
"""

import heapq
from collections.abc import Sequence

from services.simulator.market.derivative_flows import DerivativeFlow
from services.simulator.market.flows import Flow, IndexFlow, StockFlow, Trade
from services.simulator.market.halts import Halt
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from services.simulator.market.trading_day import Stage, Window
from shared.market.exchange_time import DAY_MS, day_start

_Group = tuple[str, bool]
"""A segment, and whether the instruments are traded in its closing auction."""


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
        """Schedule the first event of each instrument at `start_ms` or in its next window.

        Without a calendar the market is always open. Raises KeyError if an index or a
        derivative follows an instrument that is not among `instruments`.
        """
        self.calendar = calendar or SimulatedCalendar()
        self._flows = _flows(instruments, seed, trades_per_sec, start_ms)
        with_derivatives = {instrument.underlying_key for instrument in instruments}
        for flow in self._flows:
            state = flow.state
            is_share = state.instrument.instrument_type is InstrumentType.EQUITY
            state.has_closing_auction = is_share and state.instrument.key in with_derivatives
        # Instruments with the same windows.
        self._groups = [
            (flow.state.instrument.segment, flow.state.has_closing_auction) for flow in self._flows
        ]
        self._windows = dict.fromkeys(self._groups, Window(0, 0, Stage.TRADING))
        self._event_queue = [
            (self._next_event_ms(group, start_ms - 1, start_ms), number)
            for number, group in enumerate(self._groups)
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
        for (segment, closing_auction), state in zip(
            self._groups, self.states.values(), strict=True
        ):
            if not self.calendar.is_trading(segment, start_ms, closing_auction=closing_auction):
                state.ltt_ms = self.calendar.last_close_ms(
                    segment, start_ms, closing_auction=closing_auction
                )

    def advance(self, to_ms: int) -> list[Trade]:
        """Process all events up to and including `to_ms`; returns the trades, oldest first.

        Raises ValueError if `to_ms` is before `now_ms`.
        """
        if to_ms < self.now_ms:
            raise ValueError(f"{to_ms} is before {self.now_ms}")
        self._refill_books(to_ms)
        trades: list[Trade] = []
        event_queue = self._event_queue
        while event_queue and event_queue[0][0] <= to_ms:
            time_ms, number = event_queue[0]
            if time_ms >= self._next_day_ms:
                self._roll_day(time_ms)
            flow, group = self._flows[number], self._groups[number]
            window = self._windows[group]
            if time_ms >= window.end_ms:
                window = self._windows[group] = self._window_from(group, time_ms)
            trade = self._happen(flow, window.stage, time_ms)
            if trade is not None:
                trades.append(trade)
            next_ms = flow.next_ms(time_ms)
            if next_ms >= window.end_ms or window.stage is Stage.MATCH:
                next_ms = self._next_event_ms(group, time_ms, next_ms)
            heapq.heapreplace(event_queue, (next_ms, number))
        if to_ms >= self._next_day_ms:
            self._roll_day(to_ms)
        self.calendar.halts.forget(to_ms)
        self.now_ms = to_ms
        return trades

    def halt(self, target: str, halt_ms: int | None = None) -> Halt:
        """Halt a segment or an instrument from now on; None means until `resume`.

        The order book of a halted instrument is empty; those of a halted segment stay.
        """
        until_ms = None if halt_ms is None else self.now_ms + halt_ms
        halt = Halt(target, self.now_ms, until_ms)
        self.calendar.halts.begin(halt)
        state = self.states.get(target)
        if state is not None and state.book is not None:
            state.book.clear()
            self._changes.setdefault(target, False)
        return halt

    def resume(self, target: str) -> bool:
        """End a halt; False if there is none."""
        if not self.calendar.halts.end(target, self.now_ms):
            return False
        self._refill_book(target)
        return True

    def take_changes(self) -> dict[str, bool]:
        """Keys that changed since the last call; False if only the order book changed."""
        changes, self._changes = self._changes, {}
        return changes

    def _happen(self, flow: Flow, stage: Stage, time_ms: int) -> Trade | None:
        """Execute an event, unless the instrument is halted."""
        key, halts = flow.state.instrument.key, self.calendar.halts
        if halts and halts.stops(key, time_ms):
            if stage is Stage.MATCH:
                flow.state.end_auction()
            return None
        if stage is Stage.ORDER_ENTRY:
            flow.indicate()
            self._changes[key] = True
            return None
        trade = flow.act(time_ms) if stage is Stage.TRADING else flow.match(time_ms)
        if trade is not None:
            self._changes[key] = True
        elif stage is Stage.TRADING:
            self._changes.setdefault(key, False)
        return trade

    def _refill_books(self, to_ms: int) -> None:
        """Refill the books of the halts that end by `to_ms`, before their first events."""
        for halt in self.calendar.halts.ended_by(to_ms):
            self._refill_book(halt.target)

    def _refill_book(self, target: str) -> None:
        state = self.states.get(target)
        if state is not None and state.book is not None:
            state.book.refill()
            self._changes.setdefault(target, False)

    def _next_event_ms(self, group: _Group, time_ms: int, next_ms: int) -> int:
        """The event after the one at `time_ms`: at `next_ms`, in a later window, or a match."""
        window = self._window_from(group, time_ms)
        while True:
            if window.stage is Stage.MATCH:
                if window.start_ms > time_ms:
                    return window.start_ms
            elif next_ms < window.end_ms:
                return max(next_ms, window.start_ms)
            window = self._window_from(group, window.end_ms)

    def _window_from(self, group: _Group, at_ms: int) -> Window:
        """The first window of these instruments that ends after `at_ms`."""
        segment, closing_auction = group
        return self.calendar.next_window(segment, at_ms, closing_auction=closing_auction)

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
