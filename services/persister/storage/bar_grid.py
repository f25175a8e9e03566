"""Where 15m, 1h and 1d bars start: with the session of their day, by the calendar. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

from shared.contracts.history import Interval
from shared.market.calendar_data import CalendarData
from shared.market.exchange_calendar import exchange_of
from shared.market.exchange_sessions import usual_hours
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS, MINUTE_MS, midnight_ms, to_datetime

_OPEN_AT_09_15: Final = frozenset({"NSE", "NFO", "BSE", "BFO"})


class GridSpan(NamedTuple):
    """From `from_ms` until the next span, bars start at `from_ms`, and a whole number of lengths
    from `offset_ms`."""

    from_ms: int
    offset_ms: int


class BarGrid:
    """The starts of the bars of one length.

    Bars are aligned to the opening of the exchange's usual session. On a day whose session starts
    at another time, for example that of Muhurat trading, they are aligned to that. A new span
    begins at the 00:00 IST before and after such days, so no bar has trades of two spans.
    """

    def __init__(
        self, length_ms: int, usual_offset_ms: int, spans: Sequence[GridSpan] = ()
    ) -> None:
        """`spans` are those after the first, oldest first; the first has the usual offset."""
        self.length_ms = length_ms
        self._usual_offset_ms = usual_offset_ms
        self._spans = spans
        self._froms_ms = [span.from_ms for span in spans]

    @classmethod
    def of(
        cls, calendar: CalendarData, key: str, interval: Interval, from_ms: int, to_ms: int
    ) -> Self:
        """The grid of an instrument's bars; valid for times in `[from_ms, to_ms]`."""
        length_ms = interval.length_ms
        usual_ms = _usual_offset_ms(key, interval)
        if interval is Interval.DAY:
            return cls(length_ms, usual_ms)
        shifts = _shifts(calendar, exchange_of(key.partition("|")[0]), from_ms, to_ms)
        spans: list[GridSpan] = []
        for day_ms, shift_ms in shifts:
            offset_ms = (usual_ms + shift_ms) % length_ms
            if offset_ms == usual_ms:
                continue
            if spans and spans[-1].from_ms == day_ms:  # the day before is special, too
                spans.pop()
            spans += [GridSpan(day_ms, offset_ms), GridSpan(day_ms + DAY_MS, usual_ms)]
        return cls(length_ms, usual_ms, spans)

    def start_of(self, at_ms: int) -> int:
        """The start of the bar that contains `at_ms`."""
        number = bisect_right(self._froms_ms, at_ms)
        if not number:
            return at_ms - (at_ms - self._usual_offset_ms) % self.length_ms
        span = self._spans[number - 1]
        return max(span.from_ms, at_ms - (at_ms - span.offset_ms) % self.length_ms)

    def aligned_up(self, at_ms: int) -> int:
        """`at_ms`, or the next start of a bar if no bar starts there."""
        if self.start_of(at_ms) == at_ms:
            return at_ms
        number = bisect_right(self._froms_ms, at_ms)
        offset_ms = self._spans[number - 1].offset_ms if number else self._usual_offset_ms
        next_ms = at_ms + (offset_ms - at_ms) % self.length_ms
        return min([next_ms, *self._froms_ms[number : number + 1]])

    def start_expression(self) -> dict[str, Any]:
        """MongoDB's expression of `start_of` for the field `start`, as a number."""
        usual = self._aligned_expression(self._usual_offset_ms)
        if not self._spans:
            return usual
        branches = [
            {
                "case": {"$gte": ["$start", to_datetime(span.from_ms)]},
                "then": {"$max": [span.from_ms, self._aligned_expression(span.offset_ms)]},
            }
            for span in reversed(self._spans)  # the first case that holds counts
        ]
        return {"$switch": {"branches": branches, "default": usual}}

    def _aligned_expression(self, offset_ms: int) -> dict[str, Any]:
        start_ms = {"$toLong": "$start"}
        since_start_ms = {"$mod": [{"$subtract": [start_ms, offset_ms]}, self.length_ms]}
        return {"$subtract": [start_ms, since_start_ms]}


def _usual_offset_ms(key: str, interval: Interval) -> int:
    """Start of the first bar after the Unix epoch, epoch ms; that of a day is 00:00 IST."""
    opens_ms = 9 * 60 * MINUTE_MS
    if exchange_of(key.partition("|")[0]) in _OPEN_AT_09_15:
        opens_ms += 15 * MINUTE_MS
    if interval is Interval.DAY:
        opens_ms = 0
    return (opens_ms - IST_OFFSET_MS) % interval.length_ms


def _shifts(
    calendar: CalendarData, exchange: str, from_ms: int, to_ms: int
) -> list[tuple[int, int]]:
    """By 00:00 IST of a day, oldest first, how much later than usual the session starts, in ms.

    Only days whose start differs. They include the day before `from_ms`, after which a span
    begins, and the day after `to_ms`.
    """
    shifts = []
    known_days = calendar.special_days.keys() | calendar.timings.keys()
    first_ms, last_ms = from_ms - 2 * DAY_MS, to_ms + DAY_MS
    for day in sorted(day for day in known_days if first_ms < midnight_ms(day) <= last_ms):
        day_ms = midnight_ms(day)
        hours = calendar.hours(exchange, day)
        shift_minutes = 0 if hours is None else hours[0] - usual_hours(exchange, day)[0]
        if shift_minutes:
            shifts.append((day_ms, shift_minutes * MINUTE_MS))
    return shifts
