"""Calls about past trades: historical trades, profit and loss, charges."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from aiohttp import web

from services.simulator.account.charges import Charges, order_charges
from services.simulator.account.reports import (
    REPORT_SEGMENTS,
    historical_trade_row,
    profit_row,
    round_trips,
    select_fills,
)
from services.simulator.account.views import charges_view
from services.simulator.api.account.field_codes import REPORT_CODES, documented
from services.simulator.api.envelope import success
from services.simulator.api.request_context import HandlerAdapter, RequestContext
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.state import SimulatedState
from services.simulator.orders.bodies import invalid_field
from services.simulator.orders.order import Fill
from services.simulator.orders.order_store import OrderStore
from shared.market.exchange_time import IST

_PAGE_LIMIT: Final = 5_000


class ReportRoutes:
    """Reports on the fills in the ledger; all calls raise ApiError."""

    def __init__(
        self,
        order_store: OrderStore,
        states: Mapping[str, SimulatedState],
        adapt: HandlerAdapter,
    ) -> None:
        self._order_store = order_store
        self._states = states
        self._adapt = adapt

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        adapt = self._adapt
        return [
            web.get("/v2/charges/historical-trades", adapt(self.historical_trades)),
            web.get("/v2/trade/profit-loss/metadata", adapt(self.profit_metadata)),
            web.get("/v2/trade/profit-loss/data", adapt(self.profit)),
            web.get("/v2/trade/profit-loss/charges", adapt(self.charges)),
        ]

    async def historical_trades(self, context: RequestContext) -> web.Response:
        """A page of the trades from `start_date` to `end_date`, newest first."""
        with documented(REPORT_CODES):
            first, last = (_day(context, name, "%Y-%m-%d") for name in ("start_date", "end_date"))
            fills = self._select(context, _segment(context), first, last)[::-1]
            number, size, page = _page(context, fills)
        pages = -(-len(fills) // size)
        return success(
            [
                historical_trade_row(
                    fill, self._states[fill.order.request.instrument_key].instrument
                )
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

    async def profit_metadata(self, context: RequestContext) -> web.Response:
        """The number of rows of the profit and loss report, and the maximum page size."""
        trips = list(round_trips(self._fills_of_year(context), self._states))
        return success({"trades_count": len(trips), "page_size_limit": _PAGE_LIMIT})

    async def profit(self, context: RequestContext) -> web.Response:
        """A page of the profit and loss report."""
        trips = list(round_trips(self._fills_of_year(context), self._states))
        with documented(REPORT_CODES):
            number, size, page = _page(context, trips)
        return success(
            [profit_row(trip) for trip in page],
            metadata={"page": {"page_number": number, "page_size": size}},
        )

    async def charges(self, context: RequestContext) -> web.Response:
        """The charges, as if each fill were an order of its own."""
        total = Charges()
        for fill in self._fills_of_year(context):
            request = fill.order.request
            instrument = self._states[request.instrument_key].instrument
            total += order_charges(
                instrument, request.product, request.side, fill.quantity, fill.price_paise
            )
        view = charges_view(total)["charges"]
        other = view["otherTaxes"] | {"others": 0.0, "demat_transaction": 0.0}
        breakdown = {name: view[name] for name in ("total", "brokerage", "taxes")}
        return success({"charges_breakdown": breakdown | {"charges": other}})

    def _fills_of_year(self, context: RequestContext) -> list[Fill]:
        """The fills of the financial year, or of the requested days within it."""
        with documented(REPORT_CODES):
            year = context.query("financial_year") or ""
            if not (len(year) == 4 and year.isascii() and year.isdigit()):
                raise invalid_field("financial_year", year)
            start = 2_000 + int(year[:2])
            first, last = date(start, 4, 1), date(start + 1, 3, 31)
            if context.query("from_date") is not None:
                first = max(first, _day(context, "from_date", "%d-%m-%Y"))
            if context.query("to_date") is not None:
                last = min(last, _day(context, "to_date", "%d-%m-%Y"))
            segment = _segment(context)
            if segment is None:
                raise invalid_field("segment", None)
        return self._select(context, segment, first, last)

    def _select(
        self, context: RequestContext, segment: str | None, first: date, last: date
    ) -> list[Fill]:
        return select_fills(
            self._order_store.fills,
            self._states,
            user_id=context.user_id,
            segment=segment,
            first=first,
            last=last,
        )


def _segment(context: RequestContext) -> str | None:
    segment = context.query("segment")
    if segment is not None and segment not in REPORT_SEGMENTS:
        raise invalid_field("segment", segment)
    return segment


def _day(context: RequestContext, name: str, date_format: str) -> date:
    value = context.query(name) or ""
    try:
        return datetime.strptime(value, date_format).replace(tzinfo=IST).date()
    except ValueError:
        raise invalid_field(name, value) from None


def _page(context: RequestContext, rows: list[Any]) -> tuple[int, int, list[Any]]:
    """Page number, page size and the rows of the requested page."""
    number = _number(context, "page_number", 1 << 31)
    size = _number(context, "page_size", _PAGE_LIMIT)
    return number, size, rows[(number - 1) * size : number * size]


def _number(context: RequestContext, name: str, maximum: int) -> int:
    text = context.query(name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise invalid_field(name, text)
    if 1 <= int(text) <= maximum:
        return int(text)
    is_small = int(text) < 1
    code = ErrorCode.PAGE_TOO_SMALL if is_small else ErrorCode.PAGE_TOO_LARGE
    message = f"The {name} should be from 1 to {maximum}"
    raise ApiError(code, message, path=name, value=text)
