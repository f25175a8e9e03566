"""The NATS connection, with settings that notice a dead server and never give up on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from nats.aio.client import Client, Server
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError
from nats.js import JetStreamContext
from prometheus_client import Counter

from shared.contracts.subjects import (
    MARKET_JETSTREAM_API,
    OWN_JETSTREAM_API,
)
from shared.errors import BusClosed
from shared.runtime.backoff import Backoff
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.settings import NatsSettings

log = get_logger(__name__)

DEPENDENCY: Final = "nats"
# In whose accounts JetStream is; all others find ingest's under another name.
JETSTREAM_USERS: Final = frozenset({"ingest", "auth"})
_CLOSE_SECS: Final = 2.0
_MAX_UNSENT_BYTES: Final = 8 << 20
_MOST_TOLD: Final = 20

ERRORS: Final = Counter("tradedad_bus_errors_total", "What NATS refused or lost, by kind", ["kind"])


class Bus:
    """An open connection; as a component, it ends the process should the client give up."""

    def __init__(
        self,
        client: Client,
        settings: NatsSettings,
        js_api: str,
        *,
        closed: asyncio.Event,
        missed: asyncio.Event,
    ) -> None:
        self.client = client
        self.settings = settings
        self.js_api = js_api
        self.js = self.jetstream(js_api)
        self.missed = missed
        """Set when messages may have been missed: by a reconnect, or as too many waited."""
        self._closed = closed

    def jetstream(self, js_api: str) -> JetStreamContext:
        """The JetStream whose API is under `js_api`: that of another account, say."""
        return self.client.jetstream(prefix=js_api, timeout=self.settings.request_timeout_secs)

    @property
    def is_connected(self) -> bool:
        """False while the server is away; a publish then raises at once."""
        return self.client.is_connected

    @property
    def can_publish(self) -> bool:
        """False also while a server that reads too slowly leaves much unsent."""
        return self.client.is_connected and self.client.pending_data_size < _MAX_UNSENT_BYTES

    async def run(self) -> None:
        """Raises BusClosed when the client has closed for good (some -ERR answers do that)."""
        await self._closed.wait()
        raise BusClosed("the NATS client closed the connection for good")


@asynccontextmanager
async def connect_bus(
    settings: NatsSettings,
    *,
    user: str,
    password: str,
    readiness: Readiness,
    own_client: Client | None = None,
) -> AsyncIterator[Bus]:
    """Connect as `user`, waiting for as long as no server answers; `own_client` is one of a
    class of the caller's, not yet connected.

    Publishing while disconnected raises instead of buffering (`pending_size=0`): what
    waits in a buffer is stale by the time it leaves, and a stale order is worse than none.
    """
    closed = asyncio.Event()
    missed = asyncio.Event()
    backoff = Backoff(base_secs=0.1, cap_secs=2.0)

    async def on_disconnect() -> None:
        readiness.down(DEPENDENCY, "disconnected")

    async def on_reconnect() -> None:
        backoff.reset()
        told.clear()
        missed.set()
        readiness.up(DEPENDENCY)

    told: set[str] = set()

    async def on_error(error: Exception) -> None:
        # Awaited inside the client's read loop: must stay short. What the server refuses
        # is told here and nowhere else: a denied publish never raises.
        ERRORS.labels(type(error).__name__).inc()
        if isinstance(error, SlowConsumerError):
            missed.set()
        text = str(error) or repr(error)
        if text not in told and len(told) < _MOST_TOLD:
            told.add(text)
            log.warning("bus error", error=text)
        if not client.is_connected:
            readiness.down(DEPENDENCY, str(error) or repr(error))

    async def on_close() -> None:
        closed.set()

    def next_server(servers: list[Server], _info: object) -> tuple[Server, float]:
        return servers[backoff.attempt % len(servers)], backoff.next_secs()

    client = own_client or Client()
    readiness.down(DEPENDENCY, "connecting")
    try:
        await client.connect(
            servers=[url.strip() for url in settings.url.split(",")],
            name=user,
            user=user,
            password=password,
            inbox_prefix=f"_INBOX.{user}",
            connect_timeout=settings.connect_timeout_secs,
            ping_interval=settings.ping_interval_secs,
            max_outstanding_pings=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            reconnect_to_server_handler=next_server,
            pending_size=0,
            disconnected_cb=on_disconnect,
            reconnected_cb=on_reconnect,
            error_cb=on_error,
            closed_cb=on_close,
        )
        readiness.up(DEPENDENCY)
        js_api = OWN_JETSTREAM_API if user in JETSTREAM_USERS else MARKET_JETSTREAM_API
        yield Bus(client, settings, js_api, closed=closed, missed=missed)
    finally:
        await _close(client)


async def _close(client: Client) -> None:
    if client.is_closed:
        return
    try:
        async with asyncio.timeout(_CLOSE_SECS):
            await client.close()
    except (TimeoutError, NatsError, OSError) as error:
        log.warning("bus did not close cleanly", error=repr(error))
