"""Requests for market data have the parameters of REST."""

from urllib.parse import parse_qs, urlsplit

from tests.support.builders import KEY, MONDAY_10_00
from tradedad_client import market_requests as requests
from tradedad_client.http_request import Request


def parts(request: Request) -> tuple[str, dict[str, list[str]]]:
    assert (request.method, request.body, request.command_key) == ("GET", None, None)
    url = urlsplit(request.path)
    return url.path, parse_qs(url.query)


def test_a_search_has_only_the_given_filters() -> None:
    bare = requests.search("reli", types=(), segments=(), expiry=None, limit=20)
    assert parts(bare) == ("/v1/instruments", {"q": ["reli"], "limit": ["20"]})
    filtered = requests.search(
        "nifty", types=["CE", "PE"], segments=["NSE_FO"], expiry="2026-11-26", limit=5
    )
    assert parts(filtered)[1] == {
        "q": ["nifty"], "limit": ["5"], "type": ["CE", "PE"], "segment": ["NSE_FO"],
        "expiry": ["2026-11-26"],
    }  # fmt: skip


def test_bars_have_a_range_and_a_cursor_if_given() -> None:
    first = requests.bars(KEY, "5m", "2026-11-23", None, limit=2_000, cursor=None)
    assert parts(first) == (
        "/v1/bars",
        {"key": [KEY], "interval": ["5m"], "from": ["2026-11-23"], "limit": ["2000"]},
    )
    later = requests.bars(KEY, "1d", 0, MONDAY_10_00, limit=10, cursor="c")
    assert parts(later)[1] == {
        "key": [KEY], "interval": ["1d"], "from": ["0"], "to": [str(MONDAY_10_00)], "cursor": ["c"],
        "limit": ["10"],
    }  # fmt: skip


def test_keys_are_repeated_or_part_of_the_path() -> None:
    assert parts(requests.quotes([KEY, "A|1"]))[1] == {"keys": [KEY, "A|1"]}
    assert parts(requests.instruments([KEY])) == ("/v1/instruments", {"keys": [KEY]})
    assert requests.instrument("A|1").path == "/v1/instruments/A%7C1"
    assert requests.status().path == "/v1/status"


def test_gaps_have_a_range_and_a_chain_an_expiry_if_given() -> None:
    gaps = requests.gaps(KEY, "2026-11-23", "2026-11-24", limit=5, cursor=None)
    assert parts(gaps) == (
        "/v1/gaps",
        {"key": [KEY], "from": ["2026-11-23"], "to": ["2026-11-24"], "limit": ["5"]},
    )
    nearest = requests.option_chain(KEY, None)
    assert parts(nearest) == ("/v1/option-chain", {"underlying": [KEY]})
    assert parts(requests.option_chain(KEY, "2026-12-31"))[1]["expiry"] == ["2026-12-31"]
