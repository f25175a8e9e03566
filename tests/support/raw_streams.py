"""An authenticated stream without any client of ours, message by message."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp


class Stream:
    """An authenticated stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def subscribe(self, keys: Sequence[str]) -> dict[str, str]:
        """Ask for quotes of `keys`; the outcome of each. Raises AssertionError."""
        await self.socket.send_json(
            {"op": "subscribe", "id": 1, "channel": "quotes", "keys": list(keys)}
        )
        answer = await self.receive()
        if answer["type"] != "ack":
            raise AssertionError(f"subscribe was answered with {answer}")
        results: dict[str, str] = answer["results"]
        return results

    async def receive(self, timeout_secs: float = 10.0) -> dict[str, Any]:
        """The next message. Raises AssertionError when the stream has ended, or on silence."""
        try:
            async with asyncio.timeout(timeout_secs):
                message = await self.socket.receive()
        except TimeoutError:
            raise AssertionError(f"nothing came for {timeout_secs:.0f} s") from None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise AssertionError(f"the stream ended with close code {self.socket.close_code}")
        body: dict[str, Any] = message.json()
        return body

    async def quotes(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Batches of quotes, for ever. Raises AssertionError."""
        while True:
            message = await self.receive()
            if message["type"] == "quotes":
                yield message["data"]


@asynccontextmanager
async def open_stream(
    http: aiohttp.ClientSession, gateway_url: str, access_token: str
) -> AsyncIterator[Stream]:
    """Connect and authenticate. Raises AssertionError if the token is refused."""
    async with http.ws_connect(f"{gateway_url}/ws", max_msg_size=0) as socket:
        stream = Stream(socket)
        await socket.send_json({"op": "auth", "token": access_token})
        answer = await stream.receive()
        if answer["type"] != "authenticated":
            raise AssertionError(f"the gateway answered {answer}")
        yield stream
