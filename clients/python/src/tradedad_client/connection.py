"""One WebSocket connection to the gateway, from the handshake to the close."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from tradedad_client.backoff import Backoff, parse_retry_after
from tradedad_client.close_codes import error_for_close, error_for_handshake
from tradedad_client.errors import ClientError, NotUnderstood, Refused, Unavailable
from tradedad_client.protocol import StreamProtocol
from tradedad_client.reasons import reason
from tradedad_client.tasks import stop
from tradedad_client.tokens import Token, TokenSource

log = logging.getLogger("tradedad_client")

# Below the gateway's limit of 50 messages per second with a burst of 200.
_REQUESTS_PER_SEC: Final = 40.0
_REQUESTS_BURST: Final = 100.0
_CLOSE_TIMEOUT_SECS: Final = 2.0
_MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
# The gateway warns at once of a token whose remaining time is shorter than its warning time.
_MIN_RENEWAL_INTERVAL_SECS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Timeouts of a stream."""

    open_secs: float = 10.0
    """Limit for the handshake, for the answer to the token, and for sending each request."""
    heartbeat_secs: float = 10.0
    """Silence after which a ping is sent; the stream is lost half of that later."""


class StreamConnection:
    """Runs the protocol over one WebSocket at a time."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        protocol: StreamProtocol,
        tokens: TokenSource,
        timing: Timing,
        on_live: Callable[[], None],
    ) -> None:
        self._http = http
        self._url = url
        self._protocol = protocol
        self._tokens = tokens
        self._timing = timing
        self._on_live = on_live
        self._has_requests = asyncio.Event()
        self._renewal_requested = asyncio.Event()
        self._reopen_at_once = False
        self.token: Token | None = None
        """The token that was sent last."""
        self.live_since: float | None = None
        """`time.monotonic` when the current or last stream became live; None if it did not."""
        protocol.on_request = self._has_requests.set

    async def serve(self, token: Token) -> ClientError | None:
        """Open a stream and run it to its end.

        Returns why it ended, or None if a new one should be opened at once.
        """
        self.live_since = None
        self._reopen_at_once = False
        self._renewal_requested.clear()
        try:
            socket = await self._open()
        except ClientError as error:
            return error
        self.token = token
        self._protocol.stream_opened(token.text)
        reading = asyncio.create_task(self._read(socket), name="tradedad: read")
        writing = asyncio.create_task(self._write(socket), name="tradedad: write")
        renewing = asyncio.create_task(self._renew(socket, token), name="tradedad: renew")
        tasks = {reading, writing, renewing}
        try:
            return await self._wait_for_end(tasks, renewing)
        finally:
            self._protocol.stream_lost()
            await stop(tasks)
            await _close(socket)

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(self._timing.open_secs):
                return await self._http.ws_connect(
                    self._url,
                    heartbeat=self._timing.heartbeat_secs,
                    max_msg_size=_MAX_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_SECS),
                )
        except aiohttp.WSServerHandshakeError as error:
            headers = error.headers
            retry_after_secs = parse_retry_after(headers.get("Retry-After") if headers else None)
            raise error_for_handshake(error.status, retry_after_secs) from None
        except aiohttp.InvalidURL as error:
            raise Refused(f"{self._url} is not a valid URL: {error}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"the gateway cannot be reached: {reason(error)}") from None

    async def _wait_for_end(
        self,
        tasks: "set[asyncio.Task[ClientError | None]]",
        renewing: "asyncio.Task[ClientError | None]",
    ) -> ClientError | None:
        """Return the result of the first task to end; `renewing` may end earlier."""
        pending = set(tasks)
        while True:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            results = {task: task.result() for task in done}  # raises unexpected exceptions
            results.pop(renewing, None)
            for ending in results.values():
                return None if self._reopen_at_once else ending

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> ClientError:
        protocol = self._protocol
        while True:
            was_live = protocol.is_live
            try:
                async with asyncio.timeout(None if was_live else self._timing.open_secs):
                    message = await socket.receive()
            except TimeoutError:
                return Unavailable("the gateway did not answer the token")
            if message.type is WSMsgType.TEXT:
                try:
                    protocol.receive(message.data)
                except NotUnderstood as error:
                    return error
                if protocol.is_live and not was_live:
                    self.live_since = time.monotonic()
                    self._on_live()
                if protocol.needs_token:
                    self._renewal_requested.set()
            elif message.type is WSMsgType.BINARY:
                return NotUnderstood("the gateway sent a binary message")
            else:
                # The gateway's close frame has the code even if the close handshake fails later.
                is_close = message.type is WSMsgType.CLOSE
                code = message.data if is_close else socket.close_code
                return error_for_close(code, protocol.last_error)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> ClientError:
        requests = self._protocol.requests
        allowance, updated_at = _REQUESTS_BURST, time.monotonic()
        while True:
            await self._has_requests.wait()
            self._has_requests.clear()
            while requests:
                now = time.monotonic()
                refill = (now - updated_at) * _REQUESTS_PER_SEC
                allowance, updated_at = min(_REQUESTS_BURST, allowance + refill), now
                if allowance < 1:
                    await asyncio.sleep((1 - allowance) / _REQUESTS_PER_SEC)
                    continue
                allowance -= 1
                try:
                    async with asyncio.timeout(self._timing.open_secs):
                        await socket.send_str(requests.popleft().decode())
                except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                    return Unavailable(f"sending to the gateway failed: {reason(error)}")

    async def _renew(self, socket: aiohttp.ClientWebSocketResponse, token: Token) -> None:
        """Send newer tokens before the current one expires.

        Without a newer token the stream goes on until the gateway closes it. A token of another
        session cannot renew a stream, so the stream is closed and opened again.
        """
        while True:
            sent_at = time.monotonic()
            await self._wait_until_renewal(token)
            pause_secs = sent_at + _MIN_RENEWAL_INTERVAL_SECS - time.monotonic()
            await asyncio.sleep(max(0.0, pause_secs))
            self._renewal_requested.clear()
            newer = await self._newer_token(token)
            if newer is None:
                return
            if newer.session_id != token.session_id:
                self._reopen_at_once = True
                await _close(socket)
                return
            self.token = token = newer
            self._protocol.authenticate(token.text)

    async def _wait_until_renewal(self, token: Token) -> None:
        remaining_secs = None if token.renew_at is None else token.renew_at - time.monotonic()
        try:
            async with asyncio.timeout(remaining_secs):
                await self._renewal_requested.wait()
        except TimeoutError:
            return

    async def _newer_token(self, token: Token) -> Token | None:
        backoff = Backoff()
        while True:
            try:
                return await self._tokens.token(newer_than=token)
            except Unavailable as error:
                await asyncio.sleep(backoff.next_secs(error.retry_after_secs))
            except Refused as error:
                log.warning("no newer token is available: %s", error)
                return None


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Close the WebSocket; aiohttp bounds the wait for the gateway's close frame."""
    with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):  # it is closed already
        await socket.close()
