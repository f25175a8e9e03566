"""Quotes to five-minute bars, by the stream's own time: the same stream gives the same bars.

What decides is only what the stream says, never our clock. A window closes when the
stream's time has passed its end by a grace; its bars then come out together with the
`Checkpoint` from which replaying the stream gives all later bars again, to the byte.
"""

from dataclasses import dataclass, field

from shared.exchange_time import WINDOW_MS, trading_day, window_start
from shared.messages import Bar, BarState, Quote


@dataclass(frozen=True, slots=True)
class Carry:
    """What a window needs to know of an instrument's past."""

    key: str
    ltt: int
    """Time of the last trade that was seen, epoch ms."""
    seen_vtt: int | None
    """Cumulative volume that was seen; None for an index."""
    vtt: int | None
    """Cumulative volume up to which all is counted in some bar; differs from `seen_vtt`
    after a snapshot, which shows trades without making them."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where to resume, and what must be known there."""

    position: int
    """First stream position to read again."""
    closed_until: int
    """All windows that end by this exchange time are stored."""
    time_ms: int | None
    """Exchange time reached just before `position`; None if nothing was read yet."""
    feed_epoch: int
    carries: tuple[Carry, ...] = ()


FRESH = Checkpoint(position=1, closed_until=0, time_ms=None, feed_epoch=0)


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """A window that is over: its bars, and where to resume once they are stored."""

    start: int
    bars: tuple[Bar, ...]
    checkpoint: Checkpoint


@dataclass(slots=True)
class _Building:
    """A bar in the making."""

    base: Carry
    """The instrument just before its first trade in the window."""
    open: float
    high: float
    low: float
    close: float
    ltq: int | None
    ltt: int
    volume: int | None
    vtt: int | None
    atp: float | None
    oi: int | None
    ticks: int = 1


@dataclass(slots=True)
class _Instrument:
    carry: Carry
    building: dict[int, _Building] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Opening:
    """The first message of a window, and what was known just before it."""

    position: int
    time_ms: int | None
    feed_epoch: int


class Aggregator:
    """Feed it every entry of the stream, in order, by `quote` and `clock`."""

    def __init__(self, checkpoint: Checkpoint, *, grace_ms: int, silent_after_ms: int) -> None:
        self._grace_ms = grace_ms
        self._silent_after_ms = silent_after_ms
        self._closed_until = checkpoint.closed_until
        self._feed_epoch = checkpoint.feed_epoch
        self._next_position = checkpoint.position
        self._instruments = {carry.key: _Instrument(carry) for carry in checkpoint.carries}
        self._now = _Opening(checkpoint.position, checkpoint.time_ms, checkpoint.feed_epoch)
        self._openings: dict[int, _Opening] = {}
        self._silences: list[tuple[int, int]] = []
        self.time_ms = checkpoint.time_ms
        """Exchange time reached; None before the first message."""
        self.late_trades = 0
        self.stale_quotes = 0

    def clock(self, ts: int, epoch: int, position: int) -> list[ClosedWindow]:
        """Time has come to `ts`; the windows that this closes, in order."""
        return self._advance(ts, epoch, position)

    def quote(self, quote: Quote, position: int) -> list[ClosedWindow]:
        """A quote; the windows that its time closes, in order."""
        if quote.epoch < self._feed_epoch:
            self.stale_quotes += 1
            self._next_position = position + 1
            return []
        closed = self._advance(quote.ts, quote.epoch, position)
        if quote.ltp is not None and quote.ltt is not None:
            self._count(quote, quote.ltp, quote.ltt)
        return closed

    def _advance(self, ts: int, epoch: int, position: int) -> list[ClosedWindow]:
        before = self.time_ms
        self._now = _Opening(position, before, self._feed_epoch)
        entries_lost = position > self._next_position
        self._next_position = position + 1
        self._feed_epoch = max(self._feed_epoch, epoch)
        if before is None:
            self._silences.append((window_start(ts), ts))
        elif ts > before and (entries_lost or ts - before > self._silent_after_ms):
            self._silences.append((before, ts))
        self.time_ms = max(ts, before or 0)
        self._openings.setdefault(window_start(self.time_ms), self._now)
        return self._close_windows()

    def _count(self, quote: Quote, ltp: float, ltt: int) -> None:
        instrument = self._instruments.get(quote.key)
        if instrument is None:
            # Its last trade may be from long ago: it tells where we start, and is no trade.
            carry = Carry(quote.key, ltt, quote.volume, quote.volume)
            self._instruments[quote.key] = _Instrument(carry)
            return
        last = instrument.carry
        if quote.snap:
            # Within a day the volume stays: what was traded unseen counts with the next trade.
            same_day = trading_day(ltt) == trading_day(last.ltt)
            vtt = last.vtt if same_day else quote.volume
            instrument.carry = Carry(last.key, max(last.ltt, ltt), quote.volume, vtt)
            return
        if ltt <= last.ltt and (quote.volume or 0) <= (last.seen_vtt or 0):
            return
        start = window_start(ltt)
        if start + WINDOW_MS <= self._closed_until:
            self.late_trades += 1
            return
        volume = _volume_since(last, quote.volume, ltt)
        instrument.carry = Carry(last.key, max(last.ltt, ltt), quote.volume, quote.volume)
        # Normally open since its first message; not if it had none before this late trade.
        self._openings.setdefault(start, self._now)
        bar = instrument.building.get(start)
        if bar is None:
            instrument.building[start] = _Building(
                base=last, open=ltp, high=ltp, low=ltp, close=ltp, ltq=quote.ltq, ltt=ltt,
                volume=volume, vtt=quote.volume, atp=quote.atp, oi=quote.oi,
            )  # fmt: skip
            return
        bar.high = max(bar.high, ltp)
        bar.low = min(bar.low, ltp)
        bar.close = ltp
        bar.ltq = quote.ltq
        bar.ltt = ltt
        bar.volume = None if volume is None else (bar.volume or 0) + volume
        bar.vtt = quote.volume
        bar.atp = quote.atp
        bar.oi = quote.oi
        bar.ticks += 1

    def _close_windows(self) -> list[ClosedWindow]:
        assert self.time_ms is not None
        closed = []
        for start in sorted(self._openings):
            end = start + WINDOW_MS
            if end + self._grace_ms > self.time_ms:
                break
            self._closed_until = end
            del self._openings[start]
            bars = self._take_bars(start)
            closed.append(ClosedWindow(start, bars, self._checkpoint()))
        self._silences = [gap for gap in self._silences if gap[1] > self._closed_until]
        return closed

    def _take_bars(self, start: int) -> tuple[Bar, ...]:
        silent_ms = sum(
            max(0, min(until, start + WINDOW_MS) - max(since, start))
            for since, until in self._silences
        )
        state = BarState.PARTIAL if silent_ms else BarState.COMPLETE
        bars = []
        for key in sorted(self._instruments):
            bar = self._instruments[key].building.pop(start, None)
            if bar is not None:
                bars.append(
                    Bar(
                        key=key,
                        start=start,
                        open=bar.open,
                        high=bar.high,
                        low=bar.low,
                        close=bar.close,
                        ltq=bar.ltq,
                        ltt=bar.ltt,
                        volume=bar.volume,
                        vtt=bar.vtt,
                        atp=bar.atp,
                        oi=bar.oi,
                        ticks=bar.ticks,
                        state=state,
                        silent_ms=silent_ms,
                        epoch=self._feed_epoch,
                    )
                )
        return tuple(bars)

    def _checkpoint(self) -> Checkpoint:
        """Resume at the first message that any window still open has seen."""
        opening = min(self._openings.values(), key=lambda opening: opening.position)
        carries = []
        for instrument in self._instruments.values():
            building = instrument.building
            carries.append(building[min(building)].base if building else instrument.carry)
        return Checkpoint(
            position=opening.position,
            closed_until=self._closed_until,
            time_ms=opening.time_ms,
            feed_epoch=opening.feed_epoch,
            carries=tuple(sorted(carries, key=lambda carry: carry.key)),
        )


def _volume_since(last: Carry, volume: int | None, ltt: int) -> int | None:
    """Volume traded since `last`; the count starts again at each day and after a reset."""
    if volume is None:
        return None
    if last.vtt is None or trading_day(ltt) != trading_day(last.ltt):
        return volume
    return max(0, volume - last.vtt)
