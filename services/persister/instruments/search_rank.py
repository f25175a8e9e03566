"""Search of instruments: the words that find an instrument, and the order of matches."""

import re
from collections.abc import Iterable
from typing import Final

from services.persister.instruments.search_query import spellings
from shared.contracts.instruments import Instrument

_WORD_PARTS: Final = re.compile(r"[a-z0-9.]+")
_TYPE_WORDS: Final = {
    "CE": ("call",),
    "PE": ("put",),
    "FUT": ("future", "futures"),
}


def search_words(instrument: Instrument, *more_texts: str) -> list[str]:
    """The words that find an instrument, among them the parts of words like M&M, sorted."""
    texts = (instrument.symbol, instrument.name, instrument.key, instrument.type)
    optional_texts = (instrument.isin or "", instrument.underlying_symbol or "")
    words: set[str] = set()
    for text in (*texts, *optional_texts, *more_texts):
        text_words = text.lower().split()
        words.update(text_words)
        words.update(part for word in text_words for part in _WORD_PARTS.findall(word))
    words.add("".join(instrument.symbol.lower().split()))
    words.update(_TYPE_WORDS.get(instrument.type, ()))
    if instrument.strike is not None:
        words.add(f"{instrument.strike:g}")
    return sorted(words)


def search_rank(instrument: Instrument, *, has_derivatives: bool, is_marginable: bool) -> int:
    """Rank by expected demand from 0, the highest. Underlyings of derivatives rank first."""
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
    return 1 if is_marginable else 2


def rank_matches(
    query: str, matches: Iterable[tuple[Instrument, int, list[str]]]
) -> list[Instrument]:
    """The instruments of `matches`, each with its rank and words, best first.

    Instruments whose symbol, name or key equals a spelling of the query come first. Then they are
    ordered by how many words of the query they have in full, by whether their symbol begins with
    the query's first word, by rank, by expiry, by length of the symbol, and alphabetically.
    """
    all_spellings = spellings(query)
    names = {" ".join(words) for words in all_spellings}
    first_words = tuple({words[0] for words in all_spellings})

    def order(match: tuple[Instrument, int, list[str]]) -> tuple[object, ...]:
        instrument, rank, own_words = match
        symbol = instrument.symbol.lower()
        return (
            names.isdisjoint((symbol, instrument.name.lower(), instrument.key.lower())),
            -max(len(set(words) & set(own_words)) for words in all_spellings),
            not symbol.startswith(first_words),
            rank,
            instrument.expiry or "",
            len(symbol),
            symbol,
            instrument.key,
        )

    return [instrument for instrument, _, _ in sorted(matches, key=order)]
