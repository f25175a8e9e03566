"""Chooses the token source for the credentials that a program passes."""

from collections.abc import Awaitable, Callable

import aiohttp

from tradedad_client.login import PasswordTokenSource
from tradedad_client.tokens import CallbackTokenSource, StaticTokenSource, TokenSource

TokenSourceFactory = Callable[[aiohttp.ClientSession], TokenSource]


def token_source_factory(
    auth_url: str,
    email: str | None,
    password: str | None,
    token: str | None,
    ask_token: Callable[[], Awaitable[str]] | None,
) -> TokenSourceFactory:
    """Return a function that makes the token source.

    Raises ValueError unless exactly one kind of credentials is given.
    """
    kinds = ((email, password), token, ask_token)
    if sum(kind not in (None, (None, None)) for kind in kinds) != 1:
        raise ValueError("give either email and password, or token, or ask_token")
    if token is not None:
        return lambda _: StaticTokenSource(token)
    if ask_token is not None:
        return lambda _: CallbackTokenSource(ask_token)
    if email is None or password is None:
        raise ValueError("give both email and password")
    return lambda http: PasswordTokenSource(http, auth_url, email, password)
