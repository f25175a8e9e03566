"""Query parameters and the requests to the persister that they become."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway.rest.market.queries import BarsQuery, GapsQuery, InstrumentsQuery, QuotesQuery
from shared.contracts.history import (
    MAX_BARS,
    MAX_TIME_MS,
    BarsRequest,
    CandleInterval,
    CandlesRequest,
    GapsRequest,
    Interval,
)
from shared.contracts.instruments import GetRequest, SearchRequest

KEY = "NSE_EQ|INE002A01018"


def first_error(model: Any, **query: object) -> tuple[str, str]:
    """The field and the text of the first error; `from_` stands for `from`."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate({name.rstrip("_"): value for name, value in query.items()})
    error = caught.value.errors()[0]
    return ".".join(str(part) for part in error["loc"]), error["msg"]


def test_a_bars_query_becomes_a_request_to_the_persister() -> None:
    query = {"key": KEY, "from": "10", "to": "20", "interval": "1h", "limit": "7", "cursor": "15"}
    assert BarsQuery.model_validate(query).request() == BarsRequest(
        key=KEY, from_ms=10, to_ms=20, interval=Interval.HOUR, limit=7, cursor="15"
    )


def test_a_range_without_an_end_extends_to_the_latest_time() -> None:
    assert BarsQuery.model_validate({"key": KEY, "from": "1"}).request().to_ms == MAX_TIME_MS
    assert GapsQuery.model_validate({"key": KEY, "from": "1"}).request() == GapsRequest(
        key=KEY, from_ms=1, to_ms=MAX_TIME_MS
    )


def test_the_last_bar_of_a_range_may_end_one_interval_after_the_range() -> None:
    query = BarsQuery.model_validate({"key": KEY, "from": "1", "to": "2", "interval": "1h"})
    assert query.bars_end_ms == 2 + 3_600_000


def test_every_interval_of_the_persister_is_accepted() -> None:
    for interval in Interval:
        query = BarsQuery.model_validate({"key": KEY, "from": "1", "interval": interval.value})
        assert query.request().interval is interval
    for candles in CandleInterval:
        query = BarsQuery.model_validate({"key": KEY, "from": "1", "interval": candles.value})
        assert query.request() == CandlesRequest(
            key=KEY, from_ms=1, to_ms=MAX_TIME_MS, interval=candles
        )


def test_a_range_must_end_after_its_start() -> None:
    assert first_error(BarsQuery, key=KEY, from_="20", to="20")[0] == "to"


def test_a_limit_outside_the_page_size_is_refused() -> None:
    assert first_error(BarsQuery, key=KEY, from_="1", limit=str(MAX_BARS + 1))[0] == "limit"
    assert first_error(BarsQuery, key=KEY, from_="1", limit="0")[0] == "limit"


def test_instruments_are_requested_either_by_search_or_by_key() -> None:
    search = InstrumentsQuery.model_validate({"q": "nifty", "type": ["CE,PE"], "segment": ["A"]})
    assert search.request() == SearchRequest(query="nifty", types=["CE", "PE"], segments=["A"])
    by_key = InstrumentsQuery.model_validate({"keys": [f"{KEY},A|1", KEY]})
    assert by_key.request() == GetRequest(keys=[KEY, "A|1"])
    assert first_error(InstrumentsQuery)[0] == "keys"
    assert first_error(InstrumentsQuery, q="a", keys=[KEY])[0] == "keys"
    assert first_error(InstrumentsQuery, keys=[KEY], type=["EQ"])[0] == "type"


@pytest.mark.parametrize("words", ["", " ", "\u2003", "a\nb", "a\x00", "\ud800"])
def test_search_words_that_are_blank_or_not_printable_are_refused(words: str) -> None:
    assert first_error(InstrumentsQuery, q=words)[0] == "q"


@pytest.mark.parametrize("keys", [[], [""], ["NIFTY"], ["A|B|C"], ["|B"], ["A|"], ["A|\ud800"]])
def test_malformed_instrument_keys_are_refused(keys: list[str]) -> None:
    assert first_error(QuotesQuery, keys=keys)[0] in ("keys", "keys.0")


def test_more_than_200_keys_are_refused() -> None:
    field, rule = first_error(QuotesQuery, keys=[",".join(f"A|{n}" for n in range(201))])
    assert (field, "200" in rule) == ("keys", True)


def test_an_unknown_parameter_is_refused() -> None:
    assert first_error(QuotesQuery, keys=[KEY], key=KEY)[0] == "key"
