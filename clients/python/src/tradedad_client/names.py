"""Names of instruments: which instrument a symbol, a name or an ISIN means. Pure."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tradedad_client.market_messages import Instrument
from tradedad_client.messages import EVERYTHING

_PREFIX: Final = re.compile(r"([A-Z]{2,6}(?:_[A-Z]{2,6})?):(?=\S)", re.IGNORECASE)
_FIRST_EXCHANGE: Final = "NSE"
_MOST_SIMILAR: Final = 3


class Name(NamedTuple):
    """A name in its parts."""

    text: str
    exchange: str | None = None
    segment: str | None = None


def is_key(name: str) -> bool:
    """Whether a name is an instrument key or a wildcard."""
    return "|" in name or name == EVERYTHING


def is_wildcard(name: str) -> bool:
    """Whether a name stands for all instruments, or all of a segment."""
    return name == EVERYTHING or name.endswith(f"|{EVERYTHING}")


def parse(name: str) -> Name:
    """Split ``BSE:RELIANCE`` and ``NSE_FO:NIFTY FUT ...``. Raises ValueError for an empty name."""
    prefix = _PREFIX.match(name.strip())
    text = " ".join((name.strip()[prefix.end() :] if prefix else name).split())
    if not text:
        raise ValueError("the name of an instrument is empty")
    if prefix is None:
        return Name(text)
    place = prefix[1].upper()
    return Name(text, segment=place) if "_" in place else Name(text, exchange=place)


def choose(name: Name, matches: Iterable[Instrument]) -> Instrument | None:
    """Return the instrument that has exactly this symbol, else name, else ISIN; None for none.

    Letter case does not matter. Of several exchanges NSE is chosen, unless the name has another.
    """
    wanted = name.text.casefold()
    candidates = []
    for position, one in enumerate(matches):
        if name.exchange not in (None, one.exchange) or name.segment not in (None, one.segment):
            continue
        texts = [
            " ".join(text.split()).casefold() for text in (one.symbol, one.name, one.isin or "")
        ]
        if wanted in texts:
            rank = (texts.index(wanted), one.exchange != _FIRST_EXCHANGE, position)
            candidates.append((rank, one))
    return min(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def similar(name: Name, matches: Iterable[Instrument]) -> list[str]:
    """Return the symbols that a misspelt name may mean, the most similar first."""
    symbols = list(dict.fromkeys(one.symbol for one in matches))
    return difflib.get_close_matches(name.text.upper(), symbols, n=_MOST_SIMILAR, cutoff=0.5)


def checked(instruments: Sequence[str]) -> Sequence[str]:
    """Return a list of instruments. Raises TypeError for a string, ValueError for an empty list."""
    if isinstance(instruments, str):
        raise TypeError("give a list of instruments, not a string")
    if not instruments:
        raise ValueError("give at least one instrument")
    return instruments
