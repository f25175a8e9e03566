"""Closes open positions with market orders, BUY orders first."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.simulator.account.account import TradingAccounts
from services.simulator.account.positions import Position
from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import InstrumentType
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from services.simulator.orders.batch import BatchResult
from services.simulator.orders.bodies import slices
from services.simulator.orders.order import OrderRequest, OrderType, Side
from services.simulator.orders.order_manager import OrderManager

_AUTO_PROTECTION: Final = -1.0


class PositionExit:
    """Places the orders that close positions."""

    def __init__(
        self,
        order_manager: OrderManager,
        accounts: TradingAccounts,
        states: Mapping[str, SimulatedState],
        calendar: SimulatedCalendar,
    ) -> None:
        self._order_manager = order_manager
        self._calendar = calendar
        self._accounts = accounts
        self._states = states

    def exit(
        self, user_id: str, at_ms: int, *, tag: str | None, segment: str | None
    ) -> BatchResult:
        """Close the user's open positions.

        With `tag` only those for which an order of the day has this tag, with `segment` only
        those of this segment; None means all. Raises ApiError if there is no such position
        (UDAPI1111), or if the segments of all of them are closed (UDAPI1113).
        """
        result = BatchResult()
        positions = list(self._open_positions(user_id, tag, segment))
        if not positions:
            raise ApiError(ErrorCode.NO_OPEN_POSITION, "No open position available to exit")
        positions = [each for each in positions if self._is_open(each, at_ms)]
        if not positions:
            raise ApiError(
                ErrorCode.POSITION_SEGMENT_CLOSED, "Positions can be exited in market hours only"
            )
        for position in sorted(positions, key=lambda position: position.quantity):
            result.total += 1
            instrument = self._states[position.instrument_key].instrument
            request = OrderRequest(
                position.instrument_key,
                Side.SELL if position.quantity > 0 else Side.BUY,
                abs(position.quantity),
                position.product,
                OrderType.MARKET,
                tag=tag,
                protection_percent=_AUTO_PROTECTION,
            )
            try:
                for each in slices(request, instrument.freeze_quantity, instrument.lot_size):
                    order = self._order_manager.place(user_id, each, at_ms)
                    result.rows.append({"order_id": order.order_id})
            except ApiError as error:
                result.fail(error, instrument_key=position.instrument_key)
        return result

    def _is_open(self, position: Position, at_ms: int) -> bool:
        segment = self._states[position.instrument_key].instrument.segment
        is_halted = self._calendar.halts.covers(position.instrument_key, at_ms)
        return self._calendar.is_open(segment, at_ms) and not is_halted

    def _open_positions(
        self, user_id: str, tag: str | None, segment: str | None
    ) -> Iterator[Position]:
        tagged = {
            (order.request.instrument_key, order.request.product)
            for order in self._order_manager.order_store.day(user_id)
            if order.request.tag == tag
        }
        for key, position in self._accounts.of(user_id).positions.by_key.items():
            instrument = self._states[position.instrument_key].instrument
            # Delivery shares that were sold come from the holdings: no short position.
            is_share = instrument.instrument_type is InstrumentType.EQUITY
            is_delivery = is_share and position.product.is_delivery
            is_open = position.quantity > 0 if is_delivery else position.quantity != 0
            has_tag = tag is None or key in tagged
            if is_open and has_tag and segment in (None, instrument.segment):
                yield position
