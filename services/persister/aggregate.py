"""Quotes to five-minute bars, by the stream's own time: the same stream gives the same bars.

What decides is only what the stream says, never our clock. A window closes when the
stream's time has passed its end by a grace; its bars then come out together with the
`Checkpoint` from which replaying the stream gives all later bars again, to the byte.
"""

from dataclasses import dataclass, field, replace

from services.persister.checkpoint import Carry, Checkpoint
from shared.exchange_time import WINDOW_MS, trading_day, window_start
from shared.messages import Bar, BarState, ClockTick, Quote


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
    has_unseen: bool
    """Its volume holds some that was traded unseen, maybe in another window."""
    ticks: int = 1


@dataclass(slots=True)
class _Instrument:
    carry: Carry
    building: dict[int, _Building] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Opening:
    """The first message of a window, and what was known just before it."""

    position: int
    next_position: int
    time_ms: int | None
    feed_ms: int | None
    gap_ms: int | None
    feed_epoch: int


class Aggregator:
    """Feed it every entry of the stream, in order, by `quote` and `clock`."""

    def __init__(self, checkpoint: Checkpoint, *, grace_ms: int, silent_after_ms: int) -> None:
        self._grace_ms = grace_ms
        self._silent_after_ms = silent_after_ms
        self._stream = checkpoint.stream
        self._closed_until = checkpoint.closed_until
        self._feed_ms = checkpoint.feed_ms
        self._gap_ms = checkpoint.gap_ms
        self._feed_epoch = checkpoint.feed_epoch
        self._next_position = checkpoint.next_position
        self._instruments = {carry.key: _Instrument(carry) for carry in checkpoint.carries}
        self.time_ms = checkpoint.time_ms
        """Exchange time reached; None before the first message."""
        self._now = self._opening(checkpoint.position)
        self._openings: dict[int, _Opening] = {}
        self._silences: list[tuple[int, int]] = []
        self.late_trades = 0
        self.stale_entries = 0

    def clock(self, tick: ClockTick, position: int) -> list[ClosedWindow]:
        """Time goes on; the windows that this closes, in order."""
        return self._advance(tick.ts, tick.feed_ts, tick.epoch, position, anew=False)

    def quote(self, quote: Quote, position: int) -> list[ClosedWindow]:
        """A quote; the windows that its time closes, in order."""
        # A snapshot of an instrument that we know is a feed that has been away.
        known = self._instruments.get(quote.key)
        anew = quote.snap and known is not None and position > known.carry.first_position
        stale = quote.epoch < self._feed_epoch
        closed = self._advance(quote.ts, quote.ts, quote.epoch, position, anew=anew)
        if not stale and quote.ltp is not None and quote.ltt is not None:
            self._count(quote, quote.ltp, quote.ltt)
        return closed

    def passed(self, position: int) -> None:
        """An entry that is none of ours: it was not lost."""
        self._next_position = position + 1

    def _opening(self, position: int) -> _Opening:
        return _Opening(
            position,
            self._next_position,
            self.time_ms,
            self._feed_ms,
            self._gap_ms,
            self._feed_epoch,
        )

    def _advance(
        self, ts: int, feed_ts: int, epoch: int, position: int, *, anew: bool
    ) -> list[ClosedWindow]:
        """Let time come to `ts`, and note how long the feed was silent before.

        `anew` tells that it had been away. A message of a superseded leader is refused.
        """
        self._now = self._opening(position)
        lost = position > self._next_position
        self._next_position = position + 1
        if epoch < self._feed_epoch:
            self.stale_entries += 1
            return []
        anew = anew or lost or epoch > self._feed_epoch > 0
        before, fed = self.time_ms, self._feed_ms
        self._feed_epoch = epoch
        self.time_ms = max(ts, before or 0)
        self._feed_ms = max(feed_ts, fed or 0)
        if before is None or fed is None:
            self._note_silence(window_start(feed_ts), feed_ts)
        elif anew:
            self._note_silence(fed, feed_ts)
        elif ts - before > self._silent_after_ms:
            self._note_silence(before, ts)
        self._openings.setdefault(window_start(self.time_ms), self._now)
        return self._close_windows()

    def _note_silence(self, since: int, until: int) -> None:
        if until > since:
            self._silences.append((since, until))
            self._gap_ms = since

    def _count(self, quote: Quote, ltp: float, ltt: int) -> None:
        instrument = self._instruments.get(quote.key)
        if instrument is None:
            # Its last trade may be from long ago: it tells where we start, and is no trade.
            carry = Carry(quote.key, ltt, quote.volume, quote.volume, quote.ts, self._now.position)
            self._instruments[quote.key] = _Instrument(carry)
            return
        last = instrument.carry
        assert self.time_ms is not None
        if ltt > self.time_ms + self._grace_ms:
            self.late_trades += 1  # of a time that has not come: as little use as a late one
            return
        seen_ms = max(last.seen_ms, quote.ts)
        same_day = trading_day(ltt) == trading_day(last.ltt)
        if quote.snap:
            # Within a day the volume stays: what was traded unseen counts with the next trade.
            seen_vtt = vtt = quote.volume
            if same_day:  # a replay passes old snapshots again: they take nothing back
                seen_vtt, vtt = _larger(last.seen_vtt, quote.volume), last.vtt
            instrument.carry = replace(
                last, ltt=max(last.ltt, ltt), seen_vtt=seen_vtt, vtt=vtt, seen_ms=seen_ms
            )
            return
        if ltt <= last.ltt and (quote.volume or 0) <= (last.seen_vtt or 0):
            instrument.carry = replace(last, seen_ms=seen_ms)
            return
        start = window_start(ltt)
        if start + WINDOW_MS <= self._closed_until:
            self.late_trades += 1
            return
        volume = _volume_since(last, quote.volume, same_day=same_day)
        seen_vtt = vtt = quote.volume
        if quote.volume is None and same_day:  # not said: what we know of today stays
            seen_vtt, vtt = last.seen_vtt, last.vtt
        instrument.carry = replace(
            last, ltt=max(last.ltt, ltt), seen_vtt=seen_vtt, vtt=vtt, seen_ms=seen_ms
        )
        # Normally open since its first message; not if it had none before this late trade.
        self._openings.setdefault(start, self._now)
        bar = instrument.building.get(start)
        if bar is None:
            instrument.building[start] = _Building(
                base=last, open=ltp, high=ltp, low=ltp, close=ltp, ltq=quote.ltq, ltt=ltt,
                volume=volume, vtt=vtt, atp=quote.atp, oi=quote.oi,
                has_unseen=self._has_unseen(last, volume, quote.ltq),
            )  # fmt: skip
            return
        bar.high = max(bar.high, ltp)
        bar.low = min(bar.low, ltp)
        bar.close = ltp
        bar.ltq = quote.ltq
        bar.ltt = ltt
        bar.volume = bar.volume if volume is None else (bar.volume or 0) + volume
        bar.vtt = vtt
        bar.atp = quote.atp
        bar.oi = quote.oi
        bar.ticks += 1

    def _has_unseen(self, last: Carry, volume: int | None, ltq: int | None) -> bool:
        """Whether `volume` since `last` holds more than this trade, and the feed was away."""
        if not volume or volume == ltq:
            return False
        was_away = self._gap_ms is not None and last.seen_ms <= self._gap_ms
        return was_away or last.vtt != last.seen_vtt

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
        bars = []
        for key in sorted(self._instruments):
            bar = self._instruments[key].building.pop(start, None)
            if bar is not None:
                whole = not silent_ms and not bar.has_unseen
                state = BarState.COMPLETE if whole else BarState.PARTIAL
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
            stream=self._stream,
            position=opening.position,
            next_position=opening.next_position,
            closed_until=self._closed_until,
            time_ms=opening.time_ms,
            feed_ms=opening.feed_ms,
            gap_ms=opening.gap_ms,
            feed_epoch=opening.feed_epoch,
            carries=tuple(sorted(carries, key=lambda carry: carry.key)),
        )


def _larger(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def _volume_since(last: Carry, volume: int | None, *, same_day: bool) -> int | None:
    """Volume traded since `last`; it counts from zero each day, and anew after a reset.

    Where we do not know what there was before on that day, none of it is this trade's.
    """
    if volume is None:
        return None
    if not same_day:
        return volume
    return 0 if last.vtt is None else max(0, volume - last.vtt)
