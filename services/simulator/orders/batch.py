"""Multi-order requests: places the orders of a batch and collects the results.

An invalid batch places no order. In a valid batch each order succeeds or fails on its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.orders.bodies import Body
from services.simulator.orders.order import Side

R = TypeVar("R")

MAX_ORDERS: Final = 10
MAX_CORRELATION_ID: Final = 20


@dataclass(slots=True)
class BatchResult:
    """Result rows in Upstox's form; `payload_errors` counts the bodies that are invalid."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    payload_errors: int = 0

    @property
    def status(self) -> str:
        """``success``, ``partial_success`` or ``error``."""
        if not self.errors:
            return "success"
        return "partial_success" if self.rows else "error"

    def fail(self, error: ApiError, **identifiers: str) -> None:
        """Add the error of one order; `identifiers` are the fields that identify the order."""
        self.errors.append(
            {
                "error_code": error.code,
                "message": error.message,
                "property_path": error.path,
                "invalid_value": error.value,
                **identifiers,
            }
        )

    def summary(self) -> dict[str, int]:
        """The counts in the answers of cancel-multi and exit."""
        return {"total": self.total, "success": len(self.rows), "error": len(self.errors)}


def place_batch(
    bodies: Sequence[Body],
    parse: Callable[[Body], R],
    place: Callable[[R], Sequence[str]],
) -> BatchResult:
    """Parse and place each order, BUY orders first.

    `place` returns the order ids, several for a sliced order. Raises ApiError if the batch is
    invalid.
    """
    check_batch(bodies)
    result = BatchResult(total=len(bodies))
    for body in sorted(bodies, key=lambda body: body.get("transaction_type") != Side.BUY):
        correlation_id = body["correlation_id"]
        try:
            request = parse(body)
        except ApiError as error:
            result.payload_errors += 1
            result.fail(error, correlation_id=correlation_id)
            continue
        try:
            order_ids = place(request)
        except ApiError as error:
            result.fail(error, correlation_id=correlation_id)
        else:
            result.rows += [
                {"correlation_id": correlation_id, "order_id": order_id} for order_id in order_ids
            ]
    return result


def check_batch(bodies: Sequence[Body]) -> None:
    """Raise ApiError if the batch is empty or too long, or a correlation id is invalid."""
    if not bodies:
        raise ApiError(ErrorCode.EMPTY_BATCH, "There is no order in the request")
    if len(bodies) > MAX_ORDERS:
        raise ApiError(
            ErrorCode.TOO_MANY_ORDERS, f"At most {MAX_ORDERS} orders may be placed at once"
        )
    seen = set()
    for body in bodies:
        correlation_id = body.get("correlation_id")
        if not isinstance(correlation_id, str) or not correlation_id:
            raise ApiError(
                ErrorCode.MISSING_CORRELATION_ID,
                "Each order needs a correlation_id",
                path="correlation_id",
            )
        if len(correlation_id) > MAX_CORRELATION_ID:
            raise ApiError(
                ErrorCode.CORRELATION_ID_TOO_LONG,
                f"A correlation_id has at most {MAX_CORRELATION_ID} characters",
                path="correlation_id",
                value=correlation_id,
            )
        if correlation_id in seen:
            raise ApiError(
                ErrorCode.DUPLICATE_CORRELATION_ID,
                "Each correlation_id must be unique",
                path="correlation_id",
                value=correlation_id,
            )
        seen.add(correlation_id)
