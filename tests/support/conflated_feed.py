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


def messages(
    trades: Sequence[Trade],
    *,
    since: int,
    until: int,
    every_ms: int,
    outages: Sequence[Outage] = (),
    is_quiet: bool = False,
) -> list[Message]:
    """The messages about `trades`, which are in order of time: a frame every `every_ms`.

    The first frame has a snapshot of every instrument, if necessary with a trade of the day before.
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
        for key in keys:
            own, rest = seen[key], of_key[key]
            while len(own) < len(rest) and rest[len(own)].time_ms <= now:
                totals[key] += rest[len(own)].quantity
                own.append(rest[len(own)])
            if is_quiet and not snap and len(own) == published_count[key]:
                continue
            published_count[key] = len(own)
            seqs[key] += 1
            last = own[-1] if own else Trade(key, since - DAY_MS, 1.0, 1)
            quote = Quote(
                key=key, epoch=epoch, seq=seqs[key], ts=now, rt=0, ltt=last.time_ms,
                ltp=last.price, ltq=last.quantity, snap=snap, volume=totals[key],
            )  # fmt: skip
            published.append(quote)
            over = now // MINUTE_MS
            if looked.get(key) != over or snap:
                looked[key] = over
                minute = _last_minute(own, now)
                if minute and candles.get(key) != minute[0].time_ms // MINUTE_MS:
                    candles[key] = minute[0].time_ms // MINUTE_MS
                    published.append(_candle(key, minute, epoch, now))
        published.append(ClockTick(ts=now, feed_ts=now, epoch=epoch, seq=0, state=FeedState.LIVE))
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
