"""The seeded market: every instrument's events in the order of exchange time.

PURE: no wall clock, no sockets. Each instrument has a random stream of its own, made
from seed and key, and its events have exact times, so the same seed and start give
the same trades however the calls to `advance` are cut. In this form the market is
always open; at 00:00 IST a new day begins.
"""

import heapq
from collections.abc import Sequence

from services.simulator.market.flows import Flow, IndexFlow, StockFlow, Trade
from services.simulator.market.instruments import Instrument
from services.simulator.market.state import InstrumentState
from shared.exchange_time import DAY_MS, day_start


class Market:
    """All instruments at `now_ms` (epoch ms of exchange time)."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        *,
        seed: int,
        start_ms: int,
        trades_per_sec: float,
    ) -> None:
        """Every instrument has its first event at `start_ms`; `advance` there to see it.

        Raises KeyError if an index names a stock that is not among `instruments`.
        """
        stocks = {
            instrument.key: StockFlow(instrument, seed=seed, trades_per_sec=trades_per_sec)
            for instrument in instruments
            if not instrument.is_index
        }
        indices = [
            IndexFlow(instrument, [stocks[key].state for key in instrument.constituents])
            for instrument in instruments
            if instrument.is_index
        ]
        # Indices last: at the same millisecond they see what their stocks have done.
        self._flows: list[Flow] = [*stocks.values(), *indices]
        self._agenda = [(start_ms, place) for place in range(len(self._flows))]
        self._next_day_ms = day_start(start_ms) + DAY_MS
        self._changes: dict[str, bool] = {}
        self.now_ms = start_ms
        self.states: dict[str, InstrumentState] = {
            flow.state.instrument.key: flow.state for flow in self._flows
        }

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
            flow = self._flows[place]
            trade = flow.act(time_ms)
            if trade is None:
                changes.setdefault(flow.state.instrument.key, False)
            else:
                changes[trade.key] = True
                trades.append(trade)
            heapq.heapreplace(agenda, (flow.next_ms(time_ms), place))
        if to_ms >= self._next_day_ms:
            self._roll_day(to_ms)
        self.now_ms = to_ms
        return trades

    def take_changes(self) -> dict[str, bool]:
        """Keys changed since the last call: True for a trade, False for the book alone."""
        changes, self._changes = self._changes, {}
        return changes

    def _roll_day(self, now_ms: int) -> None:
        for key, state in self.states.items():
            state.roll_day()
            self._changes[key] = True
        self._next_day_ms = day_start(now_ms) + DAY_MS
