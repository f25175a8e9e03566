"""Clients of the stream that follow the documented rules, and note all that they see."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import msgspec

from tests.support.rolling.tokens import Session
from tradedad_client import Client, Disconnected, Quote

_RESTARTING: Final = 1012
# After 1012: "connect again after a random pause of up to some seconds" (docs/stream.md).
_PAUSE_SECS: Final = (0.3, 3.0)
_RETRY_SECS: Final = 0.2


class _Row(msgspec.Struct):
    key: str = ""
    epoch: int = 0
    seq: int = 0
    ts: int = 0


class _Message(msgspec.Struct):
    type: str
    snapshot: bool = False
    data: list[_Row] = []
    detail: str = ""


_decoder: Final = msgspec.json.Decoder(_Message)


@dataclass
class Seen:
    """What one client saw."""

    quotes: int = 0
    closes: list[tuple[int | None, str, float]] = field(default_factory=list)
    """Code, reason and time (Unix seconds) of each end of a stream."""
    back_secs: list[float] = field(default_factory=list)
    """From each end until quotes came again."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Handshakes that failed, by status or exception."""
    wrong: list[str] = field(default_factory=list)
    last_quote_at: float | None = None
    """Unix seconds."""
    longest_pause_secs: float = 0.0
    """The longest time between two messages with quotes on one stream."""
    ended_at: float | None = None
    """When the stream ended; None while quotes come."""
    _last: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def quote(self, key: str, epoch: int, seq: int, ts: int, *, snapshot: bool) -> None:
        """Check that an instrument does not go back, across all streams of this client."""
        self.quotes += 1
        before = self._last.get(key, (0, 0, 0))
        is_newer = (epoch, seq) > before[:2]
        is_repeated = snapshot and (epoch, seq) == before[:2]
        if not (is_newer or is_repeated) or ts < before[2]:
            self.wrong.append(f"{key}: {(epoch, seq, ts)} after {before}, snapshot={snapshot}")
        self._last[key] = epoch, seq, ts

    def received(self) -> None:
        """Note that quotes have arrived."""
        now = time.time()
        if self.ended_at is not None:
            self.back_secs.append(now - self.ended_at)
            self.ended_at = None
        elif self.last_quote_at is not None:
            self.longest_pause_secs = max(self.longest_pause_secs, now - self.last_quote_at)
        self.last_quote_at = now

    def ended(self, code: int | None, reason: str) -> None:
        """Note the end of a stream that had delivered quotes."""
        if self.ended_at is None:
            self.ended_at = time.time()
        self.closes.append((code, reason, time.time()))


class RawClient:
    """A WebSocket of aiohttp with the rules of docs/stream.md, and nothing else."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, session: Session, keys: list[str]
    ) -> None:
        self._http = http
        self._url = url.replace("http", "ws", 1) + "/ws"
        self._session = session
        self._keys = keys
        self.seen = Seen()

    async def run(self) -> None:
        """Keep a stream open until cancelled."""
        while True:
            try:
                code = await self._stream()
            except aiohttp.WSServerHandshakeError as error:
                self.seen.refusals[str(error.status)] += 1
                await asyncio.sleep(random.uniform(0.5, 1.0))
            except (aiohttp.ClientError, OSError) as error:
                self.seen.refusals[type(error).__name__] += 1
                await asyncio.sleep(_RETRY_SECS)
            else:
                await asyncio.sleep(
                    random.uniform(*_PAUSE_SECS) if code == _RESTARTING else _RETRY_SECS
                )

    async def _stream(self) -> int | None:
        async with self._http.ws_connect(self._url, max_msg_size=1 << 24) as socket:
            await socket.send_json({"op": "auth", "token": self._session.access})
            await socket.send_json(
                {"op": "subscribe", "id": 1, "channel": "quotes", "keys": self._keys}
            )
            reason = ""
            while True:
                message = await socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                reason = self._take(message.data) or reason
            self.seen.ended(socket.close_code, reason)
            return socket.close_code

    def _take(self, text: str) -> str:
        """Note a message; the detail of an error."""
        message = _decoder.decode(text)
        if message.type == "quotes":
            for row in message.data:
                self.seen.quote(row.key, row.epoch, row.seq, row.ts, snapshot=message.snapshot)
            self.seen.received()
        return message.detail


class ProgramClient:
    """The Python client."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, session: Session, keys: list[str]
    ) -> None:
        self._client = Client(url, ask_token=session.token, http=http)
        self._keys = keys
        self.seen = Seen()

    async def run(self) -> None:
        """Follow until cancelled; any exception fails the test."""
        async with self._client as client, asyncio.TaskGroup() as group:
            group.create_task(self._events(client))
            async for quote in client.quotes(self._keys):
                self._take(quote)

    def _take(self, quote: Quote) -> None:
        self.seen.quote(quote.key, quote.epoch, quote.seq, quote.ts, snapshot=quote.snapshot)
        self.seen.received()

    async def _events(self, client: Client) -> None:
        async for event in client.events():
            if isinstance(event, Disconnected):
                self.seen.ended(_code_in(event.reason), event.reason)


def _code_in(reason: str) -> int | None:
    """The client reports only the text; a code stands in it."""
    return _RESTARTING if str(_RESTARTING) in reason else None


def clients_of(
    http: aiohttp.ClientSession, url: str, sessions: list[Session], keys: list[str], count: int
) -> list[RawClient | ProgramClient]:
    """Clients with a few instruments each; one of ten is the Python client."""
    rng = random.Random(1)
    made: list[RawClient | ProgramClient] = []
    for number in range(count):
        kind: type[RawClient | ProgramClient]
        kind = ProgramClient if number % 10 == 0 else RawClient
        made.append(kind(http, url, sessions[number % len(sessions)], rng.sample(keys, 2)))
    return made
