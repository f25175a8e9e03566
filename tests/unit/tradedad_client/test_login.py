"""A login session is renewed with refresh tokens, each of which is sent once or repeated soon."""

from typing import Any

import aiohttp
import pytest

from services.auth.settings import AuthSettings
from tradedad_client import login
from tradedad_client.errors import Refused, Unauthenticated, Unavailable

SECS = 600.0


class Clock:
    """Replaces `time` in the module under test."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class ScriptedTokenSource(login.PasswordTokenSource):
    """Takes auth's answers from a list and records the requests."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(None, "http://auth", "ann@example.com", "secret")  # type: ignore[arg-type]
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self._answers = iter(answers)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        self.requests.append((path, body))
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def paths(self) -> list[str]:
        return [path.removeprefix("/auth/") for path, _ in self.requests]


def tokens(number: int, session: str = "s1", device: str | None = None) -> Any:
    return login._TokenResponse(f"access{number}", SECS, session, f"refresh{number}", device)


def refusal(status: int, code: str = "", retry_after_secs: float | None = None) -> Exception:
    problem = login._ProblemDocument(code=code)
    return login._AuthError("/auth/x", status, problem, retry_after_secs)


def not_sent() -> Exception:
    key: Any = type("Key", (), {"ssl": False, "host": "auth", "port": 80})
    return aiohttp.ClientConnectorError(key, OSError("refused"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(login, "time", clock)
    return clock


async def test_a_token_is_reused_and_then_refreshed_before_it_expires(clock: Clock) -> None:
    source = ScriptedTokenSource(tokens(1), tokens(2))
    first = await source.token()
    assert await source.token() is first
    clock.now += 0.71 * SECS
    second = await source.token()
    assert (second.text, second.session_id) == ("access2", "s1")
    assert source.requests[1] == ("/auth/refresh", {"refresh_token": "refresh1"})


async def test_a_refused_token_is_not_returned_again(clock: Clock) -> None:
    source = ScriptedTokenSource(tokens(1), tokens(2))
    first = await source.token()
    assert (await source.token(newer_than=first)).text == "access2"
    assert (await source.token(newer_than=first)).text == "access2"


async def test_a_refused_refresh_is_followed_by_a_login_with_the_device_token(
    clock: Clock,
) -> None:
    source = ScriptedTokenSource(tokens(1, device="d1"), refusal(401, "revoked"), tokens(2, "s2"))
    first = await source.token()
    assert (await source.token(newer_than=first)).session_id == "s2"
    assert source.paths == ["login", "refresh", "login"]
    assert source.requests[2][1]["device_token"] == "d1"


async def test_a_refresh_without_an_answer_is_repeated_only_while_auth_accepts_it_again(
    clock: Clock,
) -> None:
    source = ScriptedTokenSource(tokens(1), TimeoutError(), TimeoutError(), tokens(2, "s2"))
    first = await source.token()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await source.token(newer_than=first)
        clock.now += 24.5
    assert source.paths == ["login", "refresh", "refresh"]
    assert (await source.token(newer_than=first)).session_id == "s2"
    assert source.paths[-1] == "login", "a late refresh token would end the session"


def test_a_refresh_is_repeated_no_longer_than_auth_answers_it_again() -> None:
    grace_secs = AuthSettings.model_fields["refresh_grace_secs"].default
    assert login._TIMEOUT.total is not None
    assert login._REFRESH_RETRY_SECS + login._TIMEOUT.total < grace_secs


async def test_a_refresh_token_that_was_not_sent_is_kept_during_an_outage_of_auth(
    clock: Clock,
) -> None:
    source = ScriptedTokenSource(tokens(1), not_sent(), not_sent(), tokens(2))
    first = await source.token()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await source.token(newer_than=first)
        clock.now += 60
    assert (await source.token(newer_than=first)).text == "access2"
    assert source.paths == ["login", "refresh", "refresh", "refresh"]


async def test_the_token_is_used_until_it_expires_during_an_outage_of_auth(clock: Clock) -> None:
    source = ScriptedTokenSource(tokens(1), not_sent(), not_sent())
    first = await source.token()
    clock.now += 0.8 * SECS
    assert await source.token() is first
    clock.now += 0.2 * SECS
    with pytest.raises(Unavailable):
        await source.token()


async def test_a_final_refusal_of_auth_has_its_error_code(clock: Clock) -> None:
    with pytest.raises(Unauthenticated) as raised:
        await ScriptedTokenSource(refusal(401, "bad_credentials")).token()
    assert raised.value.code == "bad_credentials"
    with pytest.raises(Unauthenticated) as raised:
        await ScriptedTokenSource(refusal(403, "account_disabled")).token()
    assert raised.value.code == "account_disabled"
    with pytest.raises(Refused):
        await ScriptedTokenSource(refusal(404)).token()


async def test_too_many_attempts_are_temporary_with_retry_after(clock: Clock) -> None:
    with pytest.raises(Unavailable) as raised:
        await ScriptedTokenSource(refusal(429, "too_many_attempts", 7.0)).token()
    assert raised.value.retry_after_secs == 7.0


def test_the_repr_contains_no_secret() -> None:
    assert "secret" not in repr(ScriptedTokenSource())
