"""Requests for bars and gaps are validated when they are decoded."""

from typing import Any

import msgspec
import pytest

from shared.contracts.history import (
    MAX_BARS,
    MAX_CURSOR_CHARS,
    MAX_GAPS,
    MAX_TIME_MS,
    BarsReply,
    BarsRequest,
    CandleInterval,
    Gap,
    GapReason,
    GapsReply,
    GapsRequest,
    GapState,
    HistoryBar,
    HistoryBarState,
    Interval,
)
from shared.contracts.messages import Bar, BarState
from shared.contracts.subjects import MAX_KEY_CHARS
from tests.support.builders import KEY

RANGE = {"key": KEY, "from_ms": 0, "to_ms": 1}
BAR = HistoryBar(
    start=0, end=300_000, open=1.0, high=2.0, low=0.5, close=1.5, ticks=3,
    state=HistoryBarState.COMPLETE,
)  # fmt: skip


def decode(request_type: type[Any], **changes: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(RANGE | changes), type=request_type)


def test_a_request_without_options_has_defaults() -> None:
    bars = decode(BarsRequest)
    assert (bars.interval, bars.limit, bars.cursor) == (Interval.FIVE_MINUTES, 500, None)
    gaps = decode(GapsRequest)
    assert (gaps.limit, gaps.cursor) == (100, None)


@pytest.mark.parametrize("request_type", [BarsRequest, GapsRequest])
@pytest.mark.parametrize(
    "changes",
    [
        {"key": ""},
        {"key": "x" * (MAX_KEY_CHARS + 1)},
        {"from_ms": -1},
        {"to_ms": MAX_TIME_MS + 1},
        {"limit": 0},
        {"cursor": "x" * (MAX_CURSOR_CHARS + 1)},
        {"mistyped": 1},
    ],
    ids=str,
)
def test_a_request_that_breaks_a_rule_is_refused(
    request_type: type[Any], changes: dict[str, object]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(request_type, **changes)


@pytest.mark.parametrize(
    ("request_type", "limit"), [(BarsRequest, MAX_BARS), (GapsRequest, MAX_GAPS)]
)
def test_a_page_has_a_largest_size(request_type: type[Any], limit: int) -> None:
    assert decode(request_type, limit=limit).limit == limit
    with pytest.raises(msgspec.ValidationError):
        decode(request_type, limit=limit + 1)


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(BarsRequest, interval="2m")


def test_a_reply_omits_what_is_unknown() -> None:
    reply = BarsReply(key=KEY, interval=Interval.HOUR, bars=[BAR])
    encoded = msgspec.json.encode(reply)
    body = msgspec.json.decode(encoded)
    assert set(body) == {"key", "interval", "bars"}
    assert {"ltq", "ltt", "volume", "vtt", "atp", "oi", "silent_ms"}.isdisjoint(body["bars"][0])
    assert msgspec.json.decode(encoded, type=BarsReply) == reply


def test_gaps_are_unchanged_through_json() -> None:
    gap = Gap(from_ms=0, to_ms=1, reason=GapReason.FEED_AWAY, state=GapState.OPEN)
    reply = GapsReply(key=KEY, gaps=[gap], next="cursor")
    assert msgspec.json.decode(msgspec.json.encode(reply), type=GapsReply) == reply


def test_the_largest_time_is_the_end_of_the_year_9999() -> None:
    from_epoch_secs, rest_ms = divmod(MAX_TIME_MS + 1, 1_000)
    assert rest_ms == 0
    assert from_epoch_secs == 253_402_300_800  # 10000-01-01 00:00 UTC


def test_the_states_of_stored_bars_are_states_of_replies() -> None:
    replied = {state.value for state in HistoryBarState}
    assert replied == {state.value for state in BarState} | {"forming"}


def test_the_length_of_an_interval_follows_from_its_name() -> None:
    minutes = {interval.value: interval.length_ms // 60_000 for interval in Interval}
    assert minutes == {"5m": 5, "15m": 15, "1h": 60, "1d": 1_440}
    minutes = {interval.value: interval.length_ms // 60_000 for interval in CandleInterval}
    assert minutes == {"1m": 1, "3m": 3, "30m": 30}


def test_the_fields_of_a_stored_bar_are_in_the_reply_except_the_key_and_the_epoch() -> None:
    stored = {field.name for field in msgspec.structs.fields(Bar)}
    replied = {field.name for field in msgspec.structs.fields(HistoryBar)}
    assert stored - replied == {"key", "epoch"}
    assert replied - stored == {"end", "source"}
