"""The client for programs and notebooks without `await`: the same calls, which block.

An event loop in a thread of its own runs a `tradedad_client.Client`.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

import tradedad_client
from tradedad_client import account_events, client, instruments, subscription, trading
from tradedad_client.connection import Timing
from tradedad_client.environment import DEFAULT_URL, options_of_environment
from tradedad_client.loop_thread import LoopThread
from tradedad_client.rest import RequestTiming
from tradedad_client.trading_messages import AccountEvent

P = ParamSpec("P")
T = TypeVar("T")


class _End:
    """Marks the end of an iteration."""


_END = _End()


def _blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Any, P], T]:
    """Make a method that waits for the result of a coroutine method of the same name."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._thread.run(method(self._inner, *args, **kwargs))  # type: ignore[no-any-return]

    return call


def _subscribing(
    method: Callable[Concatenate[Any, P], subscription.Subscription[T]],
) -> Callable[Concatenate[Any, P], "Subscription[T]"]:
    """Make a method that returns a subscription whose iteration blocks."""

    @wraps(method)
    def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Subscription[T]:
        async def subscribe() -> subscription.Subscription[T]:
            return method(self._inner, *args, **kwargs)

        return Subscription(self, self._thread.run(subscribe()))

    return call


class _Messages(Generic[T]):
    """An iterator that waits for the messages of an asynchronous one."""

    def __init__(self, owner: "Client", inner: Any) -> None:
        self._owner = owner  # a client that nothing refers to is closed
        self._thread = owner._thread  # noqa: SLF001  (the class is of this module)
        self._inner = inner

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        message: T | _End = self._thread.run(_next(self._inner))
        if isinstance(message, _End):
            raise StopIteration
        return message

    def read(self, timeout_secs: float) -> T | None:
        """Return the next message; None if there is none in time, or no further one."""
        try:
            message: T | _End = self._thread.run(_next(self._inner, timeout_secs))
        except TimeoutError:
            return None
        return None if isinstance(message, _End) else message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe. Unread messages can still be read; then the iteration ends."""

        async def close() -> None:
            self._inner.close()

        self._thread.run(close())


class Subscription(_Messages[T]):
    """Messages in the order in which they arrive, until the subscription or the client closes."""

    _inner: subscription.Subscription[T]

    ready = _blocking(subscription.Subscription.ready)

    def __repr__(self) -> str:
        return repr(self._inner)

    @property
    def outcomes(self) -> Mapping[str, str]:
        """The last known outcome of each key: see `Outcome`."""
        return self._inner.outcomes

    @property
    def names(self) -> Mapping[str, str]:
        """The name by which the program asked for each key, once the names are looked up."""
        return self._inner.names

    @property
    def is_closed(self) -> bool:
        """Whether no further message comes; unread ones may be left."""
        return self._inner.is_closed

    @property
    def waiting(self) -> int:
        """Number of unread messages."""
        return self._inner.waiting

    @property
    def conflated(self) -> int:
        """Number of states that were replaced by newer ones before they were read."""
        return self._inner.conflated

    @property
    def outdated(self) -> int:
        """Number of states that arrived after a newer one and were dropped."""
        return self._inner.outdated


class AccountEvents(_Messages[AccountEvent]):
    """Each event of the user once, in order of `seq`."""

    _inner: account_events.AccountEvents

    ready = _blocking(account_events.AccountEvents.ready)

    @property
    def last_seq(self) -> int | None:
        """Number of the last event that the program received."""
        return self._inner.last_seq


class _Part(Generic[T]):
    """Calls of a part of the client."""

    def __init__(self, owner: "Client", inner: T) -> None:
        self._owner = owner  # a client that nothing refers to is closed
        self._thread = owner._thread  # noqa: SLF001  (the class is of this module)
        self._inner = inner


class Instruments(_Part[instruments.Instruments]):
    """Search and look-up of instruments."""

    search = _blocking(instruments.Instruments.search)
    get = _blocking(instruments.Instruments.get)
    get_many = _blocking(instruments.Instruments.get_many)
    detail = _blocking(instruments.Instruments.detail)
    key = _blocking(instruments.Instruments.key)


class Trading(_Part[trading.Trading]):
    """The user's orders and accounts."""

    place = _blocking(trading.Trading.place)
    preview = _blocking(trading.Trading.preview)
    preview_changes = _blocking(trading.Trading.preview_changes)
    modify = _blocking(trading.Trading.modify)
    cancel = _blocking(trading.Trading.cancel)
    cancel_all = _blocking(trading.Trading.cancel_all)
    exit = _blocking(trading.Trading.exit)
    exit_all = _blocking(trading.Trading.exit_all)
    set_kill_switch = _blocking(trading.Trading.set_kill_switch)
    reset_paper = _blocking(trading.Trading.reset_paper)
    orders = _blocking(trading.Trading.orders)
    order = _blocking(trading.Trading.order)
    trades = _blocking(trading.Trading.trades)
    positions = _blocking(trading.Trading.positions)
    holdings = _blocking(trading.Trading.holdings)
    funds = _blocking(trading.Trading.funds)
    limits = _blocking(trading.Trading.limits)
    events = _blocking(trading.Trading.events)
    link_status = _blocking(trading.Trading.link_status)
    link = _blocking(trading.Trading.link)
    finish_link = _blocking(trading.Trading.finish_link)
    request_link = _blocking(trading.Trading.request_link)
    unlink = _blocking(trading.Trading.unlink)

    def follow(self, after: int | None = None) -> AccountEvents:
        """Follow the events after a `seq`, or after the newest one; none is left out or repeated."""

        async def follow() -> account_events.AccountEvents:
            return self._inner.follow(after)

        return AccountEvents(self._owner, self._thread.run(follow()))


class Client:
    """Market data, orders and accounts of Trade Dad, with calls that block.

    It is open from the start until `close`, the end of its `with` block, or the end of the program.
    The options are those of `tradedad_client.Client`, except that `ask_token` is a plain function.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        email: str | None = None,
        password: str | None = None,
        token: str | None = None,
        ask_token: Callable[[], str] | None = None,
        auth_url: str | None = None,
        most_waiting: int = 10_000,
        open_timeout_secs: float = 30.0,
        give_up_secs: float = 900.0,
        timing: Timing | None = None,
        request_timing: RequestTiming | None = None,
        stream: bool = True,
    ) -> None:
        self._inner = tradedad_client.Client(
            url,
            email=email,
            password=password,
            token=token,
            ask_token=None if ask_token is None else _in_a_thread(ask_token),
            auth_url=auth_url,
            most_waiting=most_waiting,
            open_timeout_secs=open_timeout_secs,
            give_up_secs=give_up_secs,
            timing=timing,
            request_timing=request_timing,
            stream=stream,
        )
        self._thread = LoopThread()
        self._finalizer = weakref.finalize(self, _close, self._thread, self._inner)
        try:
            self._thread.run(self._inner.__aenter__())
        except BaseException:
            self.close()
            raise

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """Return a client with the address and credentials of ``TRADEDAD_CLIENT_...`` variables."""
        return cls(**options_of_environment(options))

    def __repr__(self) -> str:
        return f"tradedad_client.sync.{self._inner!r}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the stream and all subscriptions; log out if the client has logged in."""
        self._finalizer()

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return self._inner.url

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and the token was accepted."""
        return self._inner.is_live

    @property
    def instruments(self) -> Instruments:
        """Search and look-up of instruments."""
        return Instruments(self, self._inner.instruments)

    @property
    def trading(self) -> Trading:
        """Orders and accounts."""
        return Trading(self, self._inner.trading)

    bars = _blocking(client.Client.bars)
    gaps = _blocking(client.Client.gaps)
    option_chain = _blocking(client.Client.option_chain)
    last_quotes = _blocking(client.Client.last_quotes)
    system_status = _blocking(client.Client.system_status)
    quotes = _subscribing(client.Client.quotes)
    depth = _subscribing(client.Client.depth)
    chain = _subscribing(client.Client.chain)
    candles = _subscribing(client.Client.candles)
    live_bars = _subscribing(client.Client.live_bars)
    orders = _subscribing(client.Client.orders)
    status = _subscribing(client.Client.status)
    events = _subscribing(client.Client.events)


async def _next(inner: AsyncIterator[T], timeout_secs: float | None = None) -> T | _End:
    try:
        async with asyncio.timeout(timeout_secs):
            return await anext(inner)
    except StopAsyncIteration:
        return _END


def _in_a_thread(ask_token: Callable[[], str]) -> Callable[[], Awaitable[str]]:
    async def ask() -> str:
        return await asyncio.to_thread(ask_token)

    return ask


def _close(thread: LoopThread, inner: client.Client) -> None:
    thread.close_with(inner.close())
