"""A model of Upstox's feed as ingest publishes it: conflated quotes and minute candles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.contracts.messages import Candle, ClockTick, FeedState, Quote
from shared.market.exchange_time import DAY_MS, MINUTE_MS

Message = Quote | Candle | ClockTick


class Trade(NamedTuple):
    """One trade of the market."""

    key: str
    time_ms: int
    price: float
    quantity: int


@dataclass(frozen=True)
class Outage:
    """A time without messages, from `since` until before `until`; snapshots follow it."""

    since: int
    until: int
    new_leader: bool = False


@dataclass(frozen=True)
class Absence:
    """The instrument `key` is not subscribed from `since` until before `until`."""

    key: str
    since: int
    until: int


class _Subscriptions:
    """The keys that are absent, and which of them the clock names."""

    def __init__(self, absences: Sequence[Absence], *, is_named_late: bool) -> None:
        self._absences = absences
        self._is_named_late = is_named_late
        self._epoch = 1
        self._unnamed: set[str] = set()
        self._new: set[str] = set()
        self.absent: set[str] = set()
        self.back: set[str] = set()
        """Keys that are subscribed again since the frame before."""

    def advance(self, now: int, epoch: int) -> None:
        before = self.absent
        self.absent = {each.key for each in self._absences if each.since <= now < each.until}
        self.back, self._new = before - self.absent, self.absent - before
        known = set() if epoch > self._epoch else self._unnamed | self._new
        self._epoch, self._unnamed = epoch, known & self.absent

    def names(self) -> tuple[str, ...]:
        late = self._new if self._is_named_late else set()
        named = self._unnamed - late
        self._unnamed -= named
        return tuple(sorted(named))


def messages(
    trades: Sequence[Trade],
    *,
    since: int,
    until: int,
    every_ms: int,
    outages: Sequence[Outage] = (),
    absences: Sequence[Absence] = (),
    is_quiet: bool = False,
) -> list[Message]:
    """The messages about `trades`, which are in order of time: a frame every `every_ms`.

    The first frame has a snapshot of every instrument, if necessary with a trade of the day before.
    A snapshot follows an absence. The clock names the keys that are absent from then on, within two
    seconds, unless a new leader connects: it does not know what the one before had subscribed to.
    With `is_quiet` later frames have only the instruments that have traded since, else all.
    """
    keys = sorted({trade.key for trade in trades})
    of_key = {key: [trade for trade in trades if trade.key == key] for key in keys}
    seen: dict[str, list[Trade]] = {key: [] for key in keys}
    totals = dict.fromkeys(keys, 0)
    published: list[Message] = []
    seqs = dict.fromkeys(keys, 0)
    candles: dict[str, int] = {}
    looked: dict[str, int] = {}
    published_count = dict.fromkeys(keys, -1)
    subscriptions = _Subscriptions(absences, is_named_late=every_ms <= 1_000)
    epoch, is_away, is_first = 1, False, True
    for now in range(since, until, every_ms):
        outage = next((outage for outage in outages if outage.since <= now < outage.until), None)
        if outage is not None:
            epoch += outage.new_leader and not is_away
            is_away = True
            continue
        snap, is_away, is_first = is_away or is_first, False, False
        if snap:
            candles.clear()
        subscriptions.advance(now, epoch)
        for key in keys:
            own, rest = seen[key], of_key[key]
            while len(own) < len(rest) and rest[len(own)].time_ms <= now:
                totals[key] += rest[len(own)].quantity
                own.append(rest[len(own)])
            if key in subscriptions.absent:
                continue
            is_snapshot = snap or key in subscriptions.back
            if is_quiet and not is_snapshot and len(own) == published_count[key]:
                continue
            published_count[key] = len(own)
            seqs[key] += 1
            last = own[-1] if own else Trade(key, since - DAY_MS, 1.0, 1)
            quote = Quote(
                key=key, epoch=epoch, seq=seqs[key], ts=now, rt=0, ltt=last.time_ms,
                ltp=last.price, ltq=last.quantity, snap=is_snapshot, volume=totals[key],
            )  # fmt: skip
            published.append(quote)
            over = now // MINUTE_MS
            if looked.get(key) != over or is_snapshot:
                looked[key] = over
                minute = _last_minute(own, now)
                if minute and candles.get(key) != minute[0].time_ms // MINUTE_MS:
                    candles[key] = minute[0].time_ms // MINUTE_MS
                    published.append(_candle(key, minute, epoch, now))
        published.append(
            ClockTick(
                ts=now, feed_ts=now, epoch=epoch, seq=0, state=FeedState.LIVE,
                unsubscribed=subscriptions.names(),
            )
        )  # fmt: skip
    return published


def _last_minute(trades: list[Trade], now: int) -> list[Trade]:
    """The trades of the last completed minute that has any."""
    over = now - now % MINUTE_MS
    before = [trade for trade in trades if trade.time_ms < over]
    if not before:
        return []
    minute = before[-1].time_ms // MINUTE_MS
    return [trade for trade in before if trade.time_ms // MINUTE_MS == minute]


def _candle(key: str, trades: list[Trade], epoch: int, now: int) -> Candle:
    prices = [trade.price for trade in trades]
    return Candle(
        key=key, start=trades[0].time_ms // MINUTE_MS * MINUTE_MS, open=prices[0],
        high=max(prices), low=min(prices), close=prices[-1], epoch=epoch, ts=now,
        volume=sum(trade.quantity for trade in trades),
    )  # fmt: skip
