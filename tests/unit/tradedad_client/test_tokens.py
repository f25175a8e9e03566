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
