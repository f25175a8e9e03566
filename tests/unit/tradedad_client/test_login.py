"""A session is kept up by refresh tokens, each shown once, or again while auth still answers it."""

from typing import Any

import aiohttp
import pytest

from tradedad_client import login
from tradedad_client.errors import Refused, Unauthenticated, Unavailable

SECS = 600.0


class Clock:
    """What `time.monotonic` says."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class ScriptedLogin(login.Login):
    """Auth's answers come from a list; what was asked is kept."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(None, "http://auth", "ann@example.com", "secret")  # type: ignore[arg-type]
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._answers = iter(answers)

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        self.asked.append((path, body))
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def paths(self) -> list[str]:
        return [path.removeprefix("/auth/") for path, _ in self.asked]


def tokens(number: int, session: str = "s1", device: str | None = None) -> Any:
    return login._Tokens(f"access{number}", SECS, session, f"refresh{number}", device)


def no(status: int, code: str = "", retry_secs: float | None = None) -> Exception:
    return login._Answer("/auth/x", status, login._Problem(code=code), retry_secs)


def not_sent() -> Exception:
    key: Any = type("Key", (), {"ssl": False, "host": "auth", "port": 80})
    return aiohttp.ClientConnectorError(key, OSError("refused"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(login, "time", clock)
    return clock


async def test_a_token_is_used_while_it_is_good_and_then_refreshed(clock: Clock) -> None:
    source = ScriptedLogin(tokens(1), tokens(2))
    first = await source.token()
    assert await source.token() is first
    clock.now += 0.71 * SECS
    second = await source.token()
    assert (second.text, second.session_id) == ("access2", "s1")
    assert source.asked[1] == ("/auth/refresh", {"refresh_token": "refresh1"})


async def test_a_token_that_was_refused_is_not_given_again(clock: Clock) -> None:
    source = ScriptedLogin(tokens(1), tokens(2))
    first = await source.token()
    assert (await source.token(newer_than=first)).text == "access2"
    assert (await source.token(newer_than=first)).text == "access2"


async def test_a_session_that_is_over_is_followed_by_a_login_that_shows_the_device(
    clock: Clock,
) -> None:
    source = ScriptedLogin(tokens(1, device="d1"), no(401, "revoked"), tokens(2, "s2"))
    first = await source.token()
    assert (await source.token(newer_than=first)).session_id == "s2"
    assert source.paths == ["login", "refresh", "login"]
    assert source.asked[2][1]["device_token"] == "d1"


async def test_an_answer_that_was_lost_is_asked_for_again_only_while_auth_repeats_it(
    clock: Clock,
) -> None:
    source = ScriptedLogin(tokens(1), TimeoutError(), TimeoutError(), tokens(2, "s2"))
    first = await source.token()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await source.token(newer_than=first)
        clock.now += 4.5
    assert source.paths == ["login", "refresh", "refresh"]
    assert (await source.token(newer_than=first)).session_id == "s2"
    assert source.paths[-1] == "login", "a refresh token shown late would end the session"


async def test_a_refresh_token_that_never_left_stays_good_however_long_auth_is_away(
    clock: Clock,
) -> None:
    source = ScriptedLogin(tokens(1), not_sent(), not_sent(), tokens(2))
    first = await source.token()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await source.token(newer_than=first)
        clock.now += 60
    assert (await source.token(newer_than=first)).text == "access2"
    assert source.paths == ["login", "refresh", "refresh", "refresh"]


async def test_while_auth_is_away_the_token_is_used_to_its_end(clock: Clock) -> None:
    source = ScriptedLogin(tokens(1), not_sent(), not_sent())
    first = await source.token()
    clock.now += 0.8 * SECS
    assert await source.token() is first
    clock.now += 0.2 * SECS
    with pytest.raises(Unavailable):
        await source.token()


async def test_what_auth_refuses_for_good_is_told_with_its_code(clock: Clock) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await ScriptedLogin(no(401, "bad_credentials")).token()
    assert refusal.value.code == "bad_credentials"
    with pytest.raises(Unauthenticated) as refusal:
        await ScriptedLogin(no(403, "account_disabled")).token()
    assert refusal.value.code == "account_disabled"
    with pytest.raises(Refused):
        await ScriptedLogin(no(404)).token()


async def test_who_must_wait_is_told_for_how_long(clock: Clock) -> None:
    with pytest.raises(Unavailable) as wait:
        await ScriptedLogin(no(429, "too_many_attempts", 7.0)).token()
    assert wait.value.retry_after_secs == 7.0


def test_nothing_secret_is_in_its_repr() -> None:
    assert "secret" not in repr(ScriptedLogin())
