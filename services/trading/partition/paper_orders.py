"""Places, changes and cancels paper orders: records for the journal, and the broker's part.

Nothing here waits or checks; the caller appends the records to the journal.
"""

import secrets
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from services.trading.journal.entry import OrderChanged
from services.trading.journal.record import Record
from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.events import (
    Accepted,
    CommandAnswered,
    CommandSending,
    Intended,
    OrderEvent,
    Reported,
)
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.partition.ledger import Ledger
from shared.contracts.order_terms import Prices, Terms
from shared.market.exchange_time import ist_date

Changed = tuple[list[Record], Order]
"""The records of a change, and the order after it."""
_PROTECTION_PERCENT: Final = Decimal(1)
"""Of an order that had a limit when it was placed, and is changed to a market order."""


class PaperOrders:
    """The paper orders of a partition. `latency_ms` passes between acceptance and the first fill."""

    def __init__(
        self, ledger: Ledger, *, latency_ms: int, new_id: Callable[[], str] | None = None
    ) -> None:
        self._ledger = ledger
        self._latency_ms = latency_ms
        self._new_id = new_id or self._random_id

    def accept(
        self,
        user_id: str,
        terms: Terms,
        instrument: OrderInstrument,
        *,
        margin: Decimal,
        reference_price: Decimal | None,
        id_prefix: str = "",
    ) -> Changed:
        """Place an order whose checks have passed."""
        order_id = id_prefix + self._new_id()
        at_ms = self._ledger.broker.time_ms
        events: list[OrderEvent] = [
            Intended(
                at_ms=at_ms, order_id=order_id, user_id=user_id, terms=terms,
                instrument=instrument, margin=margin, reference_price=reference_price,
            ),
            Accepted(at_ms=at_ms, broker_order_id=order_id),
        ]  # fmt: skip
        return self._record(user_id, order_id, events)

    def modify(self, order: Order, prices: Prices, command_id: str, *, margin: Decimal) -> Changed:
        """Change the terms of an open order; `margin` is for its whole new quantity."""
        at_ms = self._ledger.broker.time_ms
        events: list[OrderEvent] = [
            CommandSending(at_ms=at_ms, command_id=command_id, prices=prices, margin=margin),
            CommandAnswered(at_ms=at_ms, command_id=command_id),
        ]  # fmt: skip
        reported = order.priced_report
        if reported is not None:  # of the trigger; its terms would stay in force
            report = BrokerReport(
                order.order_id, BrokerState.WORKING, max(at_ms, reported.at_ms + 1), prices,
                "modified",
            )  # fmt: skip
            events.append(Reported(at_ms=at_ms, report=report))
        return self._record(order.user_id, order.order_id, events)

    def cancel(self, order: Order, command_id: str, detail: str) -> Changed:
        """Cancel what is left of an open order."""
        at_ms = self._ledger.broker.time_ms
        report = BrokerReport(order.order_id, BrokerState.CANCELLED, at_ms, None, detail)
        events: list[OrderEvent] = [
            CommandSending(at_ms=at_ms, command_id=command_id, prices=None),
            CommandAnswered(at_ms=at_ms, command_id=command_id),
            Reported(at_ms=at_ms, report=report),
        ]
        return self._record(order.user_id, order.order_id, events)

    def apply_to_broker(self, order: Order, event: OrderEvent, instrument: OrderInstrument) -> None:
        """The broker's part of an event; `order` is the order right after it.

        Used again after a takeover, when the account may have forgotten the order. Fills and ends
        that the broker has caused have no effect.
        """
        broker = self._ledger.broker
        match event:
            case Accepted(at_ms=at_ms):
                broker.place(
                    order.user_id,
                    order.order_id,
                    msgspec.structs.replace(order.terms, prices=order.prices),
                    instrument,
                    at_ms + self._latency_ms,
                    order.terms.market_protection_percent or _PROTECTION_PERCENT,
                    remaining=order.prices.quantity - order.filled_quantity,
                )
            case CommandSending(prices=Prices() as prices):
                terms = msgspec.structs.replace(order.terms, prices=prices)
                remaining = prices.quantity - order.filled_quantity
                broker.modify(order.user_id, order.order_id, terms, remaining)
            case Reported(report=BrokerReport(state=BrokerState.CANCELLED)):
                broker.cancel(order.user_id, order.order_id)
            case _:
                pass

    def _record(self, user_id: str, order_id: str, events: Sequence[OrderEvent]) -> Changed:
        account = self._ledger.account(user_id)
        records = []
        for event in events:
            body = OrderChanged(order_id=order_id, event=event)
            records.append(self._ledger.record(user_id, body))
            order = account.orders[order_id]
            self.apply_to_broker(order, event, account.instrument_of(order_id))
        return records, account.orders[order_id]

    def _random_id(self) -> str:
        day = ist_date(self._ledger.broker.time_ms)
        return f"{day:%y%m%d}-{secrets.token_hex(6)}"
