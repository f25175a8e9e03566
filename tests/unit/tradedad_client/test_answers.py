"""An answer is mapped to an error, and to whether its command was executed."""

from typing import Any

import msgspec
import pytest

from tradedad_client.answers import Effect, Failure, failure_of_answer, read_answer
from tradedad_client.errors import (
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
from tradedad_client.trading_messages import KillSwitch

PLACE = Request("POST", "/v1/orders", b"{}", "c-1")
CANCEL = Request("DELETE", "/v1/orders/o-1", None, "c-1")


def failure(status: int, request: Request = PLACE, **problem: Any) -> Failure:
    return failure_of_answer(request, status, msgspec.json.encode(problem), None)


@pytest.mark.parametrize(
    ("status", "code", "kind", "effect"),
    [
        (400, "idempotency_key_missing", Refused, Effect.NOT_EXECUTED),
        (401, "token_expired", Unauthenticated, Effect.NOT_EXECUTED),
        (401, "unauthenticated", Unauthenticated, Effect.NOT_EXECUTED),
        (401, "revoked", Revoked, Effect.NOT_EXECUTED),
        (403, "forbidden", Refused, Effect.NOT_EXECUTED),
        (409, "order_final", OrderFinal, Effect.ANSWERED),
        (409, "command_in_flight", Unavailable, Effect.UNKNOWN),
        (422, "order_refused", OrderRefused, Effect.ANSWERED),
        (422, "idempotency_key_reused", Refused, Effect.ANSWERED),
        (422, "invalid_field", Refused, Effect.NOT_EXECUTED),
        (429, "rate_limited", Unavailable, Effect.NOT_EXECUTED),
        (500, "internal", Unavailable, Effect.UNKNOWN),
        (502, "", Unavailable, Effect.UNKNOWN),
        (503, "overloaded", Unavailable, Effect.NOT_EXECUTED),
        (503, "unavailable", Unavailable, Effect.UNKNOWN),
        (504, "timed_out", Unavailable, Effect.UNKNOWN),
    ],
)
def test_each_code_has_an_error_and_an_effect(
    status: int, code: str, kind: type[Exception], effect: Effect
) -> None:
    failed = failure(status, code=code, detail="why")
    assert (type(failed.error), failed.effect) == (kind, effect)
    assert isinstance(failed.error, Refused | Unavailable)
    assert failed.error.code == code


def test_only_a_missing_order_answers_a_command() -> None:
    missing = failure(404, CANCEL, code="not_found", detail="there is no order o-1")
    assert (type(missing.error), missing.effect) == (NotFound, Effect.ANSWERED)
    no_such_path = failure(404, PLACE, code="not_found", detail="no such path")
    assert no_such_path.effect is Effect.NOT_EXECUTED


def test_a_refusal_has_rule_limit_and_value() -> None:
    problem: dict[str, Any] = {"code": "order_refused", "detail": "above the freeze quantity", "field": "quantity",
               "rule": "freeze", "limit": "1800", "value": "2000"}  # fmt: skip
    error = failure(422, **problem).error
    assert isinstance(error, OrderRefused)
    assert {name: getattr(error, name) for name in problem} == problem


def test_the_answer_of_a_proxy_is_no_answer_to_a_command() -> None:
    for status in (301, 404, 405):
        failed = failure_of_answer(CANCEL, status, b"<html>", None)
        assert (type(failed.error), failed.effect) == (Refused, Effect.NOT_EXECUTED)
        assert f"DELETE /v1/orders/o-1 was answered with HTTP {status}" in str(failed.error)
    late = failure_of_answer(CANCEL, 503, b"", 7.0)
    assert isinstance(late.error, Unavailable)
    assert (late.error.retry_after_secs, late.effect) == (7.0, Effect.UNKNOWN)


def test_an_answer_is_decoded_or_its_command_may_have_been_executed() -> None:
    assert read_answer(b'{"is_on":true,"new_field":1}', KillSwitch) == KillSwitch(is_on=True)
    for body in (b"<html>", b"{}", b"\xff"):
        failed = read_answer(body, KillSwitch)
        assert isinstance(failed, Failure)
        assert (type(failed.error), failed.effect) == (NotUnderstood, Effect.UNKNOWN)
