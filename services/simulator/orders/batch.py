"""Many orders in one call: what of them went well, and what went wrong with the rest.

PURE. A batch whose form is wrong places nothing; then each order stands for itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from services.simulator.orders.bodies import Body
from services.simulator.orders.order import Side
from services.simulator.orders.refused import (
    EMPTY_BATCH,
    LONG_CORRELATION_ID,
    NO_CORRELATION_ID,
    SAME_CORRELATION_ID,
    TOO_MANY_ORDERS,
    OrderRefused,
)

R = TypeVar("R")

MAX_ORDERS: Final = 10
MAX_CORRELATION_ID: Final = 20


@dataclass(slots=True)
class Outcome:
    """Rows as Upstox tells them; `payload_errors` are orders that could not be read."""

    done: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    payload_errors: int = 0

    @property
    def status(self) -> str:
        """``success``, ``partial_success`` or ``error``."""
        if not self.errors:
            return "success"
        return "partial_success" if self.done else "error"

    def fail(self, refused: OrderRefused, **of: str) -> None:
        """One order was refused; `of` names it."""
        self.errors.append(
            {
                "error_code": refused.code,
                "message": refused.message,
                "property_path": refused.path,
                "invalid_value": refused.value,
                **of,
            }
        )

    def summary(self) -> dict[str, int]:
        """The counts of cancel-multi and exit."""
        return {"total": self.total, "success": len(self.done), "error": len(self.errors)}


def place_all(
    bodies: Sequence[Body],
    read: Callable[[Body], R],
    place: Callable[[R], Sequence[str]],
) -> Outcome:
    """Place what is read, BUYs first; `place` gives the order ids, several if it is sliced.

    Raises OrderRefused if the batch itself is wrong.
    """
    check_batch(bodies)
    outcome = Outcome(total=len(bodies))
    for body in sorted(bodies, key=lambda body: body.get("transaction_type") != Side.BUY):
        correlation_id = body["correlation_id"]
        try:
            wanted = read(body)
        except OrderRefused as refused:
            outcome.payload_errors += 1
            outcome.fail(refused, correlation_id=correlation_id)
            continue
        try:
            order_ids = place(wanted)
        except OrderRefused as refused:
            outcome.fail(refused, correlation_id=correlation_id)
        else:
            outcome.done += [
                {"correlation_id": correlation_id, "order_id": order_id} for order_id in order_ids
            ]
    return outcome


def check_batch(bodies: Sequence[Body]) -> None:
    """Raise OrderRefused if the batch is empty, too long, or its correlation ids are wrong."""
    if not bodies:
        raise OrderRefused(EMPTY_BATCH, "There is no order in the request")
    if len(bodies) > MAX_ORDERS:
        raise OrderRefused(TOO_MANY_ORDERS, f"At most {MAX_ORDERS} orders may be placed at once")
    seen = set()
    for body in bodies:
        correlation_id = body.get("correlation_id")
        if not isinstance(correlation_id, str) or not correlation_id:
            raise OrderRefused(
                NO_CORRELATION_ID, "Each order needs a correlation_id", path="correlation_id"
            )
        if len(correlation_id) > MAX_CORRELATION_ID:
            raise OrderRefused(
                LONG_CORRELATION_ID,
                f"A correlation_id has at most {MAX_CORRELATION_ID} characters",
                path="correlation_id",
                value=correlation_id,
            )
        if correlation_id in seen:
            raise OrderRefused(
                SAME_CORRELATION_ID,
                "Each correlation_id must be unique",
                path="correlation_id",
                value=correlation_id,
            )
        seen.add(correlation_id)
