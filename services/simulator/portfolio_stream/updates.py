"""What the portfolio stream says of a change, the same to sockets as to the webhook.

Positions beside holdings are told without the market's prices, hence without profit.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.simulator.account.account import Accounts
from services.simulator.account.views import holding_base, position_base
from services.simulator.market.state import InstrumentState
from services.simulator.orders.gtt import Gtt
from services.simulator.orders.gtt_view import gtt_row
from services.simulator.orders.order import Fill, Order, Product
from services.simulator.orders.views import book_row


class UpdateType(StrEnum):
    """What an update is about."""

    ORDER = "order"
    POSITION = "position"
    HOLDING = "holding"
    GTT = "gtt_order"


@dataclass(frozen=True, slots=True)
class Update:
    """One message, ready to be sent."""

    user_id: str
    type: UpdateType
    text: str


class Updates:
    """Turns what happens into updates, for whoever `tell`s them on."""

    def __init__(
        self,
        accounts: Accounts,
        states: Mapping[str, InstrumentState],
        tell: Callable[[Update], None],
    ) -> None:
        self._accounts = accounts
        self._states = states
        self._tell = tell

    def order(self, order: Order) -> None:
        """An order has changed."""
        state = self._states[order.request.instrument_key]
        row = book_row(order, state.instrument)
        row |= {
            "user_id": order.user_id,
            "userId": order.user_id,
            "instrument_key": state.instrument.key,
        }
        self._send(order.user_id, UpdateType.ORDER, row)

    def fill(self, fill: Fill) -> None:
        """A fill has changed a position, and of a delivery perhaps a holding."""
        user_id, request = fill.order.user_id, fill.order.request
        account, state = self._accounts.of(user_id), self._states[request.instrument_key]
        position = account.positions.by_key[request.instrument_key, request.product]
        row = position_base(position, state) | {"exchange": state.instrument.segment}
        self._send(user_id, UpdateType.POSITION, row)
        holding = account.holdings.get(request.instrument_key)
        if holding is not None and request.product is Product.D:
            self._send(user_id, UpdateType.HOLDING, holding_base(holding, state))

    def gtt(self, gtt: Gtt) -> None:
        """A GTT order has changed."""
        self._send(gtt.user_id, UpdateType.GTT, gtt_row(gtt, self._states[gtt.instrument_key]))

    def _send(self, user_id: str, kind: UpdateType, row: dict[str, Any]) -> None:
        self._tell(Update(user_id, kind, json.dumps({"update_type": kind, **row})))
