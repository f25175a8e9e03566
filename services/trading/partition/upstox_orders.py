"""Records of orders at Upstox for the journal: what is sent, what is answered, what is found.

Nothing here waits or sends; the caller appends the records to the journal.
"""

import secrets
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from services.trading.journal.entry import OrderChanged
from services.trading.journal.record import Record
from services.trading.orders.events import (
    Accepted,
    AnswerLost,
    CommandAnswered,
    CommandLost,
    CommandSending,
    Expired,
    Intended,
    OrderEvent,
    Refused,
    Sending,
)
from services.trading.orders.instrument import OrderInstrument
from services.trading.orders.order import Order
from services.trading.orders.order_state import LocalState
from services.trading.partition.ledger import Ledger
from services.trading.upstox import answers
from services.trading.upstox.rows import OrderRow
from shared.contracts.order_terms import Account, Prices, Terms
from shared.market.exchange_time import ist_date
from shared.runtime.logs import get_logger

log = get_logger(__name__)

Changed = tuple[list[Record], Order]
"""The records of a change, and the order after it."""
EXTERNAL_PREFIX: Final = "external-"
"""Of the ids of orders that were placed elsewhere; Upstox's id follows."""
NOT_SENT: Final = "not_sent"
"""The code of an order that was stored and not sent."""
OWNER_ENDED_BEFORE: Final = "the owner of the partition ended before the order was sent"
OWNER_ENDED: Final = "the owner of the partition ended while it waited for Upstox's answer"


class UpstoxOrders:
    """The orders at Upstox of a partition's users."""

    def __init__(self, ledger: Ledger, *, new_id: Callable[[], str] | None = None) -> None:
        self._ledger = ledger
        self._new_id = new_id or self._random_id

    def intend(
        self,
        user_id: str,
        terms: Terms,
        instrument: OrderInstrument | None,
        *,
        reference_price: Decimal | None,
        is_sent_next: bool = True,
    ) -> Changed:
        """A new order; its id is the tag by which Upstox's books are searched.

        Without `is_sent_next`, `sending` must be stored before it is sent.
        """
        order_id, at_ms = self._new_id(), self._ledger.broker.time_ms
        events: list[OrderEvent] = [
            Intended(
                at_ms=at_ms, order_id=order_id, user_id=user_id, terms=terms,
                instrument=instrument, reference_price=reference_price,
            ),
        ]  # fmt: skip
        if is_sent_next:
            events.append(Sending(at_ms=at_ms))
        return self.change(user_id, order_id, events)

    def sending(self, order: Order) -> Changed:
        """An order that was stored before is sent next."""
        return self.change(
            order.user_id, order.order_id, [Sending(at_ms=self._ledger.broker.time_ms)]
        )

    def not_sent(self, order: Order, code: str, detail: str) -> Changed:
        """The order was stored, and is certain not to have been sent."""
        event = Refused(at_ms=self._ledger.broker.time_ms, code=code, detail=detail)
        return self.change(order.user_id, order.order_id, [event])

    def answered(self, order: Order, answer: answers.Answer) -> Changed:
        """Upstox's answer to a new order."""
        at_ms = self._ledger.broker.time_ms
        event: OrderEvent
        match answer:
            case answers.Taken(broker_order_id=broker_order_id):
                event = Accepted(at_ms=at_ms, broker_order_id=broker_order_id)
            case answers.Refused(code=code, detail=detail):
                event = Refused(at_ms=at_ms, code=code, detail=detail)
            case answers.Lost(detail=detail):
                event = AnswerLost(at_ms=at_ms, detail=detail)
        return self.change(order.user_id, order.order_id, [event])

    def command(self, order: Order, command_id: str, prices: Prices | None) -> Changed:
        """A modification or cancellation that is sent next."""
        event = CommandSending(
            at_ms=self._ledger.broker.time_ms, command_id=command_id, prices=prices
        )
        return self.change(order.user_id, order.order_id, [event])

    def command_answered(self, order: Order, command_id: str, answer: answers.Answer) -> Changed:
        """Upstox's answer to a modification or cancellation."""
        at_ms = self._ledger.broker.time_ms
        event: OrderEvent
        match answer:
            case answers.Taken():
                event = CommandAnswered(at_ms=at_ms, command_id=command_id)
            case answers.Refused(code=code, detail=detail):
                event = CommandAnswered(
                    at_ms=at_ms, command_id=command_id, code=code, detail=detail
                )
            case answers.Lost(detail=detail):
                event = CommandLost(at_ms=at_ms, command_id=command_id, detail=detail)
        return self.change(order.user_id, order.order_id, [event])

    def expire(self, order: Order) -> Changed:
        """The day of an order is over, and whether it was filled is not known."""
        log.warning(
            "order at Upstox has expired without news of its end; fills may be missing",
            user_id=order.user_id,
            order_id=order.order_id,
            state=order.state.value,
        )
        event = Expired(at_ms=self._ledger.broker.time_ms)
        return self.change(order.user_id, order.order_id, [event])

    def external(self, user_id: str, row: OrderRow) -> Changed | None:
        """An order that was placed elsewhere; None if the row lacks its terms."""
        prices = row.report.prices
        if prices is None:
            return None
        at_ms = self._ledger.broker.time_ms
        broker_order_id = row.report.broker_order_id
        order_id = f"{EXTERNAL_PREFIX}{broker_order_id}"
        terms = Terms(Account.UPSTOX, row.key, row.side, row.product, prices)
        events: list[OrderEvent] = [
            Intended(
                at_ms=at_ms, order_id=order_id, user_id=user_id, terms=terms, is_external=True
            ),
            Accepted(at_ms=at_ms, broker_order_id=broker_order_id),
        ]
        return self.change(user_id, order_id, events)

    def take_over(self, user_id: str) -> list[Record]:
        """Answers that an earlier owner did not receive are lost; what it had not sent never is."""
        at_ms = self._ledger.broker.time_ms
        records: list[Record] = []
        for order in list(self._ledger.account(user_id).orders.values()):
            if order.terms.account is not Account.UPSTOX:
                continue
            events: list[OrderEvent] = []
            if order.local is LocalState.INTENT:
                events.append(Refused(at_ms=at_ms, code=NOT_SENT, detail=OWNER_ENDED_BEFORE))
            if order.local is LocalState.SENDING:
                events.append(AnswerLost(at_ms=at_ms, detail=OWNER_ENDED))
            pending = order.pending
            if pending is not None and not (pending.is_lost or pending.is_taken):
                events.append(
                    CommandLost(at_ms=at_ms, command_id=pending.command_id, detail=OWNER_ENDED)
                )
            records += self.change(user_id, order.order_id, events)[0] if events else []
        return records

    def change(self, user_id: str, order_id: str, events: Sequence[OrderEvent]) -> Changed:
        """Apply events to an order."""
        account = self._ledger.account(user_id)
        records = [
            self._ledger.record(user_id, OrderChanged(order_id=order_id, event=event))
            for event in events
        ]
        return records, account.orders[order_id]

    def _random_id(self) -> str:
        day = ist_date(self._ledger.broker.time_ms)
        return f"{day:%y%m%d}-{secrets.token_hex(6)}"
