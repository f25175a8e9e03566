"""The client: one stream to the gateway, kept open, and everything that comes over it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from tradedad_client.backoff import Backoff
from tradedad_client.conversation import Conversation, Route
from tradedad_client.errors import (
    ClientError,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from tradedad_client.link import Link, Timing
from tradedad_client.login import Login
from tradedad_client.mailbox import Every, Newest
from tradedad_client.messages import (
    Bar,
    Channel,
    Depth,
    Disconnected,
    Event,
    FeedStatus,
    Gap,
    OrderEvent,
    Quote,
)
from tradedad_client.subscription import Subscription
from tradedad_client.tasks import stop
from tradedad_client.tokens import AskedToken, GivenToken, Token, TokenSource

log = logging.getLogger("tradedad_client")

# A stream that lasted so long was a good one: the next attempt need not wait.
_LASTED_SECS: Final = 5.0
# A close cannot be made to wait for ever by an auth that does not answer.
_TIDY_SECS: Final = 5.0


class Client:
    """A stream of Trade Dad, opened again whenever it is lost.

    Say who you are in one of three ways: `email` and `password` (it logs in, renews its
    tokens, and logs out on leaving), `token` (ends with it), or `ask_token`, a
    coroutine function that brings an access token whenever one is needed.

    `url` is the gateway's, e.g. ``https://prices.example.com``; `auth_url` is where /auth is,
    if that is somewhere else. `most_waiting` bounds each subscription: beyond it quotes are
    conflated, and events (bars, orders) end the subscription with TooSlow.
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
    ) -> None:
        self.url = _http_url(url)
        self._auth_url = _http_url(auth_url) if auth_url is not None else self.url
        self._make_tokens = _token_maker(self._auth_url, email, password, token, ask_token)
        self._given_http = http
        self._most_waiting = most_waiting
        self._open_timeout_secs = open_timeout_secs
        self._give_up_secs = give_up_secs
        self._timing = timing or Timing()
        self._conversation = Conversation()
        self._http: aiohttp.ClientSession | None = None
        self._tokens: TokenSource | None = None
        self._task: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._last_failure: ClientError | None = None

    def __repr__(self) -> str:
        return f"Client({self.url!r}, {'live' if self.is_live else 'not live'})"

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and the token was accepted."""
        return self._conversation.is_live

    async def __aenter__(self) -> Self:
        """Open the stream. Raises Refused, or Unreachable if that takes too long."""
        if self._task is not None:
            raise RuntimeError("a client is entered once; make another")
        self._http = self._given_http or aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._tokens = self._make_tokens(self._http)
        self._task = asyncio.create_task(self._stay(self._http, self._tokens), name="tradedad")
        self._task.add_done_callback(self._over)
        try:
            await self._wait_until_open(self._task)
        except BaseException:
            await self.close()
            raise
        return self

    async def _wait_until_open(self, task: "asyncio.Task[None]") -> None:
        try:
            async with asyncio.timeout(self._open_timeout_secs):
                await self._opened.wait()
        except TimeoutError:
            cause = self._last_failure or "no answer"
            detail = f"no stream of {self.url} within {self._open_timeout_secs:g} s: {cause}"
            raise Unreachable(detail) from self._last_failure
        if task.done():
            await task  # raises why

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream, and the session if it is ours. All subscriptions end."""
        try:
            if self._task is not None:
                await stop([self._task])
            self._conversation.end(None)
            if self._tokens is not None:
                async with asyncio.timeout(_TIDY_SECS):
                    await self._tokens.close()
        except TimeoutError:
            log.info("auth does not answer; the session is left to its own end")
        finally:
            if self._http is not None and self._given_http is None:
                await self._http.close()

    def quotes(self, keys: Sequence[str], *, interval_ms: int | None = None) -> Subscription[Quote]:
        """Quotes of instruments, beginning with the last known one of each.

        A key may be a wildcard: ``NSE_EQ|*``, ``*``. With `interval_ms` (100 to 60 000) the newest
        of each comes so often, else every one at once; all subscriptions of a client share
        the shortest.
        """
        mailbox = Newest[Quote](self._most_waiting, _key, _stamp)
        return self._subscribe(Route(Channel.QUOTES, _checked(keys), mailbox, interval_ms))

    def depth(self, keys: Sequence[str], *, interval_ms: int | None = None) -> Subscription[Depth]:
        """Order books of instruments; here are no wildcards."""
        mailbox = Newest[Depth](self._most_waiting, _key, _stamp)
        return self._subscribe(Route(Channel.DEPTH, _checked(keys), mailbox, interval_ms))

    def bars(self, keys: Sequence[str]) -> Subscription[Bar | Gap]:
        """Five-minute bars as they are closed, beginning with the last one of each instrument.

        A Gap says that some may be missing, after a reconnect, say.
        """
        mailbox = Every[Bar | Gap](self._most_waiting, _key_of_bar)
        return self._subscribe(Route(Channel.BARS, _checked(keys), mailbox))

    def orders(self) -> Subscription[OrderEvent | Gap]:
        """What happens to this user's orders from now on; a Gap says that events are missing."""
        mailbox = Every[OrderEvent | Gap](self._most_waiting)
        return self._subscribe(Route(Channel.ORDERS, (), mailbox))

    def status(self) -> Subscription[FeedStatus]:
        """The state of the connection to the market."""
        mailbox = Newest[FeedStatus](self._most_waiting, lambda _: "status")
        return self._subscribe(Route(Channel.STATUS, (), mailbox))

    def events(self) -> Subscription[Event]:
        """What happens to the stream itself, from now on; the oldest make room."""
        self._check_open()
        return Subscription(self._conversation.listen(), self._conversation.unlisten)

    def _check_open(self) -> None:
        if self._task is None or self._task.done():
            raise RuntimeError("subscribe within `async with` of the client, while it is open")

    def _subscribe(self, route: Route) -> Subscription[Any]:
        self._check_open()
        self._conversation.add(route)
        return Subscription(route, self._conversation.remove)

    async def _stay(self, http: aiohttp.ClientSession, tokens: TokenSource) -> None:
        """Keep a stream open until that is in vain."""
        url = "ws" + self.url.removeprefix("http") + "/ws"
        link = Link(http, url, self._conversation, tokens, self._timing, self._opened.set)
        backoff = Backoff()
        live_at = time.monotonic()
        refused: Token | None = None
        while True:
            failure: ClientError | None
            try:
                token = await tokens.token(newer_than=refused)
            except Unavailable as problem:
                failure = problem
            else:
                if token is None:
                    raise self._last_failure or Unauthenticated("there is no token")
                failure = await link.serve(token)
                if link.live_since is not None:
                    live_at = time.monotonic()
                    if live_at - link.live_since > _LASTED_SECS:
                        backoff.reset()
                if not self._may_pass(failure, link):
                    refused = _refused(failure, link, before=refused)
            if failure is None:
                continue
            self._last_failure = failure
            if time.monotonic() - live_at > self._give_up_secs:
                detail = f"no stream of {self.url} for {self._give_up_secs:g} s: {failure}"
                raise Unreachable(detail) from failure
            await self._pause(failure, backoff)

    def _may_pass(self, failure: ClientError | None, link: Link) -> bool:
        """Whether our place is only taken: until the gateway has noticed it, by a stream of
        ours that broke.
        """
        is_at_the_door = isinstance(failure, TooMany) and link.live_since is None
        return is_at_the_door and self._conversation.was_live

    async def _pause(self, failure: ClientError, backoff: Backoff) -> None:
        if isinstance(failure, Unavailable):
            pause_secs = backoff.next_secs(failure.retry_after_secs, failure.spread_secs)
        else:
            pause_secs = backoff.next_secs()
        log.info("no stream: %s; trying again in %.1f s", failure, pause_secs)
        self._conversation.tell(Disconnected(str(failure), pause_secs))
        await asyncio.sleep(pause_secs)

    def _over(self, task: "asyncio.Task[None]") -> None:
        failure = None if task.cancelled() else task.exception()
        self._conversation.end(failure if isinstance(failure, Exception) else None)
        self._opened.set()


def _refused(failure: ClientError | None, link: Link, before: Token | None) -> Token | None:
    """The token that is not good any more, if that was it. Raises what is final."""
    if not isinstance(failure, Refused):
        return None
    if isinstance(failure, Unauthenticated) and (before is None or link.live_since is not None):
        return link.token
    raise failure


def _token_maker(
    auth_url: str,
    email: str | None,
    password: str | None,
    token: str | None,
    ask_token: Callable[[], Awaitable[str]] | None,
) -> Callable[[aiohttp.ClientSession], TokenSource]:
    ways = ((email, password), token, ask_token)
    if sum(way not in (None, (None, None)) for way in ways) != 1:
        raise ValueError("give either email and password, or token, or ask_token")
    if token is not None:
        return lambda _: GivenToken(token)
    if ask_token is not None:
        return lambda _: AskedToken(ask_token)
    if email is None or password is None:
        raise ValueError("email and password go together")
    return lambda http: Login(http, auth_url, email, password)


def _http_url(url: str) -> str:
    """An address with http or https; ws and wss mean the same."""
    scheme, separator, rest = url.rstrip("/").partition("://")
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    if scheme not in ("http", "https") or not separator or not rest:
        raise ValueError(f"not an address of http, https, ws or wss: {url!r}")
    return f"{scheme}://{rest.removesuffix('/ws')}"


def _checked(keys: Sequence[str]) -> Sequence[str]:
    if isinstance(keys, str):
        raise TypeError("keys is a list of instrument keys, not one of them")
    if not keys:
        raise ValueError("keys names no instrument")
    return keys


def _key(state: Quote | Depth) -> str:
    return state.key


def _stamp(state: Quote | Depth) -> tuple[int, int]:
    return state.epoch, state.seq


def _key_of_bar(bar: Bar | Gap) -> str | None:
    return bar.key if isinstance(bar, Bar) else None
