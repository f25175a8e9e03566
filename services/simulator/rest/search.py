"""Finds instruments by words, exchange, segment, type, expiry and distance from the money.

PURE, but for the refusals it raises.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from services.simulator.envelope import INVALID_INPUT, Refusal, refuse
from services.simulator.market.state import InstrumentState
from services.simulator.rest.candle_query import day_of
from services.simulator.rest.master import Row
from shared.market.exchange_time import ist_date

MOST_CHARACTERS: Final = 50
MOST_RECORDS: Final = 30
_MOST_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for; an empty set leaves its field open."""

    words: tuple[str, ...]
    exchanges: frozenset[str]
    segments: frozenset[str]
    kinds: frozenset[str]
    expiry: str
    atm_offset: int | None
    page: int
    records: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Search":
        """Read a call's query. Raises Refusal."""
        text = query.get("query", "")
        if not text.strip() or len(text) > MOST_CHARACTERS:
            raise _refuse("query", f"query has from 1 to {MOST_CHARACTERS} characters", text)
        expiry = query.get("expiry", "")
        if expiry:
            day_of(expiry, "expiry")
        offset = query.get("atm_offset")
        return cls(
            tuple(text.upper().split()),
            _set(query.get("exchanges")),
            _set(query.get("segments")),
            _set(query.get("instrument_types")),
            expiry,
            None if offset is None else _integer("atm_offset", offset, -100, 100),
            _integer("page_number", query.get("page_number", "1"), 1, _MOST_PAGES),
            _integer("records", query.get("records", "10"), 1, MOST_RECORDS),
        )

    def run(self, rows: Iterable[Row], states: Mapping[str, InstrumentState]) -> list[Row]:
        """All rows that are asked for; those that begin as the query does come first."""
        found = [row for row in rows if self._fits(row)]
        if self.atm_offset is not None:
            found = [row for row in found if _distance(row, states, found) == self.atm_offset]
        text = " ".join(self.words)
        return sorted(
            found,
            key=lambda row: (
                row["trading_symbol"] != text,
                not row["trading_symbol"].startswith(text),
            ),
        )

    def _fits(self, row: Row) -> bool:
        text = f"{row['trading_symbol']} {row['name']} {row.get('isin', '')}".upper()
        segment = str(row["segment"])
        return (
            all(word in text for word in self.words)
            and (not self.exchanges or row["exchange"] in self.exchanges)
            and (not self.segments or not self.segments.isdisjoint({segment, segment[4:]}))
            and (not self.kinds or row["instrument_type"] in self.kinds)
            and (not self.expiry or _expiry_text(row) == self.expiry)
        )


def shown(row: Row) -> Row:
    """A row of the master as calls tell it: the expiry is a day, not a moment."""
    return row | {"expiry": _expiry_text(row)} if "expiry" in row else row


def _expiry_text(row: Row) -> str:
    return ist_date(row["expiry"]).isoformat() if "expiry" in row else ""


def _distance(row: Row, states: Mapping[str, InstrumentState], found: list[Row]) -> int | None:
    """Strikes from the one nearest to the underlying's price; None if it is no option."""
    if row["instrument_type"] not in ("CE", "PE"):
        return None
    spot = states[row["underlying_key"]].ltp_paise / 100
    strikes = sorted(
        {
            other["strike_price"]
            for other in found
            if other["instrument_type"] in ("CE", "PE")
            and other["underlying_key"] == row["underlying_key"]
            and other["expiry"] == row["expiry"]
        }
    )
    nearest = min(strikes, key=lambda strike: abs(strike - spot))
    return strikes.index(row["strike_price"]) - strikes.index(nearest)


def _set(text: str | None) -> frozenset[str]:
    parts = frozenset(part.strip().upper() for part in (text or "").split(","))
    return frozenset() if "ALL" in parts else parts - {""}


def _integer(field: str, text: str, least: int, most: int) -> int:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 6 and least <= int(text) <= most:
        return int(text)
    raise _refuse(field, f"{field} is a number from {least} to {most}", text)


def _refuse(field: str, message: str, value: str) -> Refusal:
    return refuse(HTTPStatus.BAD_REQUEST, INVALID_INPUT, message, path=field, value=value)
