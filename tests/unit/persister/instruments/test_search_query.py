"""A search is read as a trader means it."""

import pytest

from services.persister.instruments.search_query import (
    Contract,
    OptionQuery,
    nearest_contracts,
    option_query,
    query_words,
    spellings,
)


def test_a_query_counts_a_repeated_word_once() -> None:
    assert query_words("  Nifty nifty,  CE ") == ["nifty", "ce"]


def test_a_nul_ends_a_word_as_no_pattern_of_the_database_can_contain_it() -> None:
    assert query_words("nifty\0ce") == ["nifty", "ce"]
    assert query_words("\0") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("reliance", [["reliance"]]),
        ("l&t", [["l&t"], ["lt"]]),
        ("&", [["&"]]),
        ("bank nifty", [["bank", "nifty"], ["banknifty"]]),
        ("nifty next 50 fut", [["nifty", "next", "50", "fut"], ["niftynxt50", "fut"]]),
        ("nifty 50", [["nifty", "50"]]),
        ("nifty 24000ce", [["nifty", "24000ce"], ["nifty", "24000", "ce"]]),
    ],
)
def test_a_query_is_spelled_as_given_and_as_in_the_master(
    query: str, expected: list[list[str]]
) -> None:
    assert spellings(query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("nifty 24000 ce", OptionQuery("nifty", 24_000, ("CE",), ())),
        ("24000 put NIFTY", OptionQuery("nifty", 24_000, ("PE",), ())),
        ("nifty 24010pe", OptionQuery("nifty", 24_010, ("PE",), ())),
        ("bank nifty 52050 ce", OptionQuery("banknifty", 52_050, ("CE",), ())),
        ("m&m 3010 ce", OptionQuery("m&m", 3_010, ("CE",), ())),
        ("idea 7.5 ce pe", OptionQuery("idea", 7.5, ("CE", "PE"), ())),
        ("nifty 24 nov 24010 ce", OptionQuery("nifty", 24_010, ("CE",), ("24", "nov"))),
        ("nifty 24010 ce 24 nov 26", OptionQuery("nifty", 24_010, ("CE",), ("24", "nov", "26"))),
        ("nifty 50", None),
        ("nifty 24000", None),
        ("nifty ce", None),
        ("24000 ce", None),
        ("reliance fut", None),
        ("nifty 0 ce", None),
        ("nifty 99999999999999999999 ce", None),
    ],
)
def test_an_option_is_named_by_underlying_strike_and_type(
    query: str, expected: OptionQuery | None
) -> None:
    assert option_query(query) == expected


def test_the_nearest_strikes_of_the_earliest_expiry_come_first_and_five_of_each() -> None:
    contracts = [
        Contract(f"{expiry}-{strike}", float(strike), expiry)
        for expiry in ("2026-12-01", "2026-11-24")
        for strike in range(23_500, 24_550, 50)
    ]
    wanted = OptionQuery("nifty", 24_010.0, ("CE",), ())
    keys = nearest_contracts(wanted, contracts)
    assert keys[:5] == [
        f"2026-11-24-{strike}" for strike in (24_000, 24_050, 23_950, 24_100, 23_900)
    ]
    assert keys[5:6] == ["2026-12-01-24000"]
    assert len(keys) == 10
