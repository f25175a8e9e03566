"""The stream of a client: opened again whenever it is lost, and the subscriptions on it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

import aiohttp

from tradedad_client import names
from tradedad_client.buffers import ReceiveBuffer
from tradedad_client.connection import StreamConnection, Timing
from tradedad_client.errors import ClientError, UnknownInstrument, Unreachable
from tradedad_client.instruments import Instruments
from tradedad_client.messages import Channel, Event
from tradedad_client.protocol import StreamProtocol
from tradedad_client.reconnect import ReconnectLoop
from tradedad_client.subscription import Subscription
from tradedad_client.subscription_state import SubscriptionState
from tradedad_client.tasks import stop
from tradedad_client.tokens import TokenSource

log = logging.getLogger("tradedad_client")

_MOST_LOOKUPS: Final = 1_000


class Stream:
    """One stream, and the look-ups of the names that its subscriptions were given."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        tokens: TokenSource,
        instruments: Instruments,
        *,
        timing: Timing,
        give_up_secs: float,
    ) -> None:
        self._url = url
        self._instruments = instruments
        self._protocol = StreamProtocol()
        self._opened = asyncio.Event()
        connection = StreamConnection(
            http,
            "ws" + url.removeprefix("http") + "/ws",
            self._protocol,
            tokens,
            timing,
            self._opened.set,
        )
        self._reconnect = ReconnectLoop(connection, self._protocol, tokens, url, give_up_secs)
        self._task: asyncio.Task[None] | None = None
        self._lookups: set[asyncio.Task[None]] = set()

    @property
    def is_live(self) -> bool:
        """Whether the stream is open and the token was accepted."""
        return self._protocol.is_live

    @property
    def is_running(self) -> bool:
        """Whether the stream is open, or will be opened again."""
        return self._task is not None and not self._task.done()

    async def open(self, timeout_secs: float) -> None:
        """Open the stream. Raises Refused, or Unreachable after `timeout_secs`."""
        self._task = asyncio.create_task(self._reconnect.run(), name="tradedad")
        self._task.add_done_callback(self._on_end)
        try:
            async with asyncio.timeout(timeout_secs):
                await self._opened.wait()
        except TimeoutError:
            cause = self._reconnect.last_error or "no answer"
            detail = f"no stream of {self._url} within {timeout_secs:g} s: {cause}"
            raise Unreachable(detail) from self._reconnect.last_error
        if self._task.done():
            await self._task  # raises the error

    async def close(self) -> None:
        """Close the stream and all subscriptions."""
        tasks = [*self._lookups] if self._task is None else [self._task, *self._lookups]
        await stop(tasks)
        self._protocol.close(None)

    def subscribe(
        self,
        channel: Channel,
        names_or_keys: Sequence[str],
        buffer: ReceiveBuffer[Any],
        interval_ms: int | None = None,
        suffix: str = "",
    ) -> Subscription[Any]:
        """Subscribe to keys at once, and to names as soon as their keys are known.

        Requests have each key with `suffix`.
        """
        keys = [name + suffix for name in names_or_keys if names.is_key(name)]
        state = SubscriptionState(channel, keys, buffer, interval_ms)
        if len(keys) == len(names_or_keys):
            self._protocol.add(state)
        to_look_up = [name for name in names_or_keys if not names.is_wildcard(name)]
        if to_look_up:
            if len(self._lookups) >= _MOST_LOOKUPS:
                raise RuntimeError(f"{_MOST_LOOKUPS} subscriptions wait for their instruments")
            lookup = asyncio.create_task(
                self._look_up(state, names_or_keys, to_look_up, suffix), name="tradedad: look up"
            )
            self._lookups.add(lookup)
            lookup.add_done_callback(lambda task: self._on_looked_up(state, task))
        return Subscription(state, self._protocol.remove)

    def listen(self) -> Subscription[Event]:
        """Subscribe to events of the stream itself."""
        return Subscription(self._protocol.add_listener(), self._protocol.remove_listener)

    async def _look_up(
        self,
        state: SubscriptionState,
        names_or_keys: Sequence[str],
        to_look_up: Sequence[str],
        suffix: str,
    ) -> None:
        """Request the keys of names. Raises UnknownInstrument for names and keys that are wrong.

        A subscription that has keys only is not delayed, nor ended if they cannot be checked.
        """
        has_names = len(state.keys) < len({*names_or_keys})
        try:
            found = await self._instruments.get_many(to_look_up)
        except UnknownInstrument:
            raise
        except ClientError as error:
            if has_names:
                raise
            log.info("the keys of a subscription cannot be checked: %s", error)
            return
        if has_names:
            key_of = {name: one.key for name, one in zip(to_look_up, found, strict=True)}
            state.set_names({name: key_of.get(name, name) + suffix for name in names_or_keys})
            if not state.is_closed:
                self._protocol.add(state)

    def _on_looked_up(self, state: SubscriptionState, task: "asyncio.Task[None]") -> None:
        self._lookups.discard(task)
        error = self._failure() if task.cancelled() else task.exception()
        if task.cancelled() or error is not None:
            self._protocol.remove(state, error if isinstance(error, Exception) else None)

    def _on_end(self, _: "asyncio.Task[None]") -> None:
        for lookup in self._lookups:
            lookup.cancel()
        self._protocol.close(self._failure())
        self._opened.set()

    def _failure(self) -> Exception | None:
        """Return the error that ended the stream; None if it is open or was closed."""
        task = self._task
        if task is None or not task.done() or task.cancelled():
            return None
        error = task.exception()
        return error if isinstance(error, Exception) else None
