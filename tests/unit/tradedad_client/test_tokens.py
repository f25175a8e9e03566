"""Access tokens come from a fixed text or from a callback of the program."""

import asyncio

import pytest

from tradedad_client import tokens
from tradedad_client.errors import Unavailable
from tradedad_client.tokens import CallbackTokenSource, StaticTokenSource, Token


async def test_a_static_source_has_one_token() -> None:
    source = StaticTokenSource("t")
    token = await source.token()
    assert token is not None
    assert token.text == "t"
    assert await source.token(newer_than=token) is None


async def test_a_callback_that_returns_the_same_token_has_no_newer_one() -> None:
    async def callback() -> str:
        return "t"

    source = CallbackTokenSource(callback)
    assert await source.token() == Token("t")
    assert await source.token(newer_than=Token("t")) is None
    assert await source.token(newer_than=Token("older")) == Token("t")


async def test_a_callback_that_does_not_return_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_CALLBACK_TIMEOUT_SECS", 0.01)

    async def callback() -> str:
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(Unavailable, match="supplied no token"):
        await CallbackTokenSource(callback).token()


def test_the_repr_does_not_contain_the_token() -> None:
    assert "secret" not in repr(Token("secret", "session"))


class Failing:
    """A callback whose calls fail until `failures` are used up."""

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def __call__(self) -> str:
        self.failures -= 1
        if self.failures >= 0:
            raise KeyError("no such vault")
        return "t"


async def test_a_callback_that_fails_once_can_be_asked_again() -> None:
    source = CallbackTokenSource(Failing(1))
    with pytest.raises(Unavailable, match="ask_token failed: KeyError"):
        await source.token()
    assert await source.token() == Token("t")


async def test_a_callback_that_fails_before_its_first_token_and_again_raises_its_error() -> None:
    source = CallbackTokenSource(Failing(2))
    with pytest.raises(Unavailable):
        await source.token()
    with pytest.raises(KeyError, match="no such vault"):
        await source.token()


async def test_a_callback_that_has_worked_may_fail_again_and_again() -> None:
    callback = Failing(0)
    source = CallbackTokenSource(callback)
    await source.token()
    callback.failures = 3
    for _ in range(3):
        with pytest.raises(Unavailable):
            await source.token()
    assert await source.token() == Token("t")
