"""The windows of each instrument: those that are open, and the last one that closed."""

from services.persister.aggregation.bar_builder import BarBuilder
from services.persister.aggregation.checkpoint import (
    AggregatorState,
    InstrumentGap,
    InstrumentProgress,
)
from services.persister.aggregation.closed_windows import AmendedBars, BarPlace
from services.persister.aggregation.minute import VolumeBounds
from shared.contracts.history import GapReason
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, trading_day, window_start


class Windows:
    """Opens, finds and closes windows, and collects bars that are new or changed."""

    def __init__(self, state: AggregatorState) -> None:
        self._state = state
        self._bars: list[Bar] = []
        self._amending: dict[str, Bar | None] = {}
        """By instrument key, the last closed bar before a change that may amend it."""
        self._doubted: set[BarPlace] = set()

    @property
    def open_count(self) -> int:
        """Number of windows that are open for at least one instrument."""
        starts_ms = {
            window.start_ms
            for instrument in self._state.instruments.values()
            for window in instrument.open_windows
        }
        return len(starts_ms)

    def take_bars(self) -> AmendedBars:
        """Bars that are new or have changed since the last call."""
        for key in list(self._amending):
            self._finish_amendment(self._state.instruments[key])
        bars = tuple(sorted(self._bars, key=lambda bar: (bar.start, bar.key)))
        taken = AmendedBars(bars, frozenset(self._doubted))
        self._bars, self._doubted = [], set()
        return taken

    def find(self, instrument: InstrumentProgress, start_ms: int) -> BarBuilder | None:
        """The instrument's window that starts at `start_ms`; None if it can no longer change.

        The caller may change the window.
        """
        windows = instrument.open_windows
        if windows and windows[-1].start_ms == start_ms:
            return windows[-1]
        closed_until_ms = self._state.closed_until_ms
        if start_ms + WINDOW_MS > closed_until_ms:
            for window in windows:
                if window.start_ms == start_ms:
                    return window
            opened = _open(instrument, start_ms)
            windows.append(opened)
            windows.sort(key=lambda window: window.start_ms)
            return opened
        last = instrument.last_closed
        if last is not None and last.start_ms == start_ms:
            self.begin_amendment(instrument)
            return last
        is_latest = start_ms + WINDOW_MS == closed_until_ms
        is_newer = last is None or last.start_ms < start_ms
        if not (is_latest and is_newer) or start_ms < window_start(instrument.first_quote_ms):
            return None
        return self._open_late(instrument, start_ms)

    def begin_amendment(self, instrument: InstrumentProgress) -> None:
        """Note the instrument's last closed bar before a change that may amend it."""
        if instrument.key not in self._amending and instrument.last_closed is not None:
            bar = instrument.last_closed.bar(instrument.key, _vtt_after(instrument))
            self._amending[instrument.key] = bar

    def close(self, instrument: InstrumentProgress, until_ms: int) -> None:
        """Close the instrument's windows that end by `until_ms`."""
        while (
            instrument.open_windows and instrument.open_windows[0].start_ms + WINDOW_MS <= until_ms
        ):
            # The amended bar depends on the next window, so finish it before that one closes.
            self._finish_amendment(instrument)
            self._close_window(instrument, instrument.open_windows.pop(0))
        if instrument.unseen_ranges:
            instrument.unseen_ranges = [
                unseen for unseen in instrument.unseen_ranges if unseen.end_ms >= until_ms
            ]

    def _open_late(self, instrument: InstrumentProgress, start_ms: int) -> BarBuilder:
        """The window that closed last, in which the instrument had no trade until now."""
        self._finish_amendment(instrument)
        vtt_at_start = _vtt_at(instrument, start_ms)
        opened = instrument.last_closed = _open(instrument, start_ms)
        opened.close(epoch=self._state.feed_epoch, vtt_at_start=vtt_at_start)
        self.begin_amendment(instrument)
        return opened

    def _close_window(self, instrument: InstrumentProgress, window: BarBuilder) -> None:
        """Collect the window's bar and gap, and hold the window for amendments."""
        if not window.has_trades and not window.is_partial:
            return
        start_ms, end_ms = window.start_ms, window.start_ms + WINDOW_MS
        silences = [
            silence for silence in self._state.silences if silence.overlap_ms(start_ms, end_ms) > 0
        ]
        silent_ms = sum(silence.overlap_ms(start_ms, end_ms) for silence in silences)
        before_first_quote_ms = min(instrument.first_quote_ms, end_ms) - start_ms
        window.close(
            epoch=self._state.feed_epoch,
            vtt_at_start=_vtt_at(instrument, start_ms),
            silent_ms=max(silent_ms, before_first_quote_ms),
            is_unconfirmed=any(instrument.last_quote_ms < silence.until_ms for silence in silences),
        )
        instrument.last_closed = window
        bar = window.bar(instrument.key, _vtt_after(instrument))
        if bar is not None:
            self._bars.append(bar)
        if window.is_partial and (bar is None or window.silent_ms):
            reason = silences[-1].reason if silences else GapReason.UNSEEN_TRADES
            self._state.gaps.append(InstrumentGap(start_ms, end_ms, reason, instrument.key))

    def _finish_amendment(self, instrument: InstrumentProgress) -> None:
        """Collect the instrument's last closed bar again if it has changed."""
        if instrument.key not in self._amending or instrument.last_closed is None:
            return
        before = self._amending.pop(instrument.key)
        bar = instrument.last_closed.bar(instrument.key, _vtt_after(instrument))
        if bar is not None and bar != before:
            self._bars.append(bar)
            was_complete = before is not None and before.state is BarState.COMPLETE
            if was_complete and bar.state is BarState.PARTIAL:
                self._doubted.add((bar.key, bar.start))


def _open(instrument: InstrumentProgress, start_ms: int) -> BarBuilder:
    """A new window, partial from the start if trades may be hidden in it."""
    window = BarBuilder(start_ms)
    for unseen in instrument.unseen_ranges:
        if unseen.start_ms <= start_ms < unseen.end_ms:
            end_ms = start_ms + WINDOW_MS
            window.record_hidden_trades(start_ms, end_ms - 1, is_tail=unseen.is_tail)
    return window


def _vtt_at(instrument: InstrumentProgress, start_ms: int) -> VolumeBounds | None:
    """Cumulative volume at `start_ms`, the end of the last closed window; zero on a new day."""
    last = instrument.last_closed
    if last is None:
        return None
    vtt = last.vtt_at_end()
    is_same_day = trading_day(last.start_ms) == trading_day(start_ms)
    return vtt if vtt is None or is_same_day else VolumeBounds(0, 0)


def _vtt_after(instrument: InstrumentProgress) -> VolumeBounds | None:
    """Cumulative volume before the first trade that was seen after the last closed window."""
    last = instrument.last_closed
    if last is None or not instrument.open_windows:
        return None
    window = instrument.open_windows[0]
    if trading_day(window.start_ms) != trading_day(last.start_ms):
        return None
    return window.vtt_before_first_minute
