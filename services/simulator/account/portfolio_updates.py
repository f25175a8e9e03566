"""Updates of orders, positions and holdings, as sent to the portfolio stream and the webhook.

Updates of positions and holdings contain no market prices, and therefore no profit.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.simulator.account.account import TradingAccounts
from services.simulator.account.views import holding_base, position_base
from services.simulator.market.state import SimulatedState
from services.simulator.orders.gtt import Gtt
from services.simulator.orders.order import Fill, Order, Product
from services.simulator.orders.views import gtt_row, order_row


class UpdateType(StrEnum):
    """Upstox's `update_type`."""

    ORDER = "order"
    POSITION = "position"
    HOLDING = "holding"
    GTT = "gtt_order"


@dataclass(frozen=True, slots=True)
class PortfolioUpdate:
    """One encoded message for a user."""

    user_id: str
    type: UpdateType
    text: str


class PortfolioUpdates:
    """Creates an update for each change and passes it to `publish`."""

    def __init__(
        self,
        accounts: TradingAccounts,
        states: Mapping[str, SimulatedState],
        publish: Callable[[PortfolioUpdate], None],
    ) -> None:
        self._accounts = accounts
        self._states = states
        self._publish = publish

    def on_order(self, order: Order) -> None:
        """Publish a changed order."""
        state = self._states[order.request.instrument_key]
        row = order_row(order, state.instrument)
        row |= {
            "user_id": order.user_id,
            "userId": order.user_id,
            "instrument_key": state.instrument.key,
        }
        self._send(order.user_id, UpdateType.ORDER, row)

    def on_fill(self, fill: Fill) -> None:
        """Publish the position of a fill, and for product D the holding."""
        user_id, request = fill.order.user_id, fill.order.request
        account, state = self._accounts.of(user_id), self._states[request.instrument_key]
        position = account.positions.by_key[request.instrument_key, request.product]
        row = position_base(position, state) | {"exchange": state.instrument.segment}
        self._send(user_id, UpdateType.POSITION, row)
        holding = account.holdings.get(request.instrument_key)
        if holding is not None and request.product is Product.D:
            self._send(user_id, UpdateType.HOLDING, holding_base(holding, state))

    def on_gtt(self, gtt: Gtt) -> None:
        """Publish a changed GTT order."""
        self._send(gtt.user_id, UpdateType.GTT, gtt_row(gtt, self._states[gtt.instrument_key]))

    def _send(self, user_id: str, update_type: UpdateType, row: dict[str, Any]) -> None:
        text = json.dumps({"update_type": update_type, **row})
        self._publish(PortfolioUpdate(user_id, update_type, text))
