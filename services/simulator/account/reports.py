"""Reports on past trades: round trips, matched first in, first out, and rows of the answers."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Fill, Side
from shared.market.exchange_time import ist_date

REPORT_SEGMENTS: Final = ("EQ", "FO", "COM", "CD")


def report_segment(instrument: ListedInstrument) -> str:
    """`EQ`, `FO`, `COM` or `CD`."""
    if instrument.exchange == "MCX" or instrument.segment.endswith("_COM"):
        return "COM"
    if instrument.segment in ("NCD_FO", "BCD_FO"):
        return "CD"
    return "EQ" if instrument.instrument_type is InstrumentType.EQUITY else "FO"


@dataclass(frozen=True, slots=True)
class TaxLot:
    """A fill, or the part of it that is not matched yet."""

    day: date
    price_paise: int
    quantity: int


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A bought quantity matched with the same quantity sold."""

    instrument: ListedInstrument
    quantity: int
    buy: TaxLot
    sell: TaxLot


def select_fills(
    fills: Iterable[Fill],
    states: Mapping[str, SimulatedState],
    *,
    user_id: str,
    segment: str | None,
    first: date,
    last: date,
) -> list[Fill]:
    """The user's fills from `first` to `last`, both included; segment None means all."""
    return [
        fill
        for fill in fills
        if fill.order.user_id == user_id
        and first <= ist_date(fill.at_ms) <= last
        and segment in (None, report_segment(states[fill.order.request.instrument_key].instrument))
    ]


def round_trips(fills: Iterable[Fill], states: Mapping[str, SimulatedState]) -> Iterator[RoundTrip]:
    """Match opposite fills of each instrument, in the order in which they close."""
    unmatched: dict[tuple[str, Side], deque[TaxLot]] = defaultdict(deque)
    for fill in fills:
        request = fill.order.request
        instrument = states[request.instrument_key].instrument
        rest = TaxLot(ist_date(fill.at_ms), fill.price_paise, fill.quantity)
        opposite = unmatched[instrument.key, request.side.opposite]
        while rest.quantity and opposite:
            lot = opposite.popleft()
            quantity = min(lot.quantity, rest.quantity)
            buy, sell = (rest, lot) if request.side is Side.BUY else (lot, rest)
            yield RoundTrip(instrument, quantity, buy, sell)
            rest = replace(rest, quantity=rest.quantity - quantity)
            if lot.quantity > quantity:
                opposite.appendleft(replace(lot, quantity=lot.quantity - quantity))
        if rest.quantity:
            unmatched[instrument.key, request.side].append(rest)


def historical_trade_row(fill: Fill, instrument: ListedInstrument) -> dict[str, Any]:
    """A row of the historical trades."""
    strike, expiry = instrument.strike_paise, instrument.expiry_ms
    return {
        "exchange": instrument.exchange,
        "segment": report_segment(instrument),
        "option_type": instrument.instrument_type if instrument.is_option else "",
        "quantity": fill.quantity,
        "amount": _amount_rupees(instrument, fill.price_paise, fill.quantity),
        "trade_id": fill.trade_id,
        "trade_date": f"{ist_date(fill.at_ms):%Y-%m-%d}",
        "transaction_type": fill.order.request.side,
        "scrip_name": instrument.name,
        "strike_price": f"{(strike or 0) / 100:.1f}",
        "expiry": f"{ist_date(expiry):%Y-%m-%d}" if expiry is not None else "",
        "price": fill.price_paise / 100,
        "isin": instrument.isin or "",
        "symbol": instrument.symbol,
        "instrument_token": instrument.key,
    }


def profit_row(trip: RoundTrip) -> dict[str, Any]:
    """A row of the profit and loss report."""
    return {
        "quantity": trip.quantity,
        "isin": trip.instrument.isin or "",
        "scrip_name": trip.instrument.name,
        "trade_type": report_segment(trip.instrument),
        "buy_date": f"{trip.buy.day:%d-%m-%Y}",
        "buy_average": trip.buy.price_paise / 100,
        "sell_date": f"{trip.sell.day:%d-%m-%Y}",
        "sell_average": trip.sell.price_paise / 100,
        "buy_amount": _amount_rupees(trip.instrument, trip.buy.price_paise, trip.quantity),
        "sell_amount": _amount_rupees(trip.instrument, trip.sell.price_paise, trip.quantity),
    }


def _amount_rupees(instrument: ListedInstrument, price_paise: int, quantity: int) -> float:
    return price_paise * quantity * instrument.multiplier / 100
