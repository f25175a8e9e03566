"""An order: the fold of its events, and the state that follows from them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from services.trading.orders import events
from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.order_state import LocalState, OrderState
from services.trading.orders.pending_command import PendingCommand, have_same_terms
from shared.contracts.order_terms import Prices, Terms

_MAYBE_TAKEN_MOST: Final = 8
_ENDED: Final = {
    BrokerState.CANCELLED: OrderState.CANCELLED,
    BrokerState.EXPIRED: OrderState.EXPIRED,
    BrokerState.REJECTED: OrderState.REJECTED,
}


class Fill(msgspec.Struct, frozen=True):
    """One trade of an order."""

    quantity: int
    price: Decimal
    traded_at_ms: int


class Order(msgspec.Struct, frozen=True):
    """An immutable order; `apply` returns its successor."""

    order_id: str
    user_id: str
    terms: Terms
    created_at_ms: int
    is_external: bool = False
    """Whether the order was placed elsewhere."""
    local: LocalState = LocalState.INTENT
    broker_order_id: str | None = None
    report: BrokerReport | None = None
    """The report with the highest rank; None before the first."""
    priced_report: BrokerReport | None = None
    """The newest report that has terms."""
    fills: dict[str, Fill] = {}
    """By trade id."""
    pending: PendingCommand | None = None
    covered: PendingCommand | None = None
    """A modification whose effect was not known when the pending cancellation was sent."""
    taken_prices: Prices | None = None
    """Of the last modification that the broker took; None if there was none."""
    maybe_taken: tuple[Prices, ...] = ()
    """Of later modifications, oldest first, that were followed by another command before their
    effect was known."""
    is_expired: bool = False
    """Whether its day is over without news of its end."""
    code: str = ""
    detail: str = ""
    """The code and words of the last refusal or lost answer."""
    event_count: int = 1

    @property
    def prices(self) -> Prices:
        """The terms that are in force: the broker's if reported, else the last that were taken."""
        if self.priced_report is not None and self.priced_report.prices is not None:
            return self.priced_report.prices
        return self.taken_prices or self.terms.prices

    @property
    def largest_quantity(self) -> int:
        """The greatest quantity that may be in force: that of each modification in doubt counts."""
        asked = None if self.pending is None else self.pending.prices
        terms = [self.prices, *self.maybe_taken, *([] if asked is None else [asked])]
        return max(one.quantity for one in terms)

    @property
    def open_quantity(self) -> int:
        """The quantity that may still be filled, if the order has not ended."""
        return max(0, self.largest_quantity - self.filled_quantity)

    @property
    def filled_quantity(self) -> int:
        """Sum over all trades."""
        return sum(fill.quantity for fill in self.fills.values())

    @property
    def average_price(self) -> Decimal | None:
        """Exact average of all trades, in rupees; None without a trade."""
        if not self.fills:
            return None
        value = sum((fill.price * fill.quantity for fill in self.fills.values()), Decimal(0))
        return value / self.filled_quantity

    @property
    def state(self) -> OrderState:
        """The state that follows from trades, then reports, then answers."""
        filled = self.filled_quantity
        if filled and filled >= self._final_quantity:
            return OrderState.FILLED
        if self.report is not None:
            ended = _ENDED.get(self.report.state)
            if ended is OrderState.REJECTED and filled:
                return OrderState.CANCELLED
            if ended is not None:
                return ended
        if self.is_expired:
            return OrderState.EXPIRED
        if filled:
            return OrderState.PARTLY_FILLED
        if self.report is not None or self.local is LocalState.ACCEPTED:
            return OrderState.OPEN
        return _WITHOUT_REPORT[self.local]

    @property
    def _final_quantity(self) -> int:
        """The filled quantity at which nothing more can be filled."""
        if self.report is not None and self.report.state is BrokerState.COMPLETE:
            return self.prices.quantity
        return self.largest_quantity

    @property
    def lacks_trades(self) -> bool:
        """Whether the broker states that the order is complete, and trades are still missing."""
        return (
            self.report is not None
            and self.report.state is BrokerState.COMPLETE
            and self.filled_quantity < self.prices.quantity
            and not self.is_expired
        )

    @property
    def is_contradictory(self) -> bool:
        """Whether trades, reports and answers exclude each other: a person must look at it."""
        report = self.report
        was_refused = self.local is LocalState.REFUSED and (report is not None or self.fills)
        was_rejected = report is not None and report.state is BrokerState.REJECTED and self.fills
        return bool(was_refused or was_rejected or self.filled_quantity > self.largest_quantity)

    def apply(self, event: events.OrderEvent) -> "Order":
        """The order after one more event. Raises ValueError for a second `Intended`."""
        return msgspec.structs.replace(
            self, event_count=self.event_count + 1, **_changes(self, event)
        )


_WITHOUT_REPORT: Final = {
    LocalState.INTENT: OrderState.INTENT,
    LocalState.SENDING: OrderState.SENDING,
    LocalState.LOST: OrderState.UNKNOWN,
    LocalState.REFUSED: OrderState.REJECTED,
}


def _changes(order: Order, event: events.OrderEvent) -> dict[str, object]:
    match event:
        case events.Sending():
            return {"local": LocalState.SENDING}
        case events.Accepted() | events.Refused() | events.AnswerLost():
            return _answer_changes(order, event)
        case events.Reported(report=report):
            return _report_changes(order, report) | {"is_expired": False}
        case events.Expired():
            return {"is_expired": True}
        case events.Filled():
            fill = Fill(event.quantity, event.price, event.traded_at_ms)
            return {"fills": {event.trade_id: fill} | order.fills}
        case events.CommandSending():
            return _sending_changes(order, event)
        case events.CommandAnswered() | events.CommandLost() | events.CommandSettled():
            return _command_changes(order, event)
        case events.Intended():
            raise ValueError("an order is intended once")


def _answer_changes(
    order: Order, answer: events.Accepted | events.Refused | events.AnswerLost
) -> dict[str, object]:
    match answer:
        case events.Accepted(broker_order_id=broker_order_id):
            # A report may have come first. If Upstox carried the command out twice, that report
            # and its trades are of the other order: the order keeps to it.
            known = order.broker_order_id or broker_order_id
            return {"local": LocalState.ACCEPTED, "broker_order_id": known}
        case events.Refused(code=code, detail=detail):
            return {"local": LocalState.REFUSED, "code": code, "detail": detail}
        case events.AnswerLost(detail=detail):
            return {"local": LocalState.LOST, "detail": detail}


def _sending_changes(order: Order, event: events.CommandSending) -> dict[str, object]:
    changes: dict[str, object] = {"pending": PendingCommand(event.command_id, event.prices)}
    if order.pending is not None and order.pending.prices is not None:
        maybe = (*order.maybe_taken, order.pending.prices)
        changes["maybe_taken"] = maybe[-_MAYBE_TAKEN_MOST:]
        changes["covered"] = order.pending if event.prices is None else None
    return changes


def _report_changes(order: Order, report: BrokerReport) -> dict[str, object]:
    changes: dict[str, object] = {}
    if order.report is None or report.rank > order.report.rank:
        changes |= {"report": report, "broker_order_id": report.broker_order_id}
    newest = order.priced_report
    if report.prices is not None and (newest is None or _is_newer(report, newest, order)):
        changes["priced_report"] = report
        if order.pending is not None and order.pending.is_shown_by(report):
            changes |= _taken(order)
        elif order.covered is not None and order.covered.is_shown_by(report):
            changes |= {"covered": None, "maybe_taken": ()}
    elif report.is_not_modified and "report" in changes:
        changes |= _not_modified(order)
    return changes


def _taken(order: Order) -> dict[str, object]:
    """The pending modification is in force."""
    assert order.pending is not None
    return {"pending": None, "taken_prices": order.pending.prices, "maybe_taken": ()}


def _not_modified(order: Order) -> dict[str, object]:
    """The exchange refused a modification: the last one that was sent."""
    name = "pending" if order.covered is None else "covered"
    command = order.pending if order.covered is None else order.covered
    if command is None or command.prices is None:
        return {}
    if command.is_taken:
        return {name: None} | ({"maybe_taken": ()} if name == "covered" else {})
    return {name: msgspec.structs.replace(command, is_not_modified=True)}


def _is_newer(report: BrokerReport, newest: BrokerReport, order: Order) -> bool:
    """Whether the terms of a report are newer. Of one second, those that were sent last are."""
    if (report.at_ms, report.state) == (newest.at_ms, newest.state):
        places = [_place_of_sending(each, order) for each in (report, newest)]
        if places[0] != places[1]:
            return places[0] > places[1]
    return report.age > newest.age


def _place_of_sending(report: BrokerReport, order: Order) -> int:
    """A later modification has a greater number; -1 if none has the terms of the report."""
    told = report.prices
    pending = None if order.pending is None else order.pending.prices
    sent = (order.taken_prices, *order.maybe_taken, pending)
    places = [
        place
        for place, prices in enumerate(sent)
        if prices is not None and told is not None and have_same_terms(prices, told)
    ]
    return max(places, default=-1)


def _command_changes(
    order: Order, event: events.CommandAnswered | events.CommandLost | events.CommandSettled
) -> dict[str, object]:
    covered = order.covered
    if covered is not None and covered.command_id == event.command_id:
        return _covered_changes(order, covered, event)
    pending = order.pending
    if pending is None or pending.command_id != event.command_id:
        return {}  # an older command
    match event:
        case events.CommandLost():
            return {"pending": msgspec.structs.replace(pending, is_lost=True)}
        case events.CommandAnswered(code="") if pending.prices is not None:
            return _answered_changes(order, msgspec.structs.replace(pending, is_taken=True))
        case events.CommandSettled(has_effect=True) if pending.prices is not None:
            return _taken(order)
        case events.CommandSettled() if pending.prices is not None:
            return {"pending": None, "maybe_taken": ()}
        case events.CommandAnswered(code=code, detail=detail) if code:
            # The order goes on, and so does the modification before the cancellation.
            return {"pending": covered, "covered": None, "code": code, "detail": detail}
    return {"pending": covered, "covered": None}


def _covered_changes(
    order: Order,
    covered: PendingCommand,
    event: events.CommandAnswered | events.CommandLost | events.CommandSettled,
) -> dict[str, object]:
    """The modification before a pending cancellation is answered late."""
    match event:
        case events.CommandLost():
            return {"covered": msgspec.structs.replace(covered, is_lost=True)}
        case events.CommandAnswered(code="") if not covered.is_not_modified:
            covered = msgspec.structs.replace(covered, is_taken=True)
            if covered.is_shown_by(order.priced_report):
                return {"covered": None, "maybe_taken": ()}
            return {"covered": covered}
    return {"covered": None, "maybe_taken": ()}


def _answered_changes(order: Order, pending: PendingCommand) -> dict[str, object]:
    """The broker took a modification.

    It is in force once a report shows its terms. Without an earlier report of terms, nothing says
    otherwise.
    """
    order = msgspec.structs.replace(order, pending=pending)
    if order.priced_report is None or pending.is_shown_by(order.priced_report):
        return _taken(order)
    return {"pending": None if pending.is_not_modified else pending}


def fold(history: Iterable[events.OrderEvent]) -> Order:
    """The order of a whole history. Raises ValueError if it does not begin with `Intended`."""
    first, *rest = history
    if not isinstance(first, events.Intended):
        raise ValueError("the first event of an order is Intended")  # noqa: TRY004
    order = Order(
        first.order_id, first.user_id, first.terms, first.at_ms, is_external=first.is_external
    )
    for event in rest:
        order = order.apply(event)
    return order
