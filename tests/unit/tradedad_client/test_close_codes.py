"""Each close code maps to one error: final, or temporary."""

import pytest

from services.gateway.stream.protocol import CloseCode as GatewayCloseCode
from tradedad_client.close_codes import CloseCode, error_for_close, error_for_handshake
from tradedad_client.errors import (
    NotUnderstood,
    Refused,
    Revoked,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from tradedad_client.wire import ErrorMessage

ERRORS = {
    1009: NotUnderstood,
    1012: Unavailable,
    4400: NotUnderstood,
    4401: Unauthenticated,
    4403: Revoked,
    4408: Unavailable,
    4429: TooMany,
}


def test_the_close_codes_are_those_of_the_gateway() -> None:
    assert {(code.name, code.value) for code in CloseCode} == {
        (code.name, code.value) for code in GatewayCloseCode
    }
    assert ERRORS.keys() == set(map(int, GatewayCloseCode))


@pytest.mark.parametrize(("code", "kind"), ERRORS.items())
def test_a_close_code_maps_to_its_error(code: int, kind: type[Exception]) -> None:
    message = ErrorMessage(code="revoked", detail="the session was ended")
    error = error_for_close(code, message)
    assert type(error) is kind
    assert "the session was ended" in str(error)
    if isinstance(error, Refused):
        assert error.code == "revoked"


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1011])
def test_other_close_codes_are_temporary(code: int | None) -> None:
    assert type(error_for_close(code, None)) is Unavailable


def test_reconnects_after_a_restart_of_the_gateway_are_spread() -> None:
    error = error_for_close(1012, None)
    assert isinstance(error, Unavailable)
    assert error.spread_secs > 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Unavailable), (503, Unavailable), (500, Unavailable), (403, Refused), (404, Refused)],
)
def test_a_refused_handshake_is_final_unless_its_status_is_temporary(
    status: int, kind: type[Exception]
) -> None:
    error = error_for_handshake(status, 3.0)
    assert type(error) is kind
    if isinstance(error, Unavailable):
        assert error.retry_after_secs == 3.0
