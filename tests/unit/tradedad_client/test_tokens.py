"""Tokens that a program brings itself."""

import asyncio

import pytest

from tradedad_client import tokens
from tradedad_client.errors import Unavailable
from tradedad_client.tokens import AskedToken, GivenToken, Token


async def test_the_one_given_token_has_no_successor() -> None:
    source = GivenToken("t")
    token = await source.token()
    assert token is not None
    assert token.text == "t"
    assert await source.token(newer_than=token) is None


async def test_a_source_that_brings_the_same_token_again_has_no_other() -> None:
    async def ask() -> str:
        return "t"

    source = AskedToken(ask)
    assert await source.token() == Token("t")
    assert await source.token(newer_than=Token("t")) is None
    assert await source.token(newer_than=Token("older")) == Token("t")


async def test_a_source_that_never_answers_does_not_hold_the_client_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_ASK_SECS", 0.01)

    async def ask() -> str:
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(Unavailable, match="no token was brought"):
        await AskedToken(ask).token()


def test_the_text_is_not_in_the_repr() -> None:
    assert "secret" not in repr(Token("secret", "session"))
