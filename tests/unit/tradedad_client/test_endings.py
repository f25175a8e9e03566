"""Each close code has one meaning: in vain, or worth another attempt."""

import pytest

from services.gateway.stream.protocol import CloseCode as GatewaysCode
from tradedad_client.endings import CloseCode, ending, refused_handshake
from tradedad_client.errors import (
    NotUnderstood,
    Refused,
    Revoked,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from tradedad_client.wire import Problem

MEANINGS = {
    1009: NotUnderstood,
    1012: Unavailable,
    4400: NotUnderstood,
    4401: Unauthenticated,
    4403: Revoked,
    4408: Unavailable,
    4429: TooMany,
}


def test_every_close_code_of_the_gateway_is_known() -> None:
    assert {(code.name, code.value) for code in CloseCode} == {
        (code.name, code.value) for code in GatewaysCode
    }
    assert MEANINGS.keys() == set(map(int, GatewaysCode))


@pytest.mark.parametrize(("code", "kind"), MEANINGS.items())
def test_a_close_code_means_what_the_document_says(code: int, kind: type[Exception]) -> None:
    problem = Problem(code="revoked", detail="the session was ended")
    failure = ending(code, problem)
    assert type(failure) is kind
    assert "the session was ended" in str(failure)
    if isinstance(failure, Refused):
        assert failure.code == "revoked"


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1011])
def test_what_the_network_does_is_worth_another_attempt(code: int | None) -> None:
    assert type(ending(code, None)) is Unavailable


def test_all_clients_of_a_gateway_that_goes_away_spread_out() -> None:
    gone = ending(1012, None)
    assert isinstance(gone, Unavailable)
    assert gone.spread_secs > 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Unavailable), (503, Unavailable), (500, Unavailable), (403, Refused), (404, Refused)],
)
def test_a_refused_handshake_is_in_vain_unless_it_asks_to_come_back(
    status: int, kind: type[Exception]
) -> None:
    failure = refused_handshake(status, 3.0)
    assert type(failure) is kind
    if isinstance(failure, Unavailable):
        assert failure.retry_after_secs == 3.0
