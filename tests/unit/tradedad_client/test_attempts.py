"""A request is repeated after temporary failures, and ends with the right error."""

import pytest

from tradedad_client.answers import Effect, Failure
from tradedad_client.attempts import Attempts
from tradedad_client.backoff import Backoff
from tradedad_client.errors import (
    ClientError,
    OrderRefused,
    OutcomeUnknown,
    Refused,
    Unauthenticated,
    Unavailable,
)

LOST = Failure(Unavailable("no answer"), Effect.UNKNOWN)
UNSENT = Failure(Unavailable("not reached"), Effect.NOT_EXECUTED)
REFUSED = Failure(OrderRefused("no", code="order_refused"), Effect.ANSWERED)
NO_TOKEN = Failure(Unauthenticated("revoked"), Effect.NOT_EXECUTED)
INVALID = Failure(Refused("no such field"), Effect.NOT_EXECUTED)


def attempts(command_key: str | None = "c-1") -> Attempts:
    """Attempts until 10 s, with pauses of 1, 2 and 4 s."""
    return Attempts(command_key, 10.0, Backoff(1.0, 4.0, lambda _, upper: upper))


def end(*failures: Failure, command_key: str | None = "c-1", now: float = 0.0) -> ClientError:
    """The error that ends a request after these failures."""
    tried = attempts(command_key)
    for failure in failures[:-1]:
        tried.pause_secs(failure, 0.0)
    with pytest.raises(ClientError) as raised:
        tried.pause_secs(failures[-1], now)
    return raised.value


def test_pauses_grow_while_the_deadline_allows_another_attempt() -> None:
    tried = attempts()
    assert [tried.pause_secs(LOST, now) for now in (0.0, 1.0, 5.9)] == [1.0, 2.0, 4.0]
    with pytest.raises(OutcomeUnknown):
        tried.pause_secs(LOST, 6.0)


def test_an_answer_ends_a_command_also_after_a_lost_one() -> None:
    assert end(LOST, REFUSED) is REFUSED.error


@pytest.mark.parametrize("last", [LOST, UNSENT, NO_TOKEN, INVALID], ids=lambda one: str(one.error))
def test_after_a_lost_answer_only_an_answer_makes_the_outcome_known(last: Failure) -> None:
    error = end(LOST, last, now=9.9)
    assert isinstance(error, OutcomeUnknown)
    assert error.command_key == "c-1"
    assert error.__cause__ is last.error


@pytest.mark.parametrize("last", [UNSENT, NO_TOKEN, INVALID], ids=lambda one: str(one.error))
def test_a_command_that_was_never_sent_was_not_executed(last: Failure) -> None:
    assert end(UNSENT, last, now=9.9) is last.error


def test_a_query_has_no_unknown_outcome() -> None:
    assert end(LOST, LOST, command_key=None, now=9.9) is LOST.error


def test_a_pause_that_the_server_requests_beyond_the_deadline_ends_the_request() -> None:
    limited = Failure(Unavailable("slow down", retry_after_secs=60.0), Effect.NOT_EXECUTED)
    assert end(limited) is limited.error
    soon = Failure(Unavailable("slow down", retry_after_secs=3.0), Effect.NOT_EXECUTED)
    assert attempts().pause_secs(soon, 0.0) == 4.0


def test_a_request_that_is_not_repeatable_is_sent_again_only_if_it_was_not_executed() -> None:
    tried = Attempts(None, 10.0, Backoff(1.0, 4.0, lambda _, upper: upper), is_repeatable=False)
    assert tried.pause_secs(UNSENT, 0.0) == 1.0
    with pytest.raises(Unavailable, match="no answer"):
        tried.pause_secs(LOST, 1.0)
