"""Which instruments fit a trader's words, and which of them come first."""

import re
from collections.abc import Iterable
from typing import Final

from shared.contracts.instruments import Instrument

_PARTS: Final = re.compile(r"[a-z0-9.]+")
_SPOKEN: Final = {
    "CE": ("call",),
    "PE": ("put",),
    "FUT": ("future", "futures"),
}


def query_words(query: str) -> list[str]:
    """The words that an instrument must have, each at least as the beginning of one of its own."""
    return list(dict.fromkeys(query.lower().split()))


def words_of(instrument: Instrument, *more: str) -> list[str]:
    """All that an instrument may be searched by: its words, and the parts of words like M&M."""
    texts = (instrument.symbol, instrument.name, instrument.key, instrument.type)
    words: set[str] = set()
    for text in (*texts, instrument.isin or "", instrument.underlying_symbol or "", *more):
        whole = text.lower().split()
        words.update(whole)
        words.update(part for word in whole for part in _PARTS.findall(word))
    words.add("".join(instrument.symbol.lower().split()))
    words.update(_SPOKEN.get(instrument.type, ()))
    if instrument.strike is not None:
        words.add(f"{instrument.strike:g}")
    return sorted(words)


def search_rank(instrument: Instrument, *, has_derivatives: bool, can_margin: bool) -> int:
    """How much an instrument is in demand, 0 most: what derivatives are made of comes first."""
    if instrument.type in ("CE", "PE"):
        return 5
    if instrument.type == "FUT":
        return 4
    if has_derivatives or instrument.type == "INDEX":
        return 0 if instrument.exchange == "NSE" or has_derivatives else 1
    if instrument.type != "EQ":
        return 6
    if instrument.exchange != "NSE":
        return 3
    return 1 if can_margin else 2


def best_first(query: str, found: Iterable[tuple[Instrument, int, list[str]]]) -> list[Instrument]:
    """Instruments, each with its standing and words, as a trader expects them for `query`.

    What is named in full comes first, then what has more of the words in full, then symbols
    that begin as the query does; among equals by standing, by expiry, and alphabetically.
    """
    words = query_words(query)
    named = " ".join(query.lower().split())

    def place(one: tuple[Instrument, int, list[str]]) -> tuple[object, ...]:
        instrument, rank, own = one
        symbol = instrument.symbol.lower()
        return (
            named not in (symbol, instrument.name.lower(), instrument.key.lower()),
            -len(set(words) & set(own)),
            not symbol.startswith(words[0]),
            rank,
            instrument.expiry or "",
            len(symbol),
            symbol,
            instrument.key,
        )

    return [instrument for instrument, _, _ in sorted(found, key=place)]
