"""Candles of the market: recorded for simulated days, synthetic for the days before."""

from dataclasses import replace
from datetime import date

from services.simulator.market.history import SyntheticHistory, minutes_of_day
from services.simulator.market.market import Market
from services.simulator.market.state import Candle
from shared.market.exchange_time import DAY_MS, MINUTE_MS, midnight_ms


class Candles:
    """One-minute and daily candles of all instruments.

    For the days that the market has simulated, daily candles are exact. Their minutes are
    exact as long as the states store them. After that, minutes are generated that add up to
    the daily candle.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._history = SyntheticHistory(seed=market.seed, first_ms=market.start_ms)

    def minutes(self, key: str, from_ms: int, to_ms: int, *, running: bool = False) -> list[Candle]:
        """One-minute candles with `from_ms` <= start < `to_ms`, oldest first.

        The running minute is included only if `running` is set. Raises KeyError for an
        unknown key.
        """
        state = self._market.states[key]
        candles = self._history.minutes(state.instrument, from_ms, to_ms)
        recorded = {day.candle.start_ms: day.minutes for day in state.recorded_days}
        for day in state.days:
            if day.start_ms >= to_ms or day.start_ms + DAY_MS <= from_ms:
                continue
            if day.start_ms in recorded:
                log = recorded[day.start_ms]
                candles += [Candle(*row) for row in log.between(from_ms, to_ms)]
            else:
                rows = minutes_of_day(day, state.instrument, self._market.seed)
                candles += [row for row in rows if from_ms <= row.start_ms < to_ms]
        candles += [Candle(*row) for row in state.minutes.between(from_ms, to_ms)]
        last = state.latest_minute()
        if last is None or not from_ms <= last.start_ms < to_ms:
            return candles
        if running or last.start_ms + MINUTE_MS <= self._market.now_ms:
            candles.append(replace(last, oi=state.oi))
        return candles

    def days(self, key: str, first: date, last: date, *, running: bool = False) -> list[Candle]:
        """Daily candles from `first` to `last`, both included, oldest first.

        The running day is included only if `running` is set. Raises KeyError for an unknown
        key.
        """
        state = self._market.states[key]
        from_ms, to_ms = midnight_ms(first), midnight_ms(last) + DAY_MS
        candles = self._history.days(state.instrument, from_ms, to_ms)
        candles += [day for day in state.days if from_ms <= day.start_ms < to_ms]
        if running and state.day is not None and from_ms <= state.day.start_ms < to_ms:
            candles.append(replace(state.day, oi=state.oi))
        return candles
