"""The rows of Upstox's instruments master: what it tells of an instrument.

PURE. Keys that do not apply are missing, and so are true ones that are not true.
"""

from collections.abc import Sequence
from typing import Any, Final

from services.simulator.market.expiries import last_tuesdays
from services.simulator.market.instruments import Kind, ListedInstrument
from shared.market.exchange_time import ist_date

Row = dict[str, Any]
_FIRST_TOKEN: Final = 1_001
_MADE_UP: Final = "SIM"


def rows(instruments: Sequence[ListedInstrument]) -> list[Row]:
    """One for each instrument, in their order."""
    names = {instrument.key: instrument for instrument in instruments}
    with_derivatives = {instrument.underlying_key for instrument in instruments}
    return [
        _row(instrument, str(_FIRST_TOKEN + place), names, with_derivatives)
        for place, instrument in enumerate(instruments)
    ]


def _row(
    instrument: ListedInstrument,
    token: str,
    instruments: dict[str, ListedInstrument],
    with_derivatives: set[str | None],
) -> Row:
    row: Row = {
        "segment": instrument.segment,
        "name": instrument.name,
        "exchange": instrument.exchange,
        "instrument_type": instrument.kind.value,
        "instrument_key": instrument.key,
        "exchange_token": token,
        "trading_symbol": instrument.symbol,
    }
    if instrument.is_index:
        return row
    row |= {
        "lot_size": instrument.lot_size,
        "freeze_quantity": float(instrument.freeze_quantity),
        "tick_size": float(instrument.tick_paise),
        "qty_multiplier": float(instrument.multiplier),
    }
    if instrument.kind is Kind.EQUITY:
        return row | _of_share(instrument, eligible=instrument.key in with_derivatives)
    return row | _of_derivative(instrument, instruments)


def _of_share(instrument: ListedInstrument, *, eligible: bool) -> Row:
    row: Row = {"isin": instrument.isin}
    # Made-up stocks are like the many that nobody has bothered to describe.
    if not instrument.symbol.startswith(_MADE_UP):
        row |= {"short_name": instrument.name, "security_type": "NORMAL", "mtf_enabled": True}
    if eligible:
        row["cas_eligible"] = True
    return row


def _of_derivative(instrument: ListedInstrument, instruments: dict[str, ListedInstrument]) -> Row:
    row: Row = {
        "exchange_token": instrument.key.partition("|")[2],
        "expiry": instrument.expiry_ms,
        "weekly": _is_weekly(instrument),
        "strike_price": (instrument.strike_paise or 0) / 100,
        "minimum_lot": instrument.lot_size,
        "underlying_symbol": instrument.name,
    }
    underlying = instruments.get(instrument.underlying_key or "")
    if underlying is None or underlying.segment == instrument.segment:
        return row | {"underlying_type": "COM"}
    return row | {
        "underlying_key": underlying.key,
        "underlying_type": underlying.kind.value,
    }


def _is_weekly(instrument: ListedInstrument) -> bool:
    if not instrument.is_option or instrument.expiry_ms is None:
        return False
    day = ist_date(instrument.expiry_ms)
    return day not in last_tuesdays(day.replace(day=1), 1)
