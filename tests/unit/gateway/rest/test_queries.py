from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway.rest.queries import BarsQuery, GapsQuery, InstrumentsQuery, QuotesQuery
from shared.contracts.history import MAX_BARS, MAX_TIME_MS, BarsRequest, GapsRequest, Interval
from shared.contracts.instruments import GetRequest, SearchRequest

KEY = "NSE_EQ|INE002A01018"


def broken(model: Any, **query: object) -> tuple[str, str]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({name.rstrip("_"): value for name, value in query.items()})
    first = caught.value.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def test_a_query_of_bars_becomes_the_persisters_question() -> None:
    query = {"key": KEY, "from": "10", "to": "20", "interval": "1h", "limit": "7", "cursor": "15"}
    assert BarsQuery.model_validate(query).request() == BarsRequest(
        key=KEY, from_ms=10, to_ms=20, interval=Interval.HOUR, limit=7, cursor="15"
    )


def test_without_an_end_all_is_asked_for() -> None:
    assert BarsQuery.model_validate({"key": KEY, "from": "1"}).request().to_ms == MAX_TIME_MS
    assert GapsQuery.model_validate({"key": KEY, "from": "1"}).request() == GapsRequest(
        key=KEY, from_ms=1, to_ms=MAX_TIME_MS
    )


def test_every_interval_that_the_persister_knows_can_be_asked_for() -> None:
    for interval in Interval:
        query = BarsQuery.model_validate({"key": KEY, "from": "1", "interval": interval.value})
        assert query.request().interval is interval


def test_a_range_ends_after_it_begins() -> None:
    assert broken(BarsQuery, key=KEY, from_="20", to="20")[0] == "to"


def test_a_limit_is_within_what_a_page_holds() -> None:
    assert broken(BarsQuery, key=KEY, from_="1", limit=str(MAX_BARS + 1))[0] == "limit"
    assert broken(BarsQuery, key=KEY, from_="1", limit="0")[0] == "limit"


def test_instruments_are_searched_for_or_named() -> None:
    search = InstrumentsQuery.model_validate({"q": "nifty", "type": ["CE,PE"], "segment": ["A"]})
    assert search.request() == SearchRequest(query="nifty", types=["CE", "PE"], segments=["A"])
    named = InstrumentsQuery.model_validate({"keys": [f"{KEY},A|1", KEY]})
    assert named.request() == GetRequest(keys=[KEY, "A|1"])
    assert broken(InstrumentsQuery)[0] == "keys"
    assert broken(InstrumentsQuery, q="a", keys=[KEY])[0] == "keys"
    assert broken(InstrumentsQuery, keys=[KEY], type=["EQ"])[0] == "type"


@pytest.mark.parametrize("words", ["", " ", "\u2003", "a\nb", "a\x00", "\ud800"])
def test_words_to_search_for_can_be_read(words: str) -> None:
    assert broken(InstrumentsQuery, q=words)[0] == "q"


@pytest.mark.parametrize("keys", [[], [""], ["NIFTY"], ["A|B|C"], ["|B"], ["A|"], ["A|\ud800"]])
def test_keys_have_the_form_of_keys(keys: list[str]) -> None:
    assert broken(QuotesQuery, keys=keys)[0] in ("keys", "keys.0")


def test_a_key_too_many_is_refused() -> None:
    field, rule = broken(QuotesQuery, keys=[",".join(f"A|{n}" for n in range(201))])
    assert (field, "200" in rule) == ("keys", True)


def test_a_parameter_that_is_not_named_is_refused() -> None:
    assert broken(QuotesQuery, keys=[KEY], key=KEY)[0] == "key"
