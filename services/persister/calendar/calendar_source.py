"""Requests the exchanges' holidays and timings from Upstox. Neither call needs a token."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Final

import aiohttp

from services.persister import metrics
from services.persister.calendar.upstox_answers import (
    RefusedAnswer,
    check_agreement,
    read_holidays,
    read_timings,
)
from shared.errors import Unavailable
from shared.market.calendar_data import BUILT_IN, CalendarData, DayHours
from shared.runtime.logs import get_logger
from shared.runtime.settings import UpstoxSettings

log = get_logger(__name__)

_MAX_BODY_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 16
_DAYS_AHEAD: Final = 7


class CalendarSource:
    """The calls of one refresh of the calendar: the holidays, and the timings of eight days."""

    def __init__(self, http: aiohttp.ClientSession, settings: UpstoxSettings) -> None:
        self._http = http
        self._url = settings.api_url
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout_secs)

    async def fetch(self, known: CalendarData, today: date) -> CalendarData:
        """`known`, updated by what Upstox reports.

        An answer that cannot be right is refused, counted and logged; what was known stays.
        Raises Unavailable if Upstox does not answer.
        """
        data = known
        refusals: list[str] = []
        try:
            data = data.updated(read_holidays(await self._get("holidays"), today))
        except RefusedAnswer as error:
            refusals.append(f"holidays: {error}")
        data = _without_contradictions(data)
        everything = BUILT_IN.updated(data)
        timings: dict[date, DayHours] = {}
        for ahead in range(_DAYS_AHEAD + 1):
            day = today + timedelta(days=ahead)
            try:
                timings[day] = read_timings(await self._get(f"timings/{day}"), day, everything)
            except RefusedAnswer as error:
                refusals.append(f"timings: {error}")
        metrics.CALENDAR_ANSWERS.labels("refused").inc(len(refusals))
        metrics.CALENDAR_ANSWERS.labels("ok").inc(_DAYS_AHEAD + 2 - len(refusals))
        if refusals:
            log.warning(
                "calendar of Upstox refused, the last one stays",
                answers=len(refusals),
                reason=refusals[0],
            )
        return data.updated(CalendarData(timings=timings))

    async def _get(self, name: str) -> bytes:
        url = f"{self._url}/v2/market/{name}"
        headers = {"Accept": "application/json"}
        body = b""
        try:
            async with self._http.get(url, headers=headers, timeout=self._timeout) as response:
                if response.status != HTTPStatus.OK:
                    raise Unavailable(f"{name}: status {response.status}")
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    body += chunk
                    if len(body) > _MAX_BODY_BYTES:
                        raise RefusedAnswer("longer than 1 MiB")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"{name}: {error!r}") from None
        return body


def _without_contradictions(data: CalendarData) -> CalendarData:
    """`data` without the timings of days whose list of holidays has changed since."""
    everything = BUILT_IN.updated(data)
    timings = {}
    for day, hours in data.timings.items():
        try:
            check_agreement(hours, day, everything)
        except RefusedAnswer:
            continue
        timings[day] = hours
    return CalendarData(special_days=data.special_days, years=data.years, timings=timings)
