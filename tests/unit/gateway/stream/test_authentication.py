"""The cause with which a stream ends for want of a valid token."""

import asyncio
from typing import Any

import pytest

from services.gateway.settings import GatewaySettings
from services.gateway.stream import replies
from services.gateway.stream.authentication import StreamAuthentication
from services.gateway.stream.protocol import CloseCode
from services.gateway.stream.registry import StreamTermination
from shared.contracts.revocations import Revocations, SessionRevoked
from shared.errors import Code, Revoked, TokenExpired, Unauthenticated, Unavailable
from shared.web.verifier import Principal

NOW_SECS = 1_795_408_200


class StillClock:
    """Stands still."""

    def now_ms(self) -> int:
        return NOW_SECS * 1_000

    def now_us(self) -> int:
        return NOW_SECS * 1_000_000

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, secs: float) -> None:
        raise NotImplementedError


class FakeVerifier:
    """Answers every token with a principal or an error, or never."""

    def __init__(self, answer: Principal | Exception | None) -> None:
        self.answer = answer
        self.clock_fault: str | None = None

    async def verify(self, _: str) -> Principal:
        if self.answer is None:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


def principal(session_id: str = "s1", expires_in_secs: int = 600) -> Principal:
    return Principal(
        user_id="ann", session_id=session_id, token_id="t", roles=frozenset(),
        expires_at=NOW_SECS + expires_in_secs, issued_at=NOW_SECS,
    )  # fmt: skip


def authentication(verifier: Any, revocations: Revocations | None = None) -> StreamAuthentication:
    settings = GatewaySettings.model_validate({"nats_password": "x"})
    if revocations is None:
        revocations = Revocations(are_read=True)
    return StreamAuthentication(verifier, revocations, settings, StillClock(), 0.0)


def check_unavailable(result: object, detail: str) -> None:
    assert isinstance(result, StreamTermination)
    assert (result.close_code, result.code) == (CloseCode.RESTARTING, Code.UNAVAILABLE)
    assert detail in result.detail


def check_refused(result: object, code: Code, detail: str) -> None:
    assert isinstance(result, StreamTermination)
    assert (result.close_code, result.code) == (CloseCode.UNAUTHENTICATED, code)
    assert result.detail == detail


def test_a_stream_without_a_token_ends_with_4401() -> None:
    stream = authentication(FakeVerifier(None))
    assert stream.deadline == 5.0
    check_refused(stream.at_deadline(5.0), Code.UNAUTHENTICATED, "no token was sent in time")


async def test_a_first_token_that_cannot_be_verified_ends_the_stream_with_1012() -> None:
    stream = authentication(FakeVerifier(Unavailable("auth is away")))
    with pytest.raises(StreamTermination) as termination:
        await stream.verify("token")
    check_unavailable(termination.value, "auth is away")


async def test_a_token_whose_verification_takes_too_long_ends_the_stream_with_1012() -> None:
    stream = authentication(FakeVerifier(None))
    verifying = asyncio.create_task(stream.verify("token"))
    await asyncio.sleep(0)
    check_unavailable(stream.at_deadline(5.0), "the auth service does not answer")
    verifying.cancel()


async def test_a_stream_lasts_until_its_token_expires_and_is_warned_before() -> None:
    stream = authentication(FakeVerifier(principal()))
    reply = stream.accept(await stream.verify("token"), now=10.0)
    assert reply == replies.Authenticated("ann", NOW_SECS + 600)
    assert stream.deadline == 10.0 + 540.0
    assert stream.at_deadline(550.0) == replies.Expiring(NOW_SECS + 600)
    assert stream.deadline == 550.0 + 600.0
    check_refused(stream.at_deadline(1_150.0), Code.TOKEN_EXPIRED, "the token has expired")


async def test_a_renewal_that_cannot_be_verified_keeps_the_stream_and_ends_it_with_1012() -> None:
    verifier = FakeVerifier(principal())
    stream = authentication(verifier)
    stream.accept(await stream.verify("token"), now=0.0)
    verifier.answer = Unavailable("auth is away")
    with pytest.raises(Unavailable):
        await stream.verify("newer")
    assert isinstance(stream.at_deadline(540.0), replies.Expiring)
    check_unavailable(stream.at_deadline(600.0), "auth is away")
    verifier.answer = principal()
    stream.accept(await stream.verify("newer"), now=600.0)
    assert isinstance(stream.at_deadline(1_140.0), replies.Expiring)
    check_refused(stream.at_deadline(1_200.0), Code.TOKEN_EXPIRED, "the token has expired")


async def test_a_token_that_only_a_wrong_clock_lets_expire_ends_the_stream_with_1012() -> None:
    verifier = FakeVerifier(principal())
    stream = authentication(verifier)
    stream.accept(await stream.verify("token"), now=0.0)
    stream.at_deadline(540.0)
    verifier.clock_fault = "the clock is wrong"
    check_unavailable(stream.at_deadline(600.0), "the clock is wrong")


async def test_a_token_that_is_refused_is_no_token_that_cannot_be_verified() -> None:
    verifier = FakeVerifier(principal("s2"))
    stream = authentication(verifier)
    stream.accept(principal("s1"), now=0.0)
    with pytest.raises(Unauthenticated, match="another session"):
        await stream.verify("token")
    verifier.answer = principal("s1", expires_in_secs=0)
    with pytest.raises(TokenExpired):
        await stream.verify("token")


async def test_a_token_of_a_revoked_session_is_refused() -> None:
    revocations = Revocations(are_read=True)
    revocations.add(SessionRevoked(session_id="s1", until=NOW_SECS + 900))
    with pytest.raises(Revoked):
        await authentication(FakeVerifier(principal()), revocations).verify("token")


async def test_no_token_is_accepted_before_ended_sessions_are_known() -> None:
    stream = authentication(FakeVerifier(principal()), Revocations())
    with pytest.raises(StreamTermination) as ended:
        await stream.verify("token")
    check_unavailable(ended.value, "have not been read")


@pytest.mark.parametrize(
    ("issued_before", "is_ended"), [(None, True), (NOW_SECS - 1, False), (NOW_SECS, True)]
)
def test_a_revocation_ends_a_stream_whose_token_it_concerns(
    issued_before: int | None, is_ended: bool
) -> None:
    stream = authentication(FakeVerifier(None))
    assert not stream.is_ended_by(issued_before)
    stream.accept(principal(), 0.0)
    assert stream.is_ended_by(issued_before) is is_ended


def test_a_renewed_token_is_warned_of_again() -> None:
    stream = authentication(FakeVerifier(None))
    stream.accept(principal(), 0.0)
    stream.at_deadline(540.0)
    stream.accept(principal(), 550.0)
    assert stream.deadline == 550.0 + 540.0
    assert isinstance(stream.at_deadline(1_090.0), replies.Expiring)


def test_a_token_that_expires_soon_is_warned_of_at_once() -> None:
    stream = authentication(FakeVerifier(None))
    stream.accept(principal(expires_in_secs=10), 100.0)
    assert stream.deadline == 100.0
    assert isinstance(stream.at_deadline(100.0), replies.Expiring)
    assert stream.deadline == 110.0
