"""Every candle of the market: today's from its trades, earlier ones from its past."""

from dataclasses import replace
from datetime import date

from services.simulator.market.history import History, midnight_ms, minutes_of
from services.simulator.market.market import Market
from services.simulator.market.state import Candle
from shared.market.exchange_time import DAY_MS, MINUTE_MS


class Candles:
    """The candles of a market, read when asked for.

    Days that the market lived through are exact: to the minute while the states
    remember it, and later still in their daily candle, within which minutes are drawn.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        self._history = History(seed=market.seed, first_ms=market.start_ms)

    def minutes(self, key: str, from_ms: int, to_ms: int, *, running: bool = False) -> list[Candle]:
        """One-minute candles with `from_ms` <= start < `to_ms`, oldest first.

        The minute that is not over is in it only with `running`. Raises KeyError for an
        unknown key.
        """
        state = self._market.states[key]
        found = self._history.minutes(state.instrument, from_ms, to_ms)
        remembered = {day.candle.start_ms: day.minutes for day in state.ended}
        for day in state.days:
            if day.start_ms >= to_ms or day.start_ms + DAY_MS <= from_ms:
                continue
            if day.start_ms in remembered:
                log = remembered[day.start_ms]
                found += [Candle(*row) for row in log.between(from_ms, to_ms)]
            else:
                rows = minutes_of(day, state.instrument, self._market.seed)
                found += [row for row in rows if from_ms <= row.start_ms < to_ms]
        found += [Candle(*row) for row in state.minutes.between(from_ms, to_ms)]
        last = state.latest_minute()
        if last is None or not from_ms <= last.start_ms < to_ms:
            return found
        if running or last.start_ms + MINUTE_MS <= self._market.now_ms:
            found.append(replace(last, oi=state.oi))
        return found

    def days(self, key: str, first: date, last: date, *, running: bool = False) -> list[Candle]:
        """Daily candles from `first` to `last`, both included, oldest first.

        The running day is in it only with `running`. Raises KeyError for an unknown key.
        """
        state = self._market.states[key]
        from_ms, to_ms = midnight_ms(first), midnight_ms(last) + DAY_MS
        found = self._history.days(state.instrument, from_ms, to_ms)
        found += [day for day in state.days if from_ms <= day.start_ms < to_ms]
        if running and state.day is not None and from_ms <= state.day.start_ms < to_ms:
            found.append(replace(state.day, oi=state.oi))
        return found
