"""Reads bars and gaps of the past, page by page."""

import asyncio
from typing import Final

from tradedad_client import market_requests as requests
from tradedad_client.bar_list import BarList
from tradedad_client.errors import NotFound, Refused, Unavailable, UnknownInstrument
from tradedad_client.market_messages import BarPage, GapPage, HistoryGap
from tradedad_client.rest import RestClient
from tradedad_client.times import Moment, minute_text

_PAGE: Final = 2_000
_GAP_PAGE: Final = 500
_PARAMETERS: Final = {"from": "start", "to": "end"}
"""How the client calls these parameters: `from` is a keyword of Python."""


async def read_bars(
    rest: RestClient,
    key: str,
    interval: str,
    start: Moment,
    end: Moment | None,
    timeout_secs: float,
) -> BarList:
    """Return all bars that start in a range. Raises Unavailable if some cannot be had now."""
    bars = BarList(key, interval)
    cursor: str | None = None
    try:
        async with asyncio.timeout(timeout_secs):
            while True:
                request = requests.bars(key, interval, start, end, limit=_PAGE, cursor=cursor)
                page = await rest.send(request, BarPage)
                bars += page.bars
                if page.next is None:
                    break
                cursor = page.next
    except NotFound:
        raise UnknownInstrument([key]) from None
    except Refused as error:
        raise _renamed(error) from None
    except TimeoutError:
        raise Unavailable(
            f"{len(bars)} bars were read in {timeout_secs:g} s, and not all"
        ) from None
    if page.unfetched is not None:
        span = f"{minute_text(page.unfetched.from_ms)} to {minute_text(page.unfetched.to_ms)}"
        raise Unavailable(f"the bars from {span} cannot be fetched from Upstox now")
    return bars


async def read_gaps(
    rest: RestClient, key: str, start: Moment, end: Moment | None, timeout_secs: float
) -> list[HistoryGap]:
    """Return all gaps that overlap a range. Raises Unavailable if that takes too long."""
    gaps: list[HistoryGap] = []
    cursor: str | None = None
    try:
        async with asyncio.timeout(timeout_secs):
            while True:
                request = requests.gaps(key, start, end, limit=_GAP_PAGE, cursor=cursor)
                page = await rest.send(request, GapPage)
                gaps += page.gaps
                if page.next is None:
                    return gaps
                cursor = page.next
    except NotFound:
        raise UnknownInstrument([key]) from None
    except Refused as error:
        raise _renamed(error) from None
    except TimeoutError:
        raise Unavailable(
            f"{len(gaps)} gaps were read in {timeout_secs:g} s, and not all"
        ) from None


def _renamed(error: Refused) -> Refused:
    """Return a refusal that calls the parameters as the client does."""
    name = _PARAMETERS.get(error.field or "")
    if name is None:
        return error
    detail = error.detail.removeprefix(f"{error.field}: ").replace("`from`", "`start`")
    return Refused(f"{name}: {detail}", code=error.code, field=name)
