"""A name means the instrument that has exactly this symbol, name or ISIN."""

import pytest

from tradedad_client import Instrument
from tradedad_client.names import choose, is_key, is_wildcard, parse, similar


def instrument(segment: str, symbol: str, name: str = "", isin: str | None = None) -> Instrument:
    exchange, _, kind = segment.partition("_")
    return Instrument(
        key=f"{segment}|{symbol}", symbol=symbol, name=name, segment=segment, exchange=exchange,
        type=kind, isin=isin,
    )  # fmt: skip


BSE = instrument("BSE_EQ", "RELIANCE", "Reliance Industries", "INE002A01018")
NSE = instrument("NSE_EQ", "RELIANCE", "Reliance Industries", "INE002A01018")
POWER = instrument("NSE_EQ", "RPOWER", "Reliance")
NIFTY = instrument("NSE_INDEX", "NIFTY", "Nifty 50")
MATCHES = [BSE, POWER, NSE, NIFTY]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RELIANCE", NSE),
        (" reliance ", NSE),
        ("BSE:RELIANCE", BSE),
        ("bse_eq:reliance", BSE),
        ("NSE_FO:RELIANCE", None),
        ("Reliance  Industries", NSE),
        ("INE002A01018", NSE),
        ("Nifty 50", NIFTY),
        ("NIFTY", NIFTY),
        ("RELI", None),
    ],
)
def test_a_name_means_one_instrument(name: str, expected: Instrument | None) -> None:
    assert choose(parse(name), MATCHES) is expected


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        parse(name)


def test_a_colon_without_an_exchange_before_it_is_part_of_the_name() -> None:
    assert parse("A:B").text == "A:B"


def test_keys_and_wildcards_are_no_names() -> None:
    assert [is_key(one) for one in ("NSE_EQ|X", "*", "NSE_EQ|*", "RELIANCE")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert [is_wildcard(one) for one in ("NSE_EQ|X", "*", "NSE_EQ|*")] == [False, True, True]


def test_a_misspelt_name_has_similar_symbols() -> None:
    assert similar(parse("RELAINCE"), MATCHES) == ["RELIANCE"]
    assert similar(parse("XYZ"), MATCHES) == []
