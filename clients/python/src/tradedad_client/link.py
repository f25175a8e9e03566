"""One WebSocket to the gateway, from the handshake to its end."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from tradedad_client.backoff import Backoff, retry_after_secs
from tradedad_client.conversation import Conversation
from tradedad_client.endings import ending, refused_handshake
from tradedad_client.errors import ClientError, NotUnderstood, Refused, Unavailable
from tradedad_client.tasks import stop
from tradedad_client.tokens import Token, TokenSource

log = logging.getLogger("tradedad_client")

# The gateway takes 50 messages a second of a client, and 200 at once.
_REQUESTS_PER_SEC: Final = 40.0
_REQUESTS_AT_ONCE: Final = 100.0
_CLOSE_SECS: Final = 2.0
_MOST_BYTES: Final = 16 * 1024 * 1024
# A token that lives for less than the gateway's warning is warned of at once.
_RENEWALS_APART_SECS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a stream may take for what."""

    open_secs: float = 10.0
    """For the handshake; and again until the token is accepted; and for each request to leave."""
    heartbeat_secs: float = 10.0
    """After so long without a word we ask for one; half of that later the stream is lost."""


class Link:
    """Serves one stream at a time."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        conversation: Conversation,
        tokens: TokenSource,
        timing: Timing,
        on_live: Callable[[], None],
    ) -> None:
        self._http = http
        self._url = url
        self._conversation = conversation
        self._tokens = tokens
        self._timing = timing
        self._on_live = on_live
        self._to_send = asyncio.Event()
        self._renewal = asyncio.Event()
        self._is_leaving = False
        self.token: Token | None = None
        """What was shown last."""
        self.live_since: float | None = None
        """By `time.monotonic`, of the stream of now or the last one; None if it never was."""
        conversation.wake = self._to_send.set

    async def serve(self, token: Token) -> ClientError | None:
        """Keep a stream open; why it ended, or None if it is to be opened again at once."""
        self.live_since = None
        self._is_leaving = False
        self._renewal.clear()
        try:
            socket = await self._open()
        except ClientError as failure:
            return failure
        self.token = token
        self._conversation.begin(token.text)
        reading = asyncio.create_task(self._read(socket), name="tradedad: read")
        writing = asyncio.create_task(self._write(socket), name="tradedad: write")
        renewing = asyncio.create_task(self._renew(socket, token), name="tradedad: renew")
        tasks = {reading, writing, renewing}
        try:
            return await self._first_end(tasks, renewing)
        finally:
            self._conversation.lost()
            await stop(tasks)
            await _close(socket)

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(self._timing.open_secs):
                return await self._http.ws_connect(
                    self._url,
                    heartbeat=self._timing.heartbeat_secs,
                    max_msg_size=_MOST_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_SECS),
                )
        except aiohttp.WSServerHandshakeError as error:
            headers = error.headers
            advised_secs = retry_after_secs(headers.get("Retry-After") if headers else None)
            raise refused_handshake(error.status, advised_secs) from None
        except aiohttp.InvalidURL as error:
            raise Refused(f"{self._url} is no address: {error}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unavailable(f"the gateway cannot be reached: {error!r}") from None

    async def _first_end(
        self,
        tasks: "set[asyncio.Task[ClientError | None]]",
        renewing: "asyncio.Task[ClientError | None]",
    ) -> ClientError | None:
        """What the first task to end says; of the one that renews, only if it fails."""
        pending = set(tasks)
        while True:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            results = {task: task.result() for task in done}  # a failure that is no ending
            results.pop(renewing, None)
            for reason in results.values():
                return None if self._is_leaving else reason

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> ClientError:
        conversation = self._conversation
        while True:
            is_live = conversation.is_live
            try:
                async with asyncio.timeout(None if is_live else self._timing.open_secs):
                    message = await socket.receive()
            except TimeoutError:
                return Unavailable("the gateway did not answer the token")
            if message.type is WSMsgType.TEXT:
                try:
                    conversation.take(message.data)
                except NotUnderstood as failure:
                    return failure
                if conversation.is_live and not is_live:
                    self.live_since = time.monotonic()
                    self._on_live()
                if conversation.wants_token:
                    self._renewal.set()
            elif message.type is WSMsgType.BINARY:
                return NotUnderstood("the gateway sent a binary message")
            else:
                # The gateway need not wait for our answer to its close: its frame counts.
                is_close = message.type is WSMsgType.CLOSE
                code = message.data if is_close else socket.close_code
                return ending(code, conversation.problem)

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> ClientError:
        requests = self._conversation.requests
        room, at = _REQUESTS_AT_ONCE, time.monotonic()
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while requests:
                now = time.monotonic()
                room = min(_REQUESTS_AT_ONCE, room + (now - at) * _REQUESTS_PER_SEC)
                at = now
                if room < 1:
                    await asyncio.sleep((1 - room) / _REQUESTS_PER_SEC)
                    continue
                room -= 1
                try:
                    async with asyncio.timeout(self._timing.open_secs):
                        await socket.send_str(requests.popleft().decode())
                except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                    return Unavailable(f"the gateway takes nothing: {error!r}")

    async def _renew(self, socket: aiohttp.ClientWebSocketResponse, token: Token) -> None:
        """Show a newer token in time; if there is none, the stream goes on while it may."""
        while True:
            shown_at = time.monotonic()
            await self._until_due(token)
            pause_secs = shown_at + _RENEWALS_APART_SECS - time.monotonic()
            await asyncio.sleep(max(0.0, pause_secs))
            self._renewal.clear()
            newer = await self._newer(token)
            if newer is None:
                return
            if newer.session_id != token.session_id:
                self._is_leaving = True
                await _close(socket)
                return
            self.token = token = newer
            self._conversation.authenticate(token.text)

    async def _until_due(self, token: Token) -> None:
        left_secs = None if token.renew_at is None else token.renew_at - time.monotonic()
        try:
            async with asyncio.timeout(left_secs):
                await self._renewal.wait()
        except TimeoutError:
            return

    async def _newer(self, token: Token) -> Token | None:
        backoff = Backoff()
        while True:
            try:
                return await self._tokens.token(newer_than=token)
            except Unavailable as problem:
                await asyncio.sleep(backoff.next_secs(problem.retry_after_secs))
            except Refused as refusal:
                log.warning("no newer token is to be had: %s", refusal)
                return None


async def _close(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Say goodbye; aiohttp bounds how long it waits for an answer."""
    with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):  # it has ended already
        await socket.close()
