"""The client: live prices on a stream, bars, instruments and trading over HTTP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from tradedad_client.bearer import Bearer
from tradedad_client.connection import Timing
from tradedad_client.credentials import token_source_factory
from tradedad_client.entered import entered
from tradedad_client.environment import DEFAULT_URL, options_of_environment
from tradedad_client.instruments import Instruments
from tradedad_client.market_reads import MarketReads
from tradedad_client.rest import RequestTiming, RestClient
from tradedad_client.stream import Stream
from tradedad_client.subscriptions import Subscriptions
from tradedad_client.tokens import TokenSource
from tradedad_client.trading import Trading

log = logging.getLogger("tradedad_client")

_LOGOUT_TIMEOUT_SECS: Final = 5.0
_MAX_LEVELS: Final = 30


class Client(MarketReads, Subscriptions):
    """Market data, orders and accounts of Trade Dad.

    Credentials are given in one of three ways: `email` and `password` (the client logs in,
    renews its tokens, and logs out on leaving), `token` (the stream ends when it expires), or
    `ask_token`, a coroutine function that returns an access token whenever one is needed.

    `url` is the gateway's, e.g. ``https://prices.example.com``; `auth_url` is the address of
    /auth, if it differs. `most_waiting` bounds the unread messages of each subscription: beyond
    it quotes are conflated, and a subscription to candles, bars or orders ends with TooSlow.
    `open_timeout_secs` limits the wait for the first stream; after `give_up_secs` without a
    stream the client ends with Unreachable. With `stream=False` no stream is opened: the client
    has everything but subscriptions and `trading.follow`.

    Wherever an instrument is wanted, its key or a name can be given: see `Instruments`.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
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
        self._http: aiohttp.ClientSession | None = None
        self._tokens: TokenSource | None = None
        self._rest: RestClient | None = None
        self._trading: Trading | None = None
        self._instruments: Instruments | None = None
        self._stream: Stream | None = None

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """Return a client with the address and credentials of the environment.

        ``TRADEDAD_CLIENT_URL``, ``_AUTH_URL``, ``_EMAIL``, ``_PASSWORD`` and ``_TOKEN`` are read;
        `options` are those of the constructor, and take precedence.
        """
        return cls(**options_of_environment(options))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {'live' if self.is_live else 'not live'})"

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and the token was accepted."""
        return self._stream is not None and self._stream.is_live

    async def __aenter__(self) -> Self:
        """Open the stream. Raises Refused, or Unreachable after `open_timeout_secs`."""
        if self._http is not None:
            raise RuntimeError("a client can be entered only once")
        self._http = self._given_http or aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._tokens = self._make_token_source(self._http)
        self._rest = RestClient(self._http, self.url, Bearer(self._tokens), self._request_timing)
        self._instruments = Instruments(self._rest)
        self._trading = Trading(self._rest, self._instruments, self.orders)
        if self._has_stream:
            self._stream = Stream(
                self._http,
                self.url,
                self._tokens,
                self._instruments,
                timing=self._timing,
                give_up_secs=self._give_up_secs,
            )
            try:
                await self._stream.open(self._open_timeout_secs)
            except BaseException:
                await self.close()
                raise
        return self

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
            if self._stream is not None:
                await self._stream.close()
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
        return entered(self._trading)

    def _open_stream(self) -> Stream:
        if not self._has_stream:
            raise RuntimeError("this client was made without a stream")
        if self._stream is None or not self._stream.is_running:
            raise RuntimeError("subscribe within `async with` of the client, while it is open")
        return self._stream


def _http_url(url: str) -> str:
    """Return the URL with http or https in place of ws or wss, without a trailing /ws."""
    scheme, separator, rest = url.rstrip("/").partition("://")
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    if scheme not in ("http", "https") or not separator or not rest:
        raise ValueError(f"not an http, https, ws or wss address: {url!r}")
    return f"{scheme}://{rest.removesuffix('/ws')}"
