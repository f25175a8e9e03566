"""The rows of Upstox's instrument master.

A row omits keys that do not apply to the instrument, and flags that are false.
"""

from collections.abc import Sequence
from typing import Any, Final

from services.simulator.market.expiries import last_tuesdays
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from shared.market.exchange_time import ist_date

MasterRow = dict[str, Any]
_FIRST_TOKEN: Final = 1_001
_SYNTHETIC_PREFIX: Final = "SIM"


def master_rows(instruments: Sequence[ListedInstrument]) -> list[MasterRow]:
    """A row for each instrument, in the same order."""
    by_key = {instrument.key: instrument for instrument in instruments}
    with_derivatives = {instrument.underlying_key for instrument in instruments}
    return [
        _row(instrument, str(_FIRST_TOKEN + number), by_key, with_derivatives)
        for number, instrument in enumerate(instruments)
    ]


def _row(
    instrument: ListedInstrument,
    exchange_token: str,
    by_key: dict[str, ListedInstrument],
    with_derivatives: set[str | None],
) -> MasterRow:
    row: MasterRow = {
        "segment": instrument.segment,
        "name": instrument.name,
        "exchange": instrument.exchange,
        "instrument_type": instrument.instrument_type.value,
        "instrument_key": instrument.key,
        "exchange_token": exchange_token,
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
    if instrument.instrument_type is InstrumentType.EQUITY:
        return row | _share_fields(instrument, is_cas_eligible=instrument.key in with_derivatives)
    return row | _derivative_fields(instrument, by_key)


def _share_fields(instrument: ListedInstrument, *, is_cas_eligible: bool) -> MasterRow:
    fields: MasterRow = {"isin": instrument.isin}
    # Many real shares lack the optional fields; here the synthetic stocks do.
    if not instrument.symbol.startswith(_SYNTHETIC_PREFIX):
        fields |= {"short_name": instrument.name, "security_type": "NORMAL", "mtf_enabled": True}
    if is_cas_eligible:
        fields["cas_eligible"] = True
    return fields


def _derivative_fields(
    instrument: ListedInstrument, by_key: dict[str, ListedInstrument]
) -> MasterRow:
    fields: MasterRow = {
        "exchange_token": instrument.key.partition("|")[2],
        "expiry": instrument.expiry_ms,
        "weekly": _is_weekly(instrument),
        "strike_price": (instrument.strike_paise or 0) / 100,
        "minimum_lot": instrument.lot_size,
        "underlying_symbol": instrument.name,
    }
    underlying = by_key.get(instrument.underlying_key or "")
    if underlying is None or underlying.segment == instrument.segment:
        return fields | {"underlying_type": "COM"}
    return fields | {
        "underlying_key": underlying.key,
        "underlying_type": underlying.instrument_type.value,
    }


def _is_weekly(instrument: ListedInstrument) -> bool:
    if not instrument.is_option or instrument.expiry_ms is None:
        return False
    day = ist_date(instrument.expiry_ms)
    return day not in last_tuesdays(day.replace(day=1), 1)
