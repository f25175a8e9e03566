"""Synthetic candles of the days before the market starts, determined by the seed.

Days are the steps of a random walk that runs backwards from the instrument's base price. The
last close therefore equals the previous close (`cp`) of the first simulated day. Minutes are
generated within a daily candle, so they add up to it. Each instrument has a walk of its own:
the history of an index does not follow from that of its stocks.
"""

import math
import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.simulated_calendar import next_trading_day
from services.simulator.market.state import Candle
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start, ist_date

FIRST_MS: Final = 946_665_000_000
"""2000-01-01 00:00 IST: Upstox has no candles before it."""
_DAILY_VOLATILITY: Final = 0.012
_DAILY_DRIFT: Final = 0.0003
_DAY_VALUE_PAISE: Final = 20_000_000_000
_MAX_WALKS: Final = 128

_exchange_hours: Final = Calendar()


class SyntheticHistory:
    """Candles of all instruments before the day of `first_ms` (epoch ms)."""

    def __init__(self, *, seed: int, first_ms: int) -> None:
        self._seed = seed
        self._first_day_ms = day_start(first_ms)
        self._walks: dict[str, _Walk] = {}

    def days(self, instrument: ListedInstrument, from_ms: int, to_ms: int) -> list[Candle]:
        """Daily candles with `from_ms` <= start < `to_ms`, oldest first."""
        walk = self._walks.get(instrument.key)
        if walk is None:
            if len(self._walks) >= _MAX_WALKS:
                del self._walks[next(iter(self._walks))]
            walk = self._walks[instrument.key] = _Walk(instrument, self._seed, self._first_day_ms)
        return walk.days(from_ms, min(to_ms, self._first_day_ms))

    def minutes(self, instrument: ListedInstrument, from_ms: int, to_ms: int) -> list[Candle]:
        """One-minute candles with `from_ms` <= start < `to_ms`, oldest first."""
        minutes: list[Candle] = []
        for day in self.days(instrument, day_start(from_ms), to_ms):
            rows = minutes_of_day(day, instrument, self._seed)
            first = bisect_left(rows, from_ms, key=_start_ms)
            minutes += rows[first : bisect_left(rows, to_ms, key=_start_ms)]
        return minutes


class _Walk:
    """The days of one instrument, generated backwards as far as requested."""

    def __init__(self, instrument: ListedInstrument, seed: int, first_day_ms: int) -> None:
        self._instrument = instrument
        self._random = _random_stream(seed, instrument, "days")
        self._close = float(instrument.base_paise)
        self._next_ms = first_day_ms
        self._newest_first: list[Candle] = []

    def days(self, from_ms: int, to_ms: int) -> list[Candle]:
        from_ms = max(from_ms, FIRST_MS)
        while self._next_ms > from_ms:
            self._add_day_before()
        days = self._newest_first
        first = bisect_right(days, -to_ms, key=lambda day: -day.start_ms)
        last = bisect_right(days, -from_ms, key=lambda day: -day.start_ms)
        return days[first:last][::-1]

    def _add_day_before(self) -> None:
        exchange = self._instrument.exchange
        before = ist_date(self._next_ms) - timedelta(days=1)
        day = next_trading_day(exchange, before, step=-1)
        self._next_ms -= (before - day + timedelta(days=1)).days * DAY_MS
        draw = self._random
        close = self._close
        previous = close * math.exp(-_DAILY_DRIFT - _DAILY_VOLATILITY * _normal(draw))
        opened = previous * (1 + 0.2 * _DAILY_VOLATILITY * _normal(draw))
        high = max(opened, close) * (1 + 0.5 * _DAILY_VOLATILITY * draw())
        low = min(opened, close) * (1 - 0.5 * _DAILY_VOLATILITY * draw())
        volume = 0
        if not self._instrument.is_index:
            volume = 1 + int((0.5 + draw()) * _DAY_VALUE_PAISE / close)
        tick = self._instrument.tick_paise
        open_paise, high_paise, low_paise, close_paise = (
            _on_tick_grid(price, tick) for price in (opened, high, low, close)
        )
        self._newest_first.append(
            Candle(self._next_ms, open_paise, high_paise, low_paise, close_paise, volume)
        )
        self._close = max(previous, tick)


def minutes_of_day(day: Candle, instrument: ListedInstrument, seed: int) -> list[Candle]:
    """One-minute candles within the exchange's hours that add up to `day`."""
    session = _exchange_hours.session(instrument.segment, day.start_ms)
    # Only an always open market has days on which the exchange is closed.
    start_ms, end_ms = session or (day.start_ms, day.start_ms + DAY_MS)
    count = (end_ms - start_ms) // MINUTE_MS
    draw = _random_stream(seed, instrument, str(day.start_ms))
    closes = _closes(day, count, instrument.tick_paise, draw)
    volumes = _split(day.volume, count, draw)
    rows: list[Candle] = []
    opened = day.open
    for number in range(count):
        close = closes[number]
        reach = int(2 * draw()) * instrument.tick_paise
        high = min(day.high, max(opened, close) + reach)
        low = max(day.low, min(opened, close) - reach)
        at_ms = start_ms + number * MINUTE_MS
        rows.append(Candle(at_ms, opened, high, low, close, volumes[number], day.oi))
        opened = close
    max(rows, key=lambda row: row.high).high = day.high
    min(rows, key=lambda row: row.low).low = day.low
    return rows


def _closes(day: Candle, count: int, tick: int, draw: Callable[[], float]) -> list[int]:
    """A random bridge from the day's open to its close, between its low and its high."""
    walk = [0.0]
    for _ in range(count):
        walk.append(walk[-1] + draw() - 0.5)
    reach = max(1.0, max(map(abs, walk)))
    spread = (day.high - day.low) / 2
    closes = []
    for number in range(1, count + 1):
        share = number / count
        line = day.open + (day.close - day.open) * share
        noise = (walk[number] - walk[-1] * share) / reach * spread
        closes.append(min(day.high, max(day.low, _on_tick_grid(line + noise, tick))))
    closes[-1] = day.close
    return closes


def _split(total: int, count: int, draw: Callable[[], float]) -> list[int]:
    weights = [0.2 + draw() for _ in range(count)]
    scale = total / sum(weights)
    parts = [int(weight * scale) for weight in weights]
    parts[-1] += total - sum(parts)
    return parts


def _random_stream(seed: int, instrument: ListedInstrument, name: str) -> Callable[[], float]:
    text = f"{seed}/{instrument.key}/{name}"
    return random.Random(text).random  # noqa: S311  (simulation only)


def _normal(draw: Callable[[], float]) -> float:
    """Approximately normal with variance 1, and the same on every machine."""
    return (draw() + draw() + draw() + draw() - 2.0) * math.sqrt(3.0)


def _on_tick_grid(price: float, tick: int) -> int:
    return max(tick, int(price / tick + 0.5) * tick)


def _start_ms(candle: Candle) -> int:
    return candle.start_ms
