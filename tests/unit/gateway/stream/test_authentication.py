"""The validity of a stream's token, with a wall clock that the test sets."""

from typing import Final

import pytest

from services.gateway.stream.authentication import ExpiryWarning, StreamAuthentication
from shared.contracts.revocations import Revocations, SessionRevoked, UserRevoked
from shared.errors import Code, Unauthenticated
from shared.runtime.clock import SystemClock
from shared.web.verifier import Principal

ISSUED: Final = 1_000_000
"""Unix seconds."""
VALID_SECS: Final = 600
WARNING_SECS: Final = 60.0


class SetClock(SystemClock):
    """Shows the time that the test sets."""

    def __init__(self) -> None:
        self.unix_secs: float = ISSUED

    def now_ms(self) -> int:
        return int(self.unix_secs * 1_000)


def principal(session_id: str = "session-1", issued_at: int = ISSUED) -> Principal:
    return Principal(
        user_id="user-1",
        session_id=session_id,
        token_id="token-1",
        roles=frozenset(),
        expires_at=issued_at + VALID_SECS,
        issued_at=issued_at,
    )


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def revocations() -> Revocations:
    return Revocations()


@pytest.fixture
def authentication(clock: SetClock, revocations: Revocations) -> StreamAuthentication:
    return StreamAuthentication(revocations, clock, warning_secs=WARNING_SECS)


def refusal(authentication: StreamAuthentication, presented: Principal) -> tuple[Code, str]:
    with pytest.raises(Unauthenticated) as refused:
        authentication.check(presented)
    return refused.value.code, refused.value.detail


def end(authentication: StreamAuthentication, now: float) -> tuple[Code, str]:
    with pytest.raises(Unauthenticated) as ended:
        authentication.on_deadline(now)
    return ended.value.code, ended.value.detail


def test_a_valid_token_starts_a_stream(authentication: StreamAuthentication) -> None:
    authentication.check(principal())
    assert authentication.principal is None
    authentication.accept(principal(), 0.0)
    assert authentication.principal == principal()


@pytest.mark.parametrize("late_secs", [0.0, 3.0])
def test_an_expired_token_is_refused(
    authentication: StreamAuthentication, clock: SetClock, late_secs: float
) -> None:
    clock.unix_secs = ISSUED + VALID_SECS + late_secs
    assert refusal(authentication, principal()) == (
        Code.TOKEN_EXPIRED, "the token has expired",
    )  # fmt: skip


def test_a_revoked_token_is_refused_as_revoked_even_after_its_expiry(
    authentication: StreamAuthentication, clock: SetClock, revocations: Revocations
) -> None:
    revocations.add(SessionRevoked(session_id="session-1", until=ISSUED + 900))
    clock.unix_secs = ISSUED + VALID_SECS
    assert refusal(authentication, principal()) == (Code.REVOKED, "the session was ended")
    authentication.check(principal("session-2", ISSUED + 1))


def test_a_revocation_of_the_user_concerns_tokens_issued_until_then(
    authentication: StreamAuthentication, revocations: Revocations
) -> None:
    revocations.add(UserRevoked(user_id="user-1", before=ISSUED, until=ISSUED + 900))
    assert refusal(authentication, principal())[0] is Code.REVOKED
    authentication.check(principal(issued_at=ISSUED + 1))


def test_a_token_of_another_session_does_not_renew_a_stream(
    authentication: StreamAuthentication,
) -> None:
    authentication.accept(principal(), 0.0)
    authentication.check(principal(issued_at=ISSUED + 1))
    assert refusal(authentication, principal("session-2")) == (
        Code.UNAUTHENTICATED, "the token belongs to another session than this stream",
    )  # fmt: skip


def test_a_stream_without_a_token_ends_at_its_deadline(
    authentication: StreamAuthentication,
) -> None:
    assert end(authentication, 5.0) == (Code.UNAUTHENTICATED, "no token was sent in time")


def test_a_token_is_warned_of_once_and_then_ends_the_stream(
    authentication: StreamAuthentication, clock: SetClock
) -> None:
    assert authentication.accept(principal(), 100.0) == 100.0 + VALID_SECS - WARNING_SECS
    clock.unix_secs = ISSUED + VALID_SECS - 50.0  # the registry calls late
    assert authentication.on_deadline(650.0) == ExpiryWarning(ISSUED + VALID_SECS, 700.0)
    assert end(authentication, 700.0) == (Code.TOKEN_EXPIRED, "the token has expired")


def test_a_token_that_expires_soon_is_warned_of_at_once(
    authentication: StreamAuthentication, clock: SetClock
) -> None:
    clock.unix_secs = ISSUED + VALID_SECS - 10.0
    assert authentication.accept(principal(), 100.0) == 100.0
    assert authentication.on_deadline(100.0).deadline == 110.0


def test_a_renewed_token_is_warned_of_again(
    authentication: StreamAuthentication, clock: SetClock
) -> None:
    authentication.accept(principal(), 0.0)
    clock.unix_secs = ISSUED + VALID_SECS - WARNING_SECS
    authentication.on_deadline(540.0)
    renewal = principal(issued_at=ISSUED + 550)
    clock.unix_secs = ISSUED + 550
    assert authentication.accept(renewal, 550.0) == 550.0 + VALID_SECS - WARNING_SECS
    clock.unix_secs = renewal.expires_at - WARNING_SECS
    assert authentication.on_deadline(1_090.0) == ExpiryWarning(renewal.expires_at, 1_150.0)


@pytest.mark.parametrize(
    ("issued_before", "is_ended"), [(None, True), (ISSUED - 1, False), (ISSUED, True)]
)
def test_a_revocation_ends_a_stream_whose_token_it_concerns(
    authentication: StreamAuthentication, issued_before: int | None, is_ended: bool
) -> None:
    assert not authentication.is_ended_by(issued_before)
    authentication.accept(principal(), 0.0)
    assert authentication.is_ended_by(issued_before) is is_ended
