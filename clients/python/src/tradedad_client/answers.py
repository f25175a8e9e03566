"""Maps HTTP answers to results and errors, and to the effect on the command. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

import msgspec

from tradedad_client.errors import (
    BrokerRefused,
    NotFound,
    NotUnderstood,
    OrderFinal,
    OrderRefused,
    Refused,
    Revoked,
    Unauthenticated,
    Unavailable,
)
from tradedad_client.http_request import Request

T = TypeVar("T")

# What msgspec raises for bytes that are no JSON of a type.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Effect(Enum):
    """Effect of an attempt on its command."""

    ANSWERED = "answered"
    """The command was executed or refused, now or earlier, and this is its answer."""
    NOT_EXECUTED = "not executed"
    """This attempt did not execute the command; an earlier one may have."""
    UNKNOWN = "unknown"
    """This attempt may have executed the command."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed. `Unavailable` is temporary, other errors are final."""

    error: Exception
    effect: Effect


class _Problem(msgspec.Struct, frozen=True):
    code: str = ""
    detail: str = ""
    field: str | None = None
    rule: str | None = None
    limit: str | None = None
    value: str | None = None
    broker_code: str | None = None
    broker_detail: str | None = None


_REFUSALS: Final[dict[str, type[Refused]]] = {
    "unauthenticated": Unauthenticated,
    "token_expired": Unauthenticated,
    "revoked": Revoked,
    "not_found": NotFound,
    "order_final": OrderFinal,
}
_ANSWERS: Final = frozenset(
    ("order_refused", "broker_refused", "order_final", "idempotency_key_reused")
)
"""Codes that only the trading service gives."""
_REFUSED_IN_TIME: Final = frozenset(("rate_limited", "overloaded"))
"""Temporary codes of requests that were not executed."""


def read_answer(body: bytes, kind: type[T]) -> T | Failure:
    """Decode the body of a successful answer."""
    try:
        return msgspec.json.decode(body, type=kind)
    except _UNREADABLE as error:
        detail = f"Trade Dad's answer is not valid: {error}"
        return Failure(NotUnderstood(detail), Effect.UNKNOWN)


def failure_of_answer(
    request: Request, status: int, body: bytes, retry_after_secs: float | None
) -> Failure:
    """Return why a request failed that was answered with an error status."""
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except _UNREADABLE:
        problem = _Problem()  # not of Trade Dad: a proxy answered
    code = problem.code
    path = request.path.partition("?")[0]
    detail = problem.detail or f"{request.method} {path} was answered with HTTP {status}"
    if status >= 500 or status in (408, 425, 429) or code == "command_in_flight":
        error = Unavailable(detail, code=code, retry_after_secs=retry_after_secs)
        is_early = status == 429 or code in _REFUSED_IN_TIME
        return Failure(error, Effect.NOT_EXECUTED if is_early else Effect.UNKNOWN)
    return Failure(
        _refusal(status, problem, detail),
        Effect.ANSWERED if _is_of_trading(request, code) else Effect.NOT_EXECUTED,
    )


def _refusal(status: int, problem: _Problem, detail: str) -> Refused:
    code, field = problem.code, problem.field
    if code == "order_refused":
        return OrderRefused(
            detail,
            code=code,
            field=field,
            rule=problem.rule,
            limit=problem.limit,
            value=problem.value,
        )
    if code == "broker_refused":
        return BrokerRefused(
            detail,
            code=code,
            field=field,
            broker_code=problem.broker_code,
            broker_detail=problem.broker_detail,
        )
    kind = _REFUSALS.get(code, Unauthenticated if status == 401 else Refused)
    return kind(detail, code=code, field=field)


def _is_of_trading(request: Request, code: str) -> bool:
    # Commands by POST are about no order or position; `not_found` is then about their path.
    return code in _ANSWERS or (code == "not_found" and request.method != "POST")
