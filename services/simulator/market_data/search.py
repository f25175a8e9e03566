"""Instrument search by words, exchange, segment, type, expiry and distance from the money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.state import SimulatedState
from services.simulator.market_data.expiry_filter import (
    CURRENT_WEEK,
    check_expiry,
    expiry_day,
    expiry_filter,
)
from services.simulator.market_data.instrument_master import MasterRow

MAX_CHARACTERS: Final = 50
MAX_RECORDS: Final = 30
_MAX_PAGES: Final = 10_000
_OPTION_TYPES: Final = ("CE", "PE")
_SEGMENT_GROUPS: Final = {
    "MCX_FO": ("COMM",),
    "NSE_COM": ("COMM",),
    "NCD_FO": ("CURR",),
    "BCD_FO": ("CURR",),
}


@dataclass(frozen=True, slots=True)
class InstrumentSearch:
    """The criteria of a search; an empty set or string matches everything."""

    words: tuple[str, ...]
    exchanges: frozenset[str]
    segments: frozenset[str]
    instrument_types: frozenset[str]
    expiry: str
    """A date as YYYY-MM-DD or a keyword; with an offset by default the current week."""
    atm_offset: int | None
    """Number of strikes from the money; None matches everything."""
    page: int
    records: int

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "InstrumentSearch":
        """Parse the query of a request. Raises ApiError."""
        text = query.get("query", "")
        if not text.strip() or len(text) > MAX_CHARACTERS:
            raise _invalid("query", f"query has from 1 to {MAX_CHARACTERS} characters", text)
        offset = query.get("atm_offset")
        expiry = query.get("expiry", "") or ("" if offset is None else CURRENT_WEEK)
        if expiry:
            check_expiry(expiry)
        return cls(
            tuple(text.upper().split()),
            _set(query.get("exchanges")),
            _set(query.get("segments")),
            _set(query.get("instrument_types")),
            expiry,
            None if offset is None else _integer("atm_offset", offset, -100, 100),
            _integer("page_number", query.get("page_number", "1"), 1, _MAX_PAGES),
            _integer("records", query.get("records", "10"), 1, MAX_RECORDS),
        )

    def run(
        self, rows: Sequence[MasterRow], states: Mapping[str, SimulatedState], today: date
    ) -> list[MasterRow]:
        """All matching rows: first equal symbols, then symbols that start with the query."""
        matches = [row for row in rows if self._matches(row)]
        if self.expiry:
            has_expiry = expiry_filter(self.expiry, rows, today.isoformat())
            matches = [row for row in matches if has_expiry(row)]
        if self.atm_offset is not None:
            matches = [
                row for row in matches if _atm_offset(row, states, matches) == self.atm_offset
            ]
        text = " ".join(self.words)
        return sorted(
            matches,
            key=lambda row: (
                row["trading_symbol"] != text,
                not row["trading_symbol"].startswith(text),
            ),
        )

    def _matches(self, row: MasterRow) -> bool:
        text = f"{row['trading_symbol']} {row['name']} {row.get('isin', '')}".upper()
        segment = str(row["segment"])
        return (
            all(word in text for word in self.words)
            and (not self.exchanges or row["exchange"] in self.exchanges)
            and (not self.segments or not self.segments.isdisjoint(_segment_names(segment)))
            and (not self.instrument_types or row["instrument_type"] in self.instrument_types)
        )


def answer_row(row: MasterRow) -> MasterRow:
    """A row of the master as in answers, where the expiry is a date instead of a time."""
    return row | {"expiry": expiry_day(row)} if "expiry" in row else row


def _segment_names(segment: str) -> set[str]:
    """The names that find a segment: ``NSE_FO`` and ``FO``; ``MCX_FO`` also as ``COMM``."""
    return {segment, segment[4:], *_SEGMENT_GROUPS.get(segment, ())}


def _atm_offset(
    row: MasterRow, states: Mapping[str, SimulatedState], rows: list[MasterRow]
) -> int | None:
    """Number of strikes from the strike nearest to the underlying's price.

    Only strikes among `rows` count. None for all instruments but options.
    """
    if row["instrument_type"] not in _OPTION_TYPES:
        return None
    spot = states[row["underlying_key"]].ltp_paise / 100
    strikes = sorted(
        {
            other["strike_price"]
            for other in rows
            if other["instrument_type"] in _OPTION_TYPES
            and other["underlying_key"] == row["underlying_key"]
            and other["expiry"] == row["expiry"]
        }
    )
    nearest = min(strikes, key=lambda strike: abs(strike - spot))
    return strikes.index(row["strike_price"]) - strikes.index(nearest)


def _set(text: str | None) -> frozenset[str]:
    parts = frozenset(part.strip().upper() for part in (text or "").split(","))
    return frozenset() if "ALL" in parts else parts - {""}


def _integer(field: str, text: str, minimum: int, maximum: int) -> int:
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 6
    if is_number and minimum <= int(text) <= maximum:
        return int(text)
    raise _invalid(field, f"{field} is a number from {minimum} to {maximum}", text)


def _invalid(field: str, message: str, value: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_INPUT, message, path=field, value=value)
