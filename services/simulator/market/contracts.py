"""The derivative contracts of the simulated market, created for the day it starts.

Lot sizes, freeze quantities and tick sizes are close to the real ones. The numbers in the keys
are invented. An expired contract stays in the market at its final value; new contracts are
created only when the simulator starts again.
"""

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Final, NamedTuple

from services.simulator.market import expiries
from services.simulator.market.fair_price import future_paise, option_value
from services.simulator.market.instruments import (
    INDICES,
    STOCKS,
    InstrumentType,
    ListedInstrument,
)
from shared.market.exchange_time import day_start, ist_date

_FIRST_NUMBER: Final = 35_001
_FIRST_MCX_NUMBER: Final = 430_001
_FREEZE_LOTS: Final = 40
_MCX_FREEZE_QUANTITY: Final = 100
STRIKES_EACH_SIDE: Final = 10
_OPTION_TICK_PAISE: Final = 5
_FUTURE_TICK_PAISE: Final = 10


class _Underlying(NamedTuple):
    symbol: str
    lot_size: int
    strike_step_paise: int | None = None
    """None means that the underlying has no options."""
    weekly: bool = False


_UNDERLYINGS: Final = (
    _Underlying("NIFTY", 65, 5_000, weekly=True),
    _Underlying("BANKNIFTY", 30, 10_000),
    _Underlying("RELIANCE", 500),
    _Underlying("HDFCBANK", 550),
    _Underlying("ICICIBANK", 700),
    _Underlying("INFY", 400),
    _Underlying("SBIN", 750),
    _Underlying("TCS", 175),
)


class _Commodity(NamedTuple):
    symbol: str
    base_paise: int
    tick_paise: int
    multiplier: int
    expiry_day: int


_COMMODITIES: Final = (
    _Commodity("CRUDEOIL", 540_000, 100, 100, 19),
    _Commodity("GOLDM", 12_400_000, 100, 10, 5),
    _Commodity("NATURALGAS", 40_000, 10, 1_250, 26),
)


def contracts(start_ms: int) -> tuple[ListedInstrument, ...]:
    """All contracts of a market that starts at `start_ms` (epoch ms).

    A contract comes after the contract whose price it follows.
    """
    today, opened_ms = ist_date(start_ms), day_start(start_ms)
    spots = {spot.symbol: spot for spot in (*STOCKS, *INDICES)}
    numbers = count(_FIRST_NUMBER)
    listed: list[ListedInstrument] = []
    for underlying in _UNDERLYINGS:
        spot = spots[underlying.symbol]
        days = expiries.last_tuesdays(today, 2)
        listed += [_future(spot, underlying, day, opened_ms, next(numbers)) for day in days]
        if underlying.strike_step_paise is not None:
            next_days = expiries.tuesdays if underlying.weekly else expiries.last_tuesdays
            (day,) = next_days(today, 1)
            listed += _options(spot, underlying, day, opened_ms, numbers)
    return (*listed, *_commodities(today))


def _future(
    spot: ListedInstrument, underlying: _Underlying, day: date, opened_ms: int, number: int
) -> ListedInstrument:
    expiry_ms = expiries.last_moment_ms("NSE", day)
    price_paise = future_paise(spot.base_paise, expiry_ms - opened_ms, _FUTURE_TICK_PAISE)
    return ListedInstrument(
        f"NSE_FO|{number}",
        f"{spot.symbol} FUT {_symbol_date(day)}",
        spot.symbol,
        price_paise,
        _FUTURE_TICK_PAISE,
        instrument_type=InstrumentType.FUTURE,
        lot_size=underlying.lot_size,
        freeze_quantity=underlying.lot_size * _FREEZE_LOTS,
        expiry_ms=expiry_ms,
        underlying_key=spot.key,
    )


def _options(
    spot: ListedInstrument,
    underlying: _Underlying,
    day: date,
    opened_ms: int,
    numbers: Iterator[int],
) -> Iterator[ListedInstrument]:
    """Calls and puts at the strikes around the base price of the underlying."""
    step = underlying.strike_step_paise or 1
    middle = (spot.base_paise + step // 2) // step * step
    expiry_ms = expiries.last_moment_ms("NSE", day)
    for offset in range(-STRIKES_EACH_SIDE, STRIKES_EACH_SIDE + 1):
        strike = middle + offset * step
        for option_type in (InstrumentType.CALL, InstrumentType.PUT):
            option = option_value(
                spot.base_paise,
                strike,
                expiry_ms - opened_ms,
                _OPTION_TICK_PAISE,
                call=option_type is InstrumentType.CALL,
            )
            yield ListedInstrument(
                f"NSE_FO|{next(numbers)}",
                f"{spot.symbol} {strike // 100} {option_type} {_symbol_date(day)}",
                spot.symbol,
                option.price_paise,
                _OPTION_TICK_PAISE,
                instrument_type=option_type,
                lot_size=underlying.lot_size,
                freeze_quantity=underlying.lot_size * _FREEZE_LOTS,
                expiry_ms=expiry_ms,
                strike_paise=strike,
                underlying_key=spot.key,
            )


def _commodities(today: date) -> Iterator[ListedInstrument]:
    """Two futures of each commodity; the later one follows the price of the earlier one."""
    numbers = count(_FIRST_MCX_NUMBER)
    for commodity in _COMMODITIES:
        near: ListedInstrument | None = None
        for day in expiries.days_of_month(today, 2, commodity.expiry_day):
            expiry_ms = expiries.last_moment_ms("MCX", day)
            price_paise = commodity.base_paise
            if near is not None and near.expiry_ms is not None:
                left_ms = expiry_ms - near.expiry_ms
                price_paise = future_paise(price_paise, left_ms, commodity.tick_paise)
            future = ListedInstrument(
                f"MCX_FO|{next(numbers)}",
                f"{commodity.symbol} FUT {_symbol_date(day)}",
                commodity.symbol,
                price_paise,
                commodity.tick_paise,
                instrument_type=InstrumentType.FUTURE,
                freeze_quantity=_MCX_FREEZE_QUANTITY,
                expiry_ms=expiry_ms,
                underlying_key=near.key if near else None,
                multiplier=commodity.multiplier,
            )
            near = near or future
            yield future


def _symbol_date(day: date) -> str:
    """The date as in Upstox's trading symbols: ``24 NOV 26``."""
    return day.strftime("%d %b %y").upper()
