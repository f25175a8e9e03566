"""Users with sessions, whose tokens are renewed again and again through the gateways."""

import asyncio
import base64
import json
import time
from typing import Final

import aiohttp

from embedded.signup import sign_up

_RENEW_SECS: Final = 1.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


class Session:
    """A login of a user. Its token is renewed as by a program that renews very often."""

    def __init__(self, http: aiohttp.ClientSession, access: str, refresh: str) -> None:
        self._http = http
        self._refresh = refresh
        self.access = access
        self.renewals = 0
        self.failures: list[str] = []

    @property
    def user_id(self) -> str:
        """The user, as the access token names it."""
        body = self.access.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return str(claims["sub"])

    async def token(self) -> str:
        """For the Python client."""
        return self.access

    async def renew(self, url: str) -> None:
        """Renew until cancelled; note every renewal that fails."""
        while True:
            await asyncio.sleep(_RENEW_SECS)
            body = {"refresh_token": self._refresh}
            began_at = time.monotonic()
            try:
                async with self._http.post(
                    f"{url}/auth/refresh", json=body, timeout=_TIMEOUT
                ) as response:
                    if response.status != 200:
                        self.failures.append(f"{response.status} {await response.text()}")
                        continue
                    reply = await response.json()
            except (aiohttp.ClientError, TimeoutError) as error:
                secs = time.monotonic() - began_at
                self.failures.append(f"{error!r} after {secs:.3f} s")
                continue
            self.access, self._refresh = reply["access_token"], reply["refresh_token"]
            self.renewals += 1


async def log_in(http: aiohttp.ClientSession, auth_url: str, count: int) -> list[Session]:
    """Sessions of new users."""

    async def one() -> Session:
        account = await sign_up(http, auth_url)
        body = {"email": account.email, "password": account.password}
        async with http.post(f"{auth_url}/auth/login", json=body, timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()
            reply = await response.json()
        return Session(http, reply["access_token"], reply["refresh_token"])

    return [await one() for _ in range(count)]
