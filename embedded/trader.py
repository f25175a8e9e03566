"""A trader who has just signed up, and has everything still to do."""

import secrets
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from shared.errors import TradeDadError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class TraderError(TradeDadError):
    """Auth did not answer as it should."""


@dataclass(frozen=True)
class Account:
    """A user of auth."""

    email: str
    password: str = field(repr=False)


async def sign_up(http: aiohttp.ClientSession, base_url: str) -> Account:
    """Make a new user with a random name and password, at a gateway or at auth.

    Raises TraderError.
    """
    account = Account(f"demo-{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(24))
    url = f"{base_url}/auth/signup"
    body = {"email": account.email, "password": account.password}
    async with http.post(url, json=body, timeout=_TIMEOUT) as response:
        if response.status != 201:
            raise TraderError(f"POST {url} answered {response.status}: {await response.text()}")
    return account
