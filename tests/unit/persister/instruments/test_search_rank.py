"""A trader's words find what the trader means."""

from typing import Any

import pytest

from services.persister.instruments.search_rank import (
    best_first,
    query_words,
    search_rank,
    words_of,
)
from shared.contracts.instruments import Instrument


def instrument(symbol: str, name: str, kind: str = "EQ", **more: Any) -> Instrument:
    fields: dict[str, Any] = {"segment": "NSE_EQ", "exchange": "NSE"} | more
    return Instrument(
        key=f"{fields['segment']}|{symbol}", symbol=symbol, name=name, type=kind, **fields
    )


def option(strike: int, kind: str, expiry: str, of: str = "NIFTY") -> Instrument:
    return instrument(
        f"{of} {strike} {kind} {expiry[8:]} NOV 26", of, kind, segment="NSE_FO", expiry=expiry,
        strike=float(strike), underlying_symbol=of,
    )  # fmt: skip


NIFTY = instrument("NIFTY", "Nifty 50", "INDEX", segment="NSE_INDEX")
RELIANCE = instrument("RELIANCE", "RELIANCE INDUSTRIES LTD", isin="INE002A01018")
RELIANCE_BSE = instrument("RELIANCE", "RELIANCE INDUSTRIES LTD", segment="BSE_EQ", exchange="BSE")
MARKET = [
    instrument("RELIGARE", "RELIGARE ENTERPRISES LTD"),
    instrument("RELINFRA", "RELIANCE INFRASTRUCTURE LTD"),
    instrument("RELAXO", "RELAXO FOOTWEARS LTD"),
    RELIANCE_BSE,
    instrument("RELIANCE FUT 24 NOV 26", "RELIANCE", "FUT", segment="NSE_FO", expiry="2026-11-24"),
    option(1300, "CE", "2026-11-24", of="RELIANCE"),
    RELIANCE,
    instrument("TATASTEEL", "TATA STEEL LTD"),
    instrument("TCS", "TATA CONSULTANCY SERV LT"),
    instrument("M&M", "MAHINDRA & MAHINDRA LTD"),
    instrument("BAJAJ-AUTO", "BAJAJ AUTO LTD"),
    option(24_000, "CE", "2026-11-24"),
    option(24_000, "CE", "2026-11-17"),
    option(24_000, "PE", "2026-11-17"),
    option(24_050, "CE", "2026-11-17"),
    option(24_000, "CE", "2026-11-17", of="BANKNIFTY"),
    NIFTY,
]


def search(query: str) -> list[Instrument]:
    """As the database does: those that have every word, at least its beginning."""
    found = []
    for one in MARKET:
        words = words_of(one)
        if all(any(word.startswith(w) for word in words) for w in query_words(query)):
            rank = search_rank(one, has_derivatives=one is RELIANCE, can_margin=False)
            found.append((one, rank, words))
    return best_first(query, found)


@pytest.mark.parametrize("query", ["reli", "RELIANCE", "reliance industries", "INE002A01018"])
def test_the_share_that_everybody_means_comes_first(query: str) -> None:
    assert search(query)[0] == RELIANCE


def test_one_symbol_on_two_exchanges_is_first_the_nse_s_then_the_bse_s() -> None:
    assert search("reliance")[:2] == [RELIANCE, RELIANCE_BSE]


@pytest.mark.parametrize("query", ["nifty 24000 ce", "24000 ce nifty", "Nifty 24000 call"])
def test_a_strike_finds_the_option_that_expires_next(query: str) -> None:
    first, second = search(query)[:2]
    assert (first.symbol, first.expiry) == ("NIFTY 24000 CE 17 NOV 26", "2026-11-17")
    assert second.expiry == "2026-11-24"


@pytest.mark.parametrize("query", ["nifty", "nifty 50"])
def test_an_index_comes_before_its_derivatives(query: str) -> None:
    assert search(query)[0] == NIFTY


@pytest.mark.parametrize(
    ("query", "symbol"),
    [
        ("m&m", "M&M"),
        ("bajaj auto", "BAJAJ-AUTO"),
        ("bajaj-auto", "BAJAJ-AUTO"),
        ("tcs", "TCS"),
        ("tata", "TATASTEEL"),
        ("nifty24000pe17nov26", "NIFTY 24000 PE 17 NOV 26"),
        ("nse_eq|tcs", "TCS"),
    ],
)
def test_a_symbol_is_found_however_it_is_written(query: str, symbol: str) -> None:
    assert search(query)[0].symbol == symbol


def test_what_has_not_every_word_is_not_found() -> None:
    assert search("reliance steel") == []
