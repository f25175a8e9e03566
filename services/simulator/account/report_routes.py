"""The calls about past trades: their list, their profit, their charges."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from aiohttp import web

from services.simulator.account.charges import Charges, charges
from services.simulator.account.reports import SEGMENTS, Pair, chosen, pairs, report_segment
from services.simulator.account.views import charges_view
from services.simulator.envelope import success
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import InstrumentState
from services.simulator.orders.bodies import wrong
from services.simulator.orders.door import Call, Door
from services.simulator.orders.order import Fill
from services.simulator.orders.records import Records
from shared.market.exchange_time import IST, ist_date

_PAGE_LIMIT: Final = 5_000


class ReportRoutes:
    """Reads the ledger, so it knows what the simulator remembers."""

    def __init__(self, records: Records, states: Mapping[str, InstrumentState], door: Door) -> None:
        self._records = records
        self._states = states
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """Every such call."""
        door = self._door
        return [
            web.get("/v2/charges/historical-trades", door(self.historical_trades)),
            web.get("/v2/trade/profit-loss/metadata", door(self.metadata)),
            web.get("/v2/trade/profit-loss/data", door(self.profit)),
            web.get("/v2/trade/profit-loss/charges", door(self.charges)),
        ]

    async def historical_trades(self, call: Call) -> web.Response:
        """Trades of the days from `start_date` to `end_date`, newest first."""
        first, last = (_day(call, name, "%Y-%m-%d") for name in ("start_date", "end_date"))
        fills = self._chosen(call, _segment(call), first, last)[::-1]
        number, size, page = _page(call, fills)
        pages = -(-len(fills) // size)
        return success(
            [
                trade_row(fill, self._states[fill.order.request.instrument_key].instrument)
                for fill in page
            ],
            metaData={
                "page": {
                    "page_number": number,
                    "page_size": size,
                    "total_records": len(fills),
                    "total_pages": pages,
                }
            },
        )

    async def metadata(self, call: Call) -> web.Response:
        """How many rows there are, and how many a page may hold."""
        rows = list(pairs(self._of_year(call), self._states))
        return success({"trades_count": len(rows), "page_size_limit": _PAGE_LIMIT})

    async def profit(self, call: Call) -> web.Response:
        """What was bought and sold again."""
        number, size, page = _page(call, list(pairs(self._of_year(call), self._states)))
        return success(
            [pair_row(pair) for pair in page],
            metadata={"page": {"page_number": number, "page_size": size}},
        )

    async def charges(self, call: Call) -> web.Response:
        """What trading has cost, each fill taken as an order of its own."""
        total = Charges()
        for fill in self._of_year(call):
            request = fill.order.request
            instrument = self._states[request.instrument_key].instrument
            total += charges(
                instrument, request.product, request.side, fill.quantity, fill.price_paise
            )
        view = charges_view(total)["charges"]
        other = view["otherTaxes"] | {"others": 0.0, "demat_transaction": 0.0}
        breakdown = {name: view[name] for name in ("total", "brokerage", "taxes")}
        return success({"charges_breakdown": breakdown | {"charges": other}})

    def _of_year(self, call: Call) -> list[Fill]:
        """Of the financial year, or of the days within it that are asked for."""
        year = call.query("financial_year") or ""
        if not (len(year) == 4 and year.isascii() and year.isdigit()):
            raise wrong("financial_year", year)
        start = 2_000 + int(year[:2])
        first, last = date(start, 4, 1), date(start + 1, 3, 31)
        if call.query("from_date") is not None:
            first = max(first, _day(call, "from_date", "%d-%m-%Y"))
        if call.query("to_date") is not None:
            last = min(last, _day(call, "to_date", "%d-%m-%Y"))
        segment = _segment(call)
        if segment is None:
            raise wrong("segment", None)
        return self._chosen(call, segment, first, last)

    def _chosen(self, call: Call, segment: str | None, first: date, last: date) -> list[Fill]:
        return chosen(
            self._records.fills,
            self._states,
            user_id=call.user_id,
            segment=segment,
            first=first,
            last=last,
        )


def trade_row(fill: Fill, instrument: ListedInstrument) -> dict[str, Any]:
    """A row of the historical trades."""
    request = fill.order.request
    strike, expiry = instrument.strike_paise, instrument.expiry_ms
    return {
        "exchange": instrument.exchange,
        "segment": report_segment(instrument),
        "option_type": instrument.kind if instrument.is_option else "",
        "quantity": fill.quantity,
        "amount": _rupees(instrument, fill.price_paise, fill.quantity),
        "trade_id": fill.trade_id,
        "trade_date": f"{ist_date(fill.at_ms):%Y-%m-%d}",
        "transaction_type": request.side,
        "scrip_name": instrument.name,
        "strike_price": f"{(strike or 0) / 100:.1f}",
        "expiry": f"{ist_date(expiry):%Y-%m-%d}" if expiry is not None else "",
        "price": fill.price_paise / 100,
        "isin": instrument.isin or "",
        "symbol": instrument.symbol,
        "instrument_token": instrument.key,
    }


def pair_row(pair: Pair) -> dict[str, Any]:
    """A row of the profit and loss."""
    return {
        "quantity": pair.quantity,
        "isin": pair.instrument.isin or "",
        "scrip_name": pair.instrument.name,
        "trade_type": report_segment(pair.instrument),
        "buy_date": f"{pair.buy.day:%d-%m-%Y}",
        "buy_average": pair.buy.price_paise / 100,
        "sell_date": f"{pair.sell.day:%d-%m-%Y}",
        "sell_average": pair.sell.price_paise / 100,
        "buy_amount": _rupees(pair.instrument, pair.buy.price_paise, pair.quantity),
        "sell_amount": _rupees(pair.instrument, pair.sell.price_paise, pair.quantity),
    }


def _rupees(instrument: ListedInstrument, price_paise: int, quantity: int) -> float:
    return price_paise * quantity * instrument.multiplier / 100


def _segment(call: Call) -> str | None:
    segment = call.query("segment")
    if segment is not None and segment not in SEGMENTS:
        raise wrong("segment", segment)
    return segment


def _day(call: Call, name: str, form: str) -> date:
    value = call.query(name) or ""
    try:
        return datetime.strptime(value, form).replace(tzinfo=IST).date()
    except ValueError:
        raise wrong(name, value) from None


def _page(call: Call, rows: list[Any]) -> tuple[int, int, list[Any]]:
    numbers = []
    for name, most in (("page_number", 1 << 31), ("page_size", _PAGE_LIMIT)):
        value = call.query(name) or ""
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
            raise wrong(name, value)
        numbers.append(int(value))
    number, size = numbers
    return number, size, rows[(number - 1) * size : number * size]
