"""Past trades with what they made: pairs of a buy and a sell, first in first out."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.market.state import InstrumentState
from services.simulator.orders.order import Fill, Side
from shared.market.exchange_time import ist_date

SEGMENTS: Final = ("EQ", "FO", "COM", "CD")


def report_segment(instrument: ListedInstrument) -> str:
    """`EQ`, `FO`, `COM` or `CD`."""
    if instrument.exchange == "MCX" or instrument.segment.endswith("_COM"):
        return "COM"
    if instrument.segment in ("NCD_FO", "BCD_FO"):
        return "CD"
    return "EQ" if instrument.kind is Kind.EQUITY else "FO"


@dataclass(frozen=True, slots=True)
class Lot:
    """A fill that is not paired yet, or the rest of one."""

    day: date
    price_paise: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Pair:
    """So much bought on one day and sold on another."""

    instrument: ListedInstrument
    quantity: int
    buy: Lot
    sell: Lot


def chosen(
    fills: Iterable[Fill],
    states: Mapping[str, InstrumentState],
    *,
    user_id: str,
    segment: str | None,
    first: date,
    last: date,
) -> list[Fill]:
    """The user's fills from `first` to `last`, of one segment or all."""
    return [
        fill
        for fill in fills
        if fill.order.user_id == user_id
        and first <= ist_date(fill.at_ms) <= last
        and segment in (None, report_segment(states[fill.order.request.instrument_key].instrument))
    ]


def pairs(fills: Iterable[Fill], states: Mapping[str, InstrumentState]) -> Iterator[Pair]:
    """What was closed, in the order of closing."""
    waiting: dict[tuple[str, Side], deque[Lot]] = defaultdict(deque)
    for fill in fills:
        request = fill.order.request
        instrument = states[request.instrument_key].instrument
        rest = Lot(ist_date(fill.at_ms), fill.price_paise, fill.quantity)
        opposite = waiting[instrument.key, request.side.other]
        while rest.quantity and opposite:
            lot = opposite.popleft()
            quantity = min(lot.quantity, rest.quantity)
            buy, sell = (rest, lot) if request.side is Side.BUY else (lot, rest)
            yield Pair(instrument, quantity, buy, sell)
            rest = replace(rest, quantity=rest.quantity - quantity)
            if lot.quantity > quantity:
                opposite.appendleft(replace(lot, quantity=lot.quantity - quantity))
        if rest.quantity:
            waiting[instrument.key, request.side].append(rest)
