"""The token of requests is kept until it is due or refused."""

import time

import pytest

from tradedad_client.bearer import Bearer
from tradedad_client.errors import Unauthenticated
from tradedad_client.tokens import CallbackTokenSource, StaticTokenSource, Token

REFUSAL = Unauthenticated("expired", code="token_expired")


class DueTokens:
    """Each token is due for renewal as soon as it is given."""

    count = 0

    async def token(self, *, newer_than: Token | None = None) -> Token:
        self.count += 1
        return Token(f"t{self.count}", renew_at=time.monotonic())

    async def close(self) -> None:
        pass


async def test_the_source_is_asked_only_for_another_token() -> None:
    calls = []

    async def ask() -> str:
        calls.append(1)
        return f"t{len(calls)}"

    bearer = Bearer(CallbackTokenSource(ask))
    first = await bearer.token()
    assert await bearer.token() is first
    bearer.refuse(first, REFUSAL)
    assert (await bearer.token()).text == "t2"
    bearer.refuse(first, REFUSAL)  # of a request that was sent with the old token
    assert (await bearer.token()).text == "t2"


async def test_a_token_that_is_due_is_replaced() -> None:
    bearer = Bearer(DueTokens())
    assert [(await bearer.token()).text for _ in range(2)] == ["t1", "t2"]


async def test_without_another_token_the_refusal_is_raised() -> None:
    bearer = Bearer(StaticTokenSource("t"))
    bearer.refuse(await bearer.token(), REFUSAL)
    for _ in range(2):
        with pytest.raises(Unauthenticated) as raised:
            await bearer.token()
        assert raised.value is REFUSAL
