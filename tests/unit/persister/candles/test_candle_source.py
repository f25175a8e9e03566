"""Calls for candles use the next token after a refusal, and survive any row of an answer."""

import json
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest

from services.persister import metrics
from services.persister.candles.call_pacer import CallLimit, CallPacer
from services.persister.candles.candle import CandleLength, UpstoxCandle
from services.persister.candles.candle_source import CandleSource
from services.persister.candles.paced_calls import PacedCalls
from shared.errors import NotFound, Overloaded, Unavailable
from shared.runtime.settings import UpstoxSettings
from shared.runtime.upstox_tokens import SettingToken, TokenPicker
from tests.support.builders import KEY
from tests.support.virtual_time import LoopClock, on_virtual_time

CANDLES = b'{"data": {"candles": [["2026-11-23T10:00:00+05:30", 1.0, 3.0, 0.5, 2.0, 7, 0]]}}'
REFUSAL = b"<html>not JSON</html>"


class FakeUpstox:
    """Answers calls without a token of `valid` with 401; None stands for no token."""

    def __init__(self, *valid: str | None, body: bytes = CANDLES, status: int = 200) -> None:
        self.valid = set(valid)
        self.tokens: list[str | None] = []
        """The token of each call."""
        self.urls: list[str] = []
        self._reply = status, body

    @asynccontextmanager
    async def get(self, url: object, *, headers: dict[str, str], **_: object) -> Any:
        self.urls.append(str(url))
        authorization = headers.get("Authorization")
        token = None if authorization is None else authorization.removeprefix("Bearer ")
        self.tokens.append(token)
        yield _Response(*(self._reply if token in self.valid else (401, REFUSAL)))


class _Response:
    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self._body = body

    async def read(self) -> bytes:
        return self._body


def calls_to(upstox: FakeUpstox, *tokens: str) -> PacedCalls:
    http: Any = upstox
    clock = LoopClock()
    return PacedCalls(
        http,
        UpstoxSettings(),
        TokenPicker([SettingToken(token) for token in tokens], clock),
        [CallPacer([CallLimit(1, 1.0)])],
        clock,
    )


def source_of(upstox: FakeUpstox, *tokens: str) -> CandleSource:
    return CandleSource(calls_to(upstox, *tokens))


async def candle_starts(source: CandleSource) -> list[int]:
    return [candle.start_ms for candle in await source.day(KEY, 1, is_today=True)]


@on_virtual_time
async def test_a_refused_token_is_followed_by_the_next_one() -> None:
    upstox = FakeUpstox("new")
    source = source_of(upstox, "old", "new")
    assert len(await candle_starts(source)) == 1
    assert len(await candle_starts(source)) == 1
    assert upstox.tokens == ["old", "new", "new"], "a refused token is not used again"


@on_virtual_time
async def test_every_call_keeps_the_rate_limit() -> None:
    upstox = FakeUpstox("new")
    await candle_starts(source_of(upstox, "old", "new"))
    assert LoopClock().monotonic() == 1.0


@on_virtual_time
async def test_without_a_token_calls_are_unauthenticated() -> None:
    upstox = FakeUpstox(None)
    assert len(await candle_starts(source_of(upstox, "old"))) == 1
    assert upstox.tokens == ["old", None]


@on_virtual_time
async def test_candles_are_unavailable_when_every_call_is_refused() -> None:
    with pytest.raises(Unavailable):
        await candle_starts(source_of(FakeUpstox(), "old"))


@on_virtual_time
async def test_an_unknown_key_is_not_found() -> None:
    body = b'{"errors": [{"errorCode": "UDAPI100011"}]}'
    with pytest.raises(NotFound):
        await candle_starts(source_of(FakeUpstox("t", body=body, status=400), "t"))


GOOD_ROW = ["2026-11-23T10:00:00+05:30", 1.0, 3.0, 0.5, 2.0, 7, 9]
GOOD_CANDLE = UpstoxCandle(1_795_408_200_000, 1.0, 3.0, 0.5, 2.0, 7, 9)


async def candles_of(rows: list[object]) -> tuple[list[UpstoxCandle], float]:
    """The candles of an answer with these rows, and how many rows were counted as invalid."""
    body = json.dumps({"data": {"candles": rows}}).encode()
    before = metrics.SKIPPED_CANDLES._value.get()
    candles = await source_of(FakeUpstox("t", body=body), "t").day(KEY, 1, is_today=True)
    return candles, metrics.SKIPPED_CANDLES._value.get() - before


@pytest.mark.parametrize(
    "time",
    ["", "2026-11-23T24:00:00+05:30", "2026-11-23", "2026-11-23T10:00:00", "now", None, 5, []],
)
@on_virtual_time
async def test_a_candle_whose_time_cannot_be_read_is_passed_over(time: object) -> None:
    rows: list[object] = [[time, *GOOD_ROW[1:]], GOOD_ROW]
    assert await candles_of(rows) == ([GOOD_CANDLE], 1)


@pytest.mark.parametrize("row", [None, [], {}, "text", 1e20])
@on_virtual_time
async def test_a_row_that_is_no_candle_is_passed_over(row: object) -> None:
    assert await candles_of([GOOD_ROW, row]) == ([GOOD_CANDLE], 1)


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 3.0, 0.5, 2.0, 1e20, 9],
        [1.0, 3.0, 0.5, 2.0, -1, 9],
        [1.0, 3.0, 0.5, 2.0, None, 9],
        [1.0, 3.0, 0.5, "2.0", 7, 9],
        [0.0, 3.0, 0.0, 2.0, 7, 9],
        [1.0, 3.0, 2.5, 2.0, 7, 9],
        [1.0, 1e300, 0.5, 2.0, 7, 9],
        [1.0, 3.0],
        [],
    ],
)
@on_virtual_time
async def test_a_candle_with_values_that_cannot_be_is_known_by_its_time_only(
    values: list[object],
) -> None:
    candles, invalid = await candles_of([[GOOD_ROW[0], *values]])
    assert (candles, invalid) == ([UpstoxCandle.invalid(GOOD_CANDLE.start_ms)], 1)


@pytest.mark.parametrize("oi", [None, -1, 1e20, "9", []])
@on_virtual_time
async def test_an_open_interest_that_cannot_be_is_unknown_and_costs_nothing_else(
    oi: object,
) -> None:
    (candle,), invalid = await candles_of([[*GOOD_ROW[:6], oi]])
    assert (candle.volume, candle.oi, invalid) == (7, 0, 0)


@on_virtual_time
async def test_a_call_that_would_wait_too_long_is_refused_and_takes_no_turn() -> None:
    upstox = FakeUpstox("t")
    pace = CallPacer([CallLimit(1, 10.0)])
    source = CandleSource(calls_to(upstox, "t").with_pace([pace], max_wait_secs=5.0))
    await candle_starts(source)
    for _ in range(3):
        with pytest.raises(Overloaded):
            await candle_starts(source)
    assert len(upstox.tokens) == 1
    await LoopClock().sleep(6.0)
    await candle_starts(source)
    assert LoopClock().monotonic() == 10.0


@on_virtual_time
async def test_past_candles_are_those_of_the_given_days_and_length() -> None:
    upstox = FakeUpstox("t")
    source = source_of(upstox, "t")
    await source.past(KEY, CandleLength.DAY, date(2020, 1, 2), date(2020, 3, 4))
    await source.today(KEY, CandleLength.HALF_HOUR)
    name = "NSE_EQ%7CINE002A01018"
    assert [url.partition("historical-candle/")[2] for url in upstox.urls] == [
        f"{name}/days/1/2020-03-04/2020-01-02",
        f"intraday/{name}/minutes/30",
    ]
