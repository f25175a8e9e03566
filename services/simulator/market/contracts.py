"""The derivatives of the simulated market, made for the day it starts.

PURE. Lot sizes, freeze quantities and ticks are about the real ones; the numbers in the
keys are made up. A contract stays in the market after its end, worth what it then was;
the next start of the simulator has new ones.
"""

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Final, NamedTuple

from services.simulator.market import expiries
from services.simulator.market.fair_price import future_paise, option_value
from services.simulator.market.instruments import INDICES, STOCKS, Kind, ListedInstrument
from shared.market.exchange_time import day_start, ist_date

_FIRST_NUMBER: Final = 35_001
_FIRST_MCX_NUMBER: Final = 430_001
_MOST_LOTS: Final = 40
STRIKES_EACH_SIDE: Final = 10
_OPTION_TICK_PAISE: Final = 5
_FUTURE_TICK_PAISE: Final = 10


class _Underlying(NamedTuple):
    symbol: str
    lot_size: int
    strike_step_paise: int | None = None
    """Of an underlying with options."""
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
    """All contracts of a market that starts at `start_ms`; an underlying comes first."""
    today, opened_ms = ist_date(start_ms), day_start(start_ms)
    spots = {spot.symbol: spot for spot in (*STOCKS, *INDICES)}
    numbers = count(_FIRST_NUMBER)
    found: list[ListedInstrument] = []
    for underlying in _UNDERLYINGS:
        spot = spots[underlying.symbol]
        days = expiries.last_tuesdays(today, 2)
        found += [_future(spot, underlying, day, opened_ms, next(numbers)) for day in days]
        if underlying.strike_step_paise is not None:
            next_days = expiries.tuesdays if underlying.weekly else expiries.last_tuesdays
            (day,) = next_days(today, 1)
            found += _options(spot, underlying, day, opened_ms, numbers)
    return (*found, *_commodities(today))


def _future(
    spot: ListedInstrument, underlying: _Underlying, day: date, opened_ms: int, number: int
) -> ListedInstrument:
    expiry_ms = expiries.last_moment_ms("NSE", day)
    price = future_paise(spot.base_paise, expiry_ms - opened_ms, _FUTURE_TICK_PAISE)
    return ListedInstrument(
        f"NSE_FO|{number}",
        f"{spot.symbol} FUT {_text(day)}",
        spot.symbol,
        price,
        _FUTURE_TICK_PAISE,
        kind=Kind.FUTURE,
        lot_size=underlying.lot_size,
        freeze_quantity=underlying.lot_size * _MOST_LOTS,
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
    """Calls and puts at the strikes about the base price of the underlying."""
    step = underlying.strike_step_paise or 1
    middle = (spot.base_paise + step // 2) // step * step
    expiry_ms = expiries.last_moment_ms("NSE", day)
    for place in range(-STRIKES_EACH_SIDE, STRIKES_EACH_SIDE + 1):
        strike = middle + place * step
        for kind in (Kind.CALL, Kind.PUT):
            told = option_value(
                spot.base_paise,
                strike,
                expiry_ms - opened_ms,
                _OPTION_TICK_PAISE,
                call=kind is Kind.CALL,
            )
            yield ListedInstrument(
                f"NSE_FO|{next(numbers)}",
                f"{spot.symbol} {strike // 100} {kind} {_text(day)}",
                spot.symbol,
                told.price_paise,
                _OPTION_TICK_PAISE,
                kind=kind,
                lot_size=underlying.lot_size,
                freeze_quantity=underlying.lot_size * _MOST_LOTS,
                expiry_ms=expiry_ms,
                strike_paise=strike,
                underlying_key=spot.key,
            )


def _commodities(today: date) -> Iterator[ListedInstrument]:
    """Two futures of each; the later follows the earlier, which follows nothing."""
    numbers = count(_FIRST_MCX_NUMBER)
    for commodity in _COMMODITIES:
        near: ListedInstrument | None = None
        for day in expiries.days_of_month(today, 2, commodity.expiry_day):
            expiry_ms = expiries.last_moment_ms("MCX", day)
            price = commodity.base_paise
            if near is not None and near.expiry_ms is not None:
                price = future_paise(price, expiry_ms - near.expiry_ms, commodity.tick_paise)
            far = ListedInstrument(
                f"MCX_FO|{next(numbers)}",
                f"{commodity.symbol} FUT {_text(day)}",
                commodity.symbol,
                price,
                commodity.tick_paise,
                kind=Kind.FUTURE,
                freeze_quantity=100,
                expiry_ms=expiry_ms,
                underlying_key=near.key if near else None,
                multiplier=commodity.multiplier,
            )
            near = near or far
            yield far


def _text(day: date) -> str:
    """As Upstox's trading symbols have it: ``24 NOV 26``."""
    return day.strftime("%d %b %y").upper()
