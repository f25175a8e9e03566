"""A search finds the instrument that a trader expects first."""

from typing import Any

import pytest

from services.persister.instruments.search_query import spellings
from services.persister.instruments.search_rank import (
    rank_matches,
    search_rank,
    search_words,
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
    instrument("BANKNIFTY", "Nifty Bank", "INDEX", segment="NSE_INDEX"),
    instrument("SENSEX", "SENSEX", "INDEX", segment="BSE_INDEX", exchange="BSE"),
    instrument("LT", "LARSEN & TOUBRO LTD."),
    instrument("LTF", "L&T FINANCE LIMITED"),
]


def search(query: str) -> list[Instrument]:
    """Match as the database does: each word of the query begins a word of the instrument."""
    matches = []
    for candidate in MARKET:
        words = search_words(candidate)
        if any(
            all(any(word.startswith(w) for word in words) for w in spelling)
            for spelling in spellings(query)
        ):
            has_derivatives = candidate is RELIANCE
            rank = search_rank(candidate, has_derivatives=has_derivatives, is_marginable=False)
            matches.append((candidate, rank, words))
    return rank_matches(query, matches)


@pytest.mark.parametrize("query", ["reli", "RELIANCE", "reliance industries", "INE002A01018"])
def test_the_share_of_that_name_comes_first(query: str) -> None:
    assert search(query)[0] == RELIANCE


def test_a_symbol_of_two_exchanges_is_listed_for_nse_before_bse() -> None:
    assert search("reliance")[:2] == [RELIANCE, RELIANCE_BSE]


@pytest.mark.parametrize("query", ["nifty 24000 ce", "24000 ce nifty", "Nifty 24000 call"])
def test_a_strike_finds_the_option_with_the_nearest_expiry_first(query: str) -> None:
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
        ("l&t", "LT"),
        ("bank nifty", "BANKNIFTY"),
        ("nifty bank", "BANKNIFTY"),
        ("banknifty", "BANKNIFTY"),
        ("bank nifty 24000 ce", "BANKNIFTY 24000 CE 17 NOV 26"),
        ("nifty 24000ce", "NIFTY 24000 CE 17 NOV 26"),
        ("sensex", "SENSEX"),
        ("reliance fut", "RELIANCE FUT 24 NOV 26"),
    ],
)
def test_a_symbol_is_found_in_each_spelling(query: str, symbol: str) -> None:
    assert search(query)[0].symbol == symbol


def test_an_instrument_without_all_words_of_the_query_is_not_found() -> None:
    assert search("reliance steel") == []


def test_words_of_an_option_hold_its_strike_type_and_underlying() -> None:
    words = search_words(option(24_000, "CE", "2026-11-24"), "NIFTY short", "54321")
    assert {"24000", "call", "ce", "nifty", "short", "54321"} <= set(words)
    assert "nifty24000ce24nov26" in words
    assert words == sorted(set(words))


@pytest.mark.parametrize(
    ("candidate", "has_derivatives", "is_marginable", "rank"),
    [
        (NIFTY, False, False, 0),
        (RELIANCE, True, False, 0),
        (
            instrument("SENSEX", "Sensex", "INDEX", segment="BSE_INDEX", exchange="BSE"),
            False,
            False,
            1,
        ),
        (RELIANCE, False, True, 1),
        (RELIANCE, False, False, 2),
        (RELIANCE_BSE, False, True, 3),
        (instrument("F", "F", "FUT"), False, False, 4),
        (option(1, "PE", "2026-11-24"), False, False, 5),
        (instrument("BOND", "A bond", "GB"), False, False, 6),
    ],
)
def test_underlyings_rank_before_shares_and_these_before_derivatives(
    candidate: Instrument, has_derivatives: bool, is_marginable: bool, rank: int
) -> None:
    assert (
        search_rank(candidate, has_derivatives=has_derivatives, is_marginable=is_marginable) == rank
    )
