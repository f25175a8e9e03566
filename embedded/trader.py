"""A trader's program: signs up, logs in, and reads the stream of quotes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from shared.errors import TradeDadError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)


class TraderError(TradeDadError):
    """The other side did not answer as it should."""


@dataclass(frozen=True)
class Account:
    """A user of auth, with an access token."""

    email: str
    user_id: str
    access_token: str


async def sign_up_and_log_in(http: aiohttp.ClientSession, auth_url: str) -> Account:
    """Make a new user with a random name and password. Raises TraderError."""
    email = f"demo-{secrets.token_hex(6)}@example.com"
    body = {"email": email, "password": secrets.token_urlsafe(24)}
    await _post(http, f"{auth_url}/auth/signup", body, expect=201)
    login = await _post(http, f"{auth_url}/auth/login", body, expect=200)
    return Account(email, login["user_id"], login["access_token"])


async def _post(
    http: aiohttp.ClientSession, url: str, body: dict[str, str], *, expect: int
) -> dict[str, Any]:
    async with http.post(url, json=body, timeout=_TIMEOUT) as response:
        text = await response.text()
        if response.status != expect:
            raise TraderError(f"POST {url} answered {response.status}: {text}")
        answer: dict[str, Any] = await response.json()
        return answer


class Stream:
    """An authenticated stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def subscribe(self, keys: Sequence[str]) -> dict[str, str]:
        """Ask for quotes of `keys`; the outcome of each. Raises TraderError."""
        await self.socket.send_json(
            {"op": "subscribe", "id": 1, "channel": "quotes", "keys": list(keys)}
        )
        answer = await self.receive()
        if answer["type"] != "ack":
            raise TraderError(f"subscribe was answered with {answer}")
        results: dict[str, str] = answer["results"]
        return results

    async def receive(self, timeout_secs: float = 10.0) -> dict[str, Any]:
        """The next message. Raises TraderError when the stream has ended, or on silence."""
        try:
            async with asyncio.timeout(timeout_secs):
                message = await self.socket.receive()
        except TimeoutError:
            raise TraderError(f"nothing came for {timeout_secs:.0f} s") from None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise TraderError(f"the stream ended with close code {self.socket.close_code}")
        body: dict[str, Any] = message.json()
        return body

    async def quotes(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Batches of quotes, for ever. Raises TraderError."""
        while True:
            message = await self.receive()
            if message["type"] == "quotes":
                yield message["data"]


@asynccontextmanager
async def open_stream(
    http: aiohttp.ClientSession, gateway_url: str, access_token: str
) -> AsyncIterator[Stream]:
    """Connect and authenticate. Raises TraderError if the token is refused."""
    async with http.ws_connect(f"{gateway_url}/ws", max_msg_size=0) as socket:
        stream = Stream(socket)
        await socket.send_json({"op": "auth", "token": access_token})
        answer = await stream.receive()
        if answer["type"] != "authenticated":
            raise TraderError(f"the gateway answered {answer}")
        yield stream
