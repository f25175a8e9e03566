"""An instrument's windows: those that are open, and the last one that is over."""

from services.persister.aggregation.bar_builder import BarBuilder, VolumeBounds
from services.persister.aggregation.checkpoint import Hole, InstrumentProgress, State
from shared.contracts.history import GapReason
from shared.contracts.messages import Bar
from shared.market.exchange_time import WINDOW_MS, trading_day, window_start


class Windows:
    """Finds the window that something belongs to, and tells of bars that are new or changed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._bars: list[Bar] = []
        self._amending: dict[str, Bar | None] = {}
        """Instruments whose last bar may have changed, with what it was before."""

    @property
    def open_count(self) -> int:
        """Windows that have begun and are not over."""
        return len({b.start for one in self._state.instruments.values() for b in one.open})

    def take(self) -> tuple[Bar, ...]:
        """Bars that are new or differ from what was told before."""
        for key in list(self._amending):
            self._settle(self._state.instruments[key])
        bars, self._bars = self._bars, []
        return tuple(sorted(bars, key=lambda bar: (bar.start, bar.key)))

    def at(self, instrument: InstrumentProgress, start: int) -> BarBuilder | None:
        """The window of `instrument` that begins at `start`; None if it cannot change any more."""
        windows = instrument.open
        if windows and windows[-1].start == start:
            return windows[-1]
        closed_until = self._state.closed_until
        if start + WINDOW_MS > closed_until:
            for window in windows:
                if window.start == start:
                    return window
            made = _begin(instrument, start)
            windows.append(made)
            windows.sort(key=lambda window: window.start)
            return made
        last = instrument.last
        if last is not None and last.start == start:
            self.touch(instrument)
            return last
        is_latest = start + WINDOW_MS == closed_until and (last is None or last.start < start)
        if not is_latest or start < window_start(instrument.since):
            return None
        self._settle(instrument)
        totals = _totals_before(instrument, start)
        made = instrument.last = _begin(instrument, start)
        made.epoch, made.totals = self._state.feed_epoch, totals
        self.touch(instrument)
        return made

    def touch(self, instrument: InstrumentProgress) -> None:
        """The instrument's last bar is about to change."""
        if instrument.key not in self._amending and instrument.last is not None:
            bar = instrument.last.bar(instrument.key, _totals_after(instrument))
            self._amending[instrument.key] = bar

    def close(self, instrument: InstrumentProgress, until: int) -> None:
        """Those that end by `until` are over."""
        while instrument.open and instrument.open[0].start + WINDOW_MS <= until:
            self._settle(instrument)  # while the window after its last one is still there
            self._finish(instrument, instrument.open.pop(0))
        if instrument.unseen:
            instrument.unseen = [one for one in instrument.unseen if one.end >= until]

    def _finish(self, instrument: InstrumentProgress, building: BarBuilder) -> None:
        """The window is over: its bar is told, and kept in case it is amended."""
        if not building.has_trades and not building.is_doubtful:
            return
        start, end = building.start, building.start + WINDOW_MS
        reason = GapReason.UNSEEN_TRADES
        for silence in self._state.silences:
            silent_ms = min(silence.until, end) - max(silence.since, start)
            if silent_ms > 0:
                reason = silence.reason
                building.silent_ms += silent_ms
                building.unseen = building.unseen or instrument.seen < silence.until
        building.silent_ms = max(building.silent_ms, min(instrument.since, end) - start)
        building.epoch = self._state.feed_epoch
        building.totals = _totals_before(instrument, start)
        instrument.last = building
        bar = building.bar(instrument.key, _totals_after(instrument))
        if bar is not None:
            self._bars.append(bar)
        if building.is_doubtful and (bar is None or building.silent_ms):
            self._state.holes.append(Hole(start, end, reason, instrument.key))

    def _settle(self, instrument: InstrumentProgress) -> None:
        """Tell the instrument's last bar again if it has changed."""
        if instrument.key not in self._amending or instrument.last is None:
            return
        before = self._amending.pop(instrument.key)
        bar = instrument.last.bar(instrument.key, _totals_after(instrument))
        if bar is not None and bar != before:
            self._bars.append(bar)


def _begin(instrument: InstrumentProgress, start: int) -> BarBuilder:
    """A window of which nothing is known, but perhaps that there is something to know."""
    made = BarBuilder(start)
    for one in instrument.unseen:
        if one.start <= start < one.end:
            (made.doubt_tail if one.tail else made.doubt)(start, start + WINDOW_MS - 1)
    return made


def _totals_before(instrument: InstrumentProgress, start: int) -> VolumeBounds | None:
    """Cumulative volume at `start`, the end of the last window; zero on a new day."""
    last = instrument.last
    if last is None:
        return None
    totals = last.totals_at_end()
    same_day = trading_day(last.start) == trading_day(start)
    return totals if totals is None or same_day else VolumeBounds(0, 0)


def _totals_after(instrument: InstrumentProgress) -> VolumeBounds | None:
    """Cumulative volume before the first trade that was seen after the last window."""
    if instrument.last is None or not instrument.open:
        return None
    window = instrument.open[0]
    if not window.minutes or trading_day(window.start) != trading_day(instrument.last.start):
        return None
    return window.minutes[0].before
