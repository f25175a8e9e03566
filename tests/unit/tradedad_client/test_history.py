"""Bars and gaps are read page by page, and a part of them is never returned as the whole."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.builders import KEY, MONDAY_10_00
from tradedad_client import (
    HistoryBar,
    HistoryGap,
    NotFound,
    Refused,
    Unavailable,
    UnknownInstrument,
)
from tradedad_client.history import read_bars, read_gaps
from tradedad_client.http_request import Request
from tradedad_client.market_messages import BarPage, GapPage, Unfetched


def page(*starts: int, **fields: Any) -> BarPage:
    bars = [
        HistoryBar(
            start=MONDAY_10_00 + start, end=0, open=1, high=1, low=1, close=1, ticks=1, state="x"
        )
        for start in starts
    ]
    return BarPage(key=KEY, interval="5m", bars=bars, **fields)


class FakeRest:
    """Gives one answer after the other, and stores the cursors."""

    def __init__(self, *answers: BarPage | GapPage | Exception) -> None:
        self.answers = list(answers)
        self.cursors: list[str | None] = []

    async def send(self, request: Request, _: type[Any]) -> BarPage | GapPage:
        self.cursors.append(parse_qs(urlsplit(request.path).query).get("cursor", [None])[0])
        if not self.answers:
            await asyncio.Event().wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def read(rest: FakeRest, timeout_secs: float = 60.0) -> list[int]:
    bars = await read_bars(rest, KEY, "5m", "2026-11-23", None, timeout_secs)  # type: ignore[arg-type]
    assert (bars.key, bars.interval) == (KEY, "5m")
    return [bar.start - MONDAY_10_00 for bar in bars]


UNFETCHED = Unfetched(from_ms=MONDAY_10_00, to_ms=MONDAY_10_00 + 60_000)


async def test_pages_are_read_until_there_is_no_next_one() -> None:
    rest = FakeRest(page(1, 2, next="a"), page(next="b", unfetched=UNFETCHED), page(3))
    assert await read(rest) == [1, 2, 3]
    assert rest.cursors == [None, "a", "b"]


async def test_bars_that_cannot_be_fetched_are_an_error_that_names_their_time() -> None:
    with pytest.raises(Unavailable, match=r"10:00 IST to .* 10:01 IST cannot be fetched"):
        await read(FakeRest(page(1, unfetched=UNFETCHED)))


async def test_a_key_of_no_instrument_is_an_error() -> None:
    with pytest.raises(UnknownInstrument, match="INE002A01018"):
        await read(FakeRest(NotFound("no", code="not_found")))


async def test_reading_ends_at_its_limit() -> None:
    with pytest.raises(Unavailable, match="2 bars were read"):
        await read(FakeRest(page(1, 2, next="a")), timeout_secs=0.05)


def gap_page(*starts: int, following: str | None = None) -> GapPage:
    gaps = [
        HistoryGap(from_ms=start, to_ms=start + 1, reason="feed_away", state="open")
        for start in starts
    ]
    return GapPage(key=KEY, gaps=gaps, next=following)


async def read_all_gaps(rest: FakeRest, timeout_secs: float = 60.0) -> list[int]:
    gaps = await read_gaps(rest, KEY, "2026-11-23", None, timeout_secs)  # type: ignore[arg-type]
    return [gap.from_ms for gap in gaps]


async def test_pages_of_gaps_are_read_until_there_is_no_next_one() -> None:
    rest = FakeRest(gap_page(1, 2, following="a"), gap_page(3))
    assert await read_all_gaps(rest) == [1, 2, 3]
    assert rest.cursors == [None, "a"]


async def test_gaps_of_no_instrument_or_not_all_gaps_are_an_error() -> None:
    with pytest.raises(UnknownInstrument):
        await read_all_gaps(FakeRest(NotFound("no", code="not_found")))
    with pytest.raises(Unavailable, match="1 gaps were read"):
        await read_all_gaps(FakeRest(gap_page(1, following="a")), timeout_secs=0.05)


async def test_a_refusal_of_the_range_names_the_parameters_of_the_client() -> None:
    refused = Refused("to: must be later than `from`", code="invalid_field", field="to")
    with pytest.raises(
        Refused, match=r"^end: must be later than `start` \(invalid_field\)$"
    ) as info:
        await read(FakeRest(refused))
    assert info.value.field == "end"
    other = Refused("interval: must be 5m", code="invalid_field", field="interval")
    with pytest.raises(Refused) as info:
        await read(FakeRest(other))
    assert info.value is other
