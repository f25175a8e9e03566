"""The client: one stream to the gateway, the subscriptions on it, and trading over HTTP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from tradedad_client.bearer import Bearer
from tradedad_client.buffers import ConflatingBuffer, FifoBuffer
from tradedad_client.connection import StreamConnection, Timing
from tradedad_client.credentials import token_source_factory
from tradedad_client.errors import Unreachable
from tradedad_client.messages import (
    Bar,
    Channel,
    Depth,
    Event,
    FeedStatus,
    Gap,
    OrderEvent,
    Quote,
)
from tradedad_client.protocol import StreamProtocol
from tradedad_client.reconnect import ReconnectLoop
from tradedad_client.rest import RequestTiming, RestClient
from tradedad_client.subscription import Subscription
from tradedad_client.subscription_state import SubscriptionState
from tradedad_client.tasks import stop
from tradedad_client.tokens import TokenSource
from tradedad_client.trading import Trading

log = logging.getLogger("tradedad_client")

_LOGOUT_TIMEOUT_SECS: Final = 5.0


class Client:
    """A stream of Trade Dad, which is opened again whenever it is lost.

    Credentials are given in one of three ways: `email` and `password` (the client logs in,
    renews its tokens, and logs out on leaving), `token` (the stream ends when it expires), or
    `ask_token`, a coroutine function that returns an access token whenever one is needed.

    `url` is the gateway's, e.g. ``https://prices.example.com``; `auth_url` is the address of
    /auth, if it differs. `most_waiting` bounds the unread messages of each subscription: beyond
    it quotes are conflated, and a subscription to bars or orders ends with TooSlow.
    `open_timeout_secs` limits the wait for the first stream; after `give_up_secs` without a
    stream the client ends with Unreachable. With `stream=False` no stream is opened: the client is
    for `trading` only, without `follow`.
    """

    def __init__(
        self,
        url: str,
        *,
        email: str | None = None,
        password: str | None = None,
        token: str | None = None,
        ask_token: Callable[[], Awaitable[str]] | None = None,
        auth_url: str | None = None,
        http: aiohttp.ClientSession | None = None,
        most_waiting: int = 10_000,
        open_timeout_secs: float = 30.0,
        give_up_secs: float = 900.0,
        timing: Timing | None = None,
        request_timing: RequestTiming | None = None,
        stream: bool = True,
    ) -> None:
        self.url = _http_url(url)
        auth_url = _http_url(auth_url) if auth_url is not None else self.url
        self._make_token_source = token_source_factory(auth_url, email, password, token, ask_token)
        self._given_http = http
        self._max_waiting = most_waiting
        self._open_timeout_secs = open_timeout_secs
        self._give_up_secs = give_up_secs
        self._timing = timing or Timing()
        self._request_timing = request_timing or RequestTiming()
        self._has_stream = stream
        self._protocol = StreamProtocol()
        self._http: aiohttp.ClientSession | None = None
        self._tokens: TokenSource | None = None
        self._rest: RestClient | None = None
        self._trading: Trading | None = None
        self._task: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()

    def __repr__(self) -> str:
        return f"Client({self.url!r}, {'live' if self.is_live else 'not live'})"

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and the token was accepted."""
        return self._protocol.is_live

    async def __aenter__(self) -> Self:
        """Open the stream. Raises Refused, or Unreachable after `open_timeout_secs`."""
        if self._http is not None:
            raise RuntimeError("a client can be entered only once")
        self._http = self._given_http or aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._tokens = self._make_token_source(self._http)
        bearer = Bearer(self._tokens)
        self._rest = RestClient(self._http, self.url, bearer, self._request_timing)
        self._trading = Trading(self._rest, self.orders)
        if self._has_stream:
            await self._open_stream(self._http, self._tokens)
        return self

    async def _open_stream(self, http: aiohttp.ClientSession, tokens: TokenSource) -> None:
        url = "ws" + self.url.removeprefix("http") + "/ws"
        connection = StreamConnection(
            http, url, self._protocol, tokens, self._timing, self._opened.set
        )
        reconnect = ReconnectLoop(connection, self._protocol, tokens, self.url, self._give_up_secs)
        self._task = asyncio.create_task(reconnect.run(), name="tradedad")
        self._task.add_done_callback(self._on_end)
        try:
            await self._wait_until_open(self._task, reconnect)
        except BaseException:
            await self.close()
            raise

    async def _wait_until_open(self, task: "asyncio.Task[None]", reconnect: ReconnectLoop) -> None:
        try:
            async with asyncio.timeout(self._open_timeout_secs):
                await self._opened.wait()
        except TimeoutError:
            cause = reconnect.last_error or "no answer"
            detail = f"no stream of {self.url} within {self._open_timeout_secs:g} s: {cause}"
            raise Unreachable(detail) from reconnect.last_error
        if task.done():
            await task  # raises the error

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the stream and all subscriptions; log out if the client has logged in."""
        if self._rest is not None:
            self._rest.close()
        try:
            if self._task is not None:
                await stop([self._task])
            self._protocol.close(None)
            if self._tokens is not None:
                async with asyncio.timeout(_LOGOUT_TIMEOUT_SECS):
                    await self._tokens.close()
        except TimeoutError:
            log.info("logout timed out; the session expires by itself")
        finally:
            if self._http is not None and self._given_http is None:
                await self._http.close()

    @property
    def trading(self) -> Trading:
        """Orders and accounts. It does not depend on the stream, except for `follow`."""
        if self._trading is None:
            raise RuntimeError("use `trading` within `async with` of the client")
        return self._trading

    def quotes(self, keys: Sequence[str], *, interval_ms: int | None = None) -> Subscription[Quote]:
        """Subscribe to quotes of instruments, beginning with the last known one of each.

        A key may be a wildcard: ``NSE_EQ|*``, ``*``. With `interval_ms` (100 to 60 000) the newest
        quote of each instrument comes once in that time, otherwise every quote at once. All
        subscriptions of a client share the shortest interval.
        """
        buffer = ConflatingBuffer[Quote](self._max_waiting, _key, _version)
        return self._subscribe(
            SubscriptionState(Channel.QUOTES, _checked(keys), buffer, interval_ms)
        )

    def depth(self, keys: Sequence[str], *, interval_ms: int | None = None) -> Subscription[Depth]:
        """Subscribe to order books of instruments; wildcards are not allowed."""
        buffer = ConflatingBuffer[Depth](self._max_waiting, _key, _version)
        return self._subscribe(
            SubscriptionState(Channel.DEPTH, _checked(keys), buffer, interval_ms)
        )

    def bars(self, keys: Sequence[str]) -> Subscription[Bar | Gap]:
        """Subscribe to five-minute bars, beginning with the last one of each instrument.

        A bar comes once it is closed and stored, and again if a late trade changes it. A Gap
        says that bars may be missing, for example after a reconnect.
        """
        buffer = FifoBuffer[Bar | Gap](self._max_waiting, _key_of_bar)
        return self._subscribe(SubscriptionState(Channel.BARS, _checked(keys), buffer))

    def orders(self) -> Subscription[OrderEvent | Gap]:
        """Subscribe to new events of this user's orders; a Gap says that events are missing.

        `trading.follow` gives typed events, the missing ones included.
        """
        buffer = FifoBuffer[OrderEvent | Gap](self._max_waiting)
        return self._subscribe(SubscriptionState(Channel.ORDERS, (), buffer))

    def status(self) -> Subscription[FeedStatus]:
        """Subscribe to the state of Trade Dad's connection to the market."""
        buffer = ConflatingBuffer[FeedStatus](self._max_waiting, lambda _: "status")
        return self._subscribe(SubscriptionState(Channel.STATUS, (), buffer))

    def events(self) -> Subscription[Event]:
        """Subscribe to events of the stream itself; beyond 1 000 unread the oldest are dropped."""
        self._check_open()
        return Subscription(self._protocol.add_listener(), self._protocol.remove_listener)

    def _check_open(self) -> None:
        if not self._has_stream:
            raise RuntimeError("this client was made without a stream")
        if self._task is None or self._task.done():
            raise RuntimeError("subscribe within `async with` of the client, while it is open")

    def _subscribe(self, state: SubscriptionState) -> Subscription[Any]:
        self._check_open()
        self._protocol.add(state)
        return Subscription(state, self._protocol.remove)

    def _on_end(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        self._protocol.close(error if isinstance(error, Exception) else None)
        self._opened.set()


def _http_url(url: str) -> str:
    """Return the URL with http or https in place of ws or wss, without a trailing /ws."""
    scheme, separator, rest = url.rstrip("/").partition("://")
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    if scheme not in ("http", "https") or not separator or not rest:
        raise ValueError(f"not an http, https, ws or wss address: {url!r}")
    return f"{scheme}://{rest.removesuffix('/ws')}"


def _checked(keys: Sequence[str]) -> Sequence[str]:
    if isinstance(keys, str):
        raise TypeError("keys must be a list of instrument keys, not a string")
    if not keys:
        raise ValueError("keys must contain at least one instrument key")
    return keys


def _key(state: Quote | Depth) -> str:
    return state.key


def _version(state: Quote | Depth) -> tuple[int, int]:
    return state.epoch, state.seq


def _key_of_bar(bar: Bar | Gap) -> str | None:
    return bar.key if isinstance(bar, Bar) else None
