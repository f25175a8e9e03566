"""The meaning of a search: its words in each spelling, and the option contract that it names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s,\0]+")
"""NUL is one, as MongoDB takes no pattern that contains it."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")
_STRIKE_WITH_TYPE: Final = re.compile(rf"({_NUMBER.pattern})(ce|pe)")
_OPTION_TYPES: Final = {
    "ce": "CE", "call": "CE", "calls": "CE", "pe": "PE", "put": "PE", "puts": "PE",
}  # fmt: skip
_DAY: Final = re.compile(r"[0-3]?[0-9]")
_YEAR: Final = re.compile(r"(?:20)?[0-9]{2}")
_MONTHS: Final = frozenset(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)
# Names of indices as traders write them, longest first, and the symbols of their contracts.
_INDEX_NAMES: Final = (
    (("nifty", "next", "50"), "niftynxt50"),
    (("bank", "nifty"), "banknifty"),
    (("nifty", "bank"), "banknifty"),
    (("fin", "nifty"), "finnifty"),
    (("midcap", "nifty"), "midcpnifty"),
)
_STRIKES_PER_EXPIRY: Final = 5


@dataclass(frozen=True, slots=True)
class OptionQuery:
    """A search for an option with a strike: ``nifty 24000 ce``."""

    underlying: str
    """A word of the underlying's symbol or name, lower case."""
    strike: float
    types: tuple[str, ...]
    """``CE``, ``PE`` or both."""
    other_words: tuple[str, ...]
    """Such as those of the expiry."""


@dataclass(frozen=True, slots=True)
class Contract:
    """Fields that decide whether an option is near to a wanted one."""

    key: str
    strike: float
    expiry: str


def query_words(query: str) -> list[str]:
    """The words of a query. Each must be the beginning of a word of the instrument."""
    return list(dict.fromkeys(word for word in _SEPARATORS.split(query.lower()) if word))


def spellings(query: str) -> list[list[str]]:
    """The words of a query as given, and as the master may write them.

    ``l&t`` is also ``lt``, ``bank nifty`` is also ``banknifty``, and ``24000ce`` is ``24000 ce``.
    """
    words = query_words(query)
    found = [words, [word.replace("&", "") or word for word in words]]
    found += [_join_index_name(_split_strikes(words))]
    return [list(spelling) for spelling in dict.fromkeys(map(tuple, found))]


def option_query(query: str) -> OptionQuery | None:
    """The option that a query names by underlying and strike, in any order; None if it does not.

    A number beside the name of a month belongs to the expiry. Without the words of a type, a
    number is no strike: it can be part of a name, as in ``nifty 50``.
    """
    words = _join_index_name(_split_strikes(query_words(query)))
    types = tuple(dict.fromkeys(_OPTION_TYPES[word] for word in words if word in _OPTION_TYPES))
    strike = next((word for word in _strikes(words)), None)
    names = [word for word in words if word not in _OPTION_TYPES and word != strike]
    underlying = next((word for word in names if not _is_of_expiry(word)), None)
    if not types or strike is None or underlying is None:
        return None
    names.remove(underlying)
    return OptionQuery(underlying, float(strike), types, tuple(names))


def nearest_contracts(wanted: OptionQuery, contracts: Iterable[Contract]) -> list[str]:
    """The keys of the contracts with the nearest strikes, five of each expiry.

    The earliest expiry comes first, and within it the nearest strike.
    """
    ordered = sorted(
        contracts,
        key=lambda contract: (
            contract.expiry, abs(contract.strike - wanted.strike), contract.strike, contract.key
        ),
    )  # fmt: skip
    return [
        contract.key
        for _, of_expiry in groupby(ordered, key=lambda contract: contract.expiry)
        for contract in list(of_expiry)[:_STRIKES_PER_EXPIRY]
    ]


def _split_strikes(words: Iterable[str]) -> list[str]:
    split: list[str] = []
    for word in words:
        match = _STRIKE_WITH_TYPE.fullmatch(word)
        split += match.groups() if match else [word]
    return split


def _join_index_name(words: Sequence[str]) -> list[str]:
    for name, symbol in _INDEX_NAMES:
        for at in range(len(words) - len(name) + 1):
            if tuple(words[at : at + len(name)]) == name:
                return [*words[:at], symbol, *words[at + len(name) :]]
    return list(words)


def _strikes(words: Sequence[str]) -> list[str]:
    """The words that can be a strike: numbers that are neither a day nor a year of an expiry."""
    return [
        word
        for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False)
        if _NUMBER.fullmatch(word)
        and float(word) > 0
        and not (after in _MONTHS and _DAY.fullmatch(word))
        and not (before in _MONTHS and _YEAR.fullmatch(word))
    ]


def _is_of_expiry(word: str) -> bool:
    return word in _MONTHS or _NUMBER.fullmatch(word) is not None
