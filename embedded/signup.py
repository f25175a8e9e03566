"""Creates a user account with random credentials, for the demo and for tests."""

import secrets
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from shared.errors import TradeDadError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60)


class SignupFailedError(TradeDadError):
    """Auth did not create the account."""


@dataclass(frozen=True)
class Account:
    """Credentials of a user."""

    email: str
    password: str = field(repr=False)


async def sign_up(http: aiohttp.ClientSession, base_url: str) -> Account:
    """Create a user with a random e-mail address and password.

    `base_url` is the address of a gateway or of auth. Raises SignupFailedError.
    """
    account = Account(f"demo-{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(24))
    url = f"{base_url}/auth/signup"
    body = {"email": account.email, "password": account.password}
    async with http.post(url, json=body, timeout=_TIMEOUT) as response:
        if response.status != 201:
            raise SignupFailedError(
                f"POST {url} answered {response.status}: {await response.text()}"
            )
    return account
