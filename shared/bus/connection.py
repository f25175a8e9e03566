"""The NATS connection: detects a dead server and reconnects without limit."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError
from nats.js import JetStreamContext
from prometheus_client import Counter

from shared.bus.connection_causes import ConnectionCauses
from shared.bus.failover import ServerChoice, abort_connection, abort_lost_connections
from shared.bus.isolation import IsolationWatch
from shared.contracts.revocations import STREAM as REVOCATIONS_STREAM
from shared.contracts.subjects import (
    MARKET_JETSTREAM_API,
    OWN_JETSTREAM_API,
    TICKS_STREAM,
)
from shared.errors import BusClosed, ConfigError
from shared.runtime.backoff import Backoff
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.settings import NatsSettings
from shared.runtime.tasks import run_together

log = get_logger(__name__)

DEPENDENCY: Final = "nats"
# Users whose own account has JetStream. The others reach the JetStream of ingest's account
# under an API prefix that their account imports.
_JETSTREAM_USERS: Final = frozenset({"ingest", "auth"})
_CLOSE_TIMEOUT_SECS: Final = 2.0
_MAX_UNSENT_BYTES: Final = 8 << 20
_MAX_LOGGED_ERRORS: Final = 20

BUS_ERRORS: Final = Counter(
    "tradedad_bus_errors_total",
    "Errors that the NATS client reported, by exception class.",
    ["kind"],
)


class Bus:
    """An open NATS connection; as a component, it fails when the client closes for good."""

    def __init__(
        self,
        client: Client,
        settings: NatsSettings,
        js_api: str,
        *,
        closed: asyncio.Event,
        resync_required: asyncio.Event,
        probed_stream: str = TICKS_STREAM,
    ) -> None:
        self.client = client
        self.settings = settings
        self.js_api = js_api
        """Subject prefix of the API of this user's default JetStream."""
        self.js = self.jetstream(js_api)
        self.resync_required = resync_required
        """Set when messages may have been lost: after a reconnect, and when the client dropped
        messages because its queue was full. Its only consumer clears it."""
        self._closed = closed
        self._probed_stream = probed_stream

    def jetstream(self, js_api: str) -> JetStreamContext:
        """The JetStream whose API has the subject prefix `js_api`."""
        return self.client.jetstream(prefix=js_api, timeout=self.settings.request_timeout_secs)

    @property
    def is_connected(self) -> bool:
        """False while there is no connection; publishing then raises at once."""
        return self.client.is_connected

    @property
    def can_publish(self) -> bool:
        """True if connected and less than 8 MiB of published data is still unsent."""
        return self.client.is_connected and self.client.pending_data_size < _MAX_UNSENT_BYTES

    async def run(self) -> None:
        """Raises BusClosed once the client has closed for good (after some -ERR replies).

        Until then, leaves a server that is cut off from the others, if there are others.
        """
        works = {"closed": self._wait_closed()}
        if "," in self.settings.url:
            watch = IsolationWatch(self.client, self.js, self._probed_stream, SystemClock())
            works["isolation"] = watch.run()
        await run_together(works)
        raise BusClosed("the NATS client closed the connection for good")

    async def _wait_closed(self) -> None:
        await self._closed.wait()


@asynccontextmanager
async def connect_bus(
    settings: NatsSettings,
    *,
    user: str,
    password: str,
    readiness: Readiness,
    own_client: Client | None = None,
) -> AsyncIterator[Bus]:
    """Connect as `user`; waits without limit until a server accepts the connection.

    `own_client` is an unconnected client to use instead of a new `Client`, for callers with a
    subclass. Publishing while disconnected raises instead of buffering (`pending_size=0`): a
    buffered message is stale when it is sent, and a stale order is worse than none.
    """
    tls = _trusted(settings)
    closed = asyncio.Event()
    resync_required = asyncio.Event()
    backoff = Backoff(base_secs=0.1, cap_secs=2.0)
    causes = ConnectionCauses(settings.url, user)
    logged: set[str] = set()

    async def on_disconnect() -> None:
        readiness.down(DEPENDENCY, "disconnected")

    async def on_reconnect() -> None:
        backoff.reset()
        causes.connected()
        logged.clear()
        resync_required.set()
        readiness.up(DEPENDENCY)

    async def on_error(error: Exception) -> None:
        # The client's read loop awaits this callback, so it must be short. A denied publish
        # does not raise: this callback is the only place that reports it.
        BUS_ERRORS.labels(type(error).__name__).inc()
        if isinstance(error, SlowConsumerError):
            resync_required.set()
        if not client.is_connected:
            readiness.down(DEPENDENCY, causes.cause(error))
            return
        text = str(error) or repr(error)
        if text not in logged and len(logged) < _MAX_LOGGED_ERRORS:
            logged.add(text)
            log.warning("bus error", error=text)

    async def on_close() -> None:
        closed.set()

    client = own_client or Client()
    abort_lost_connections(client)
    if "tls://" in settings.url:
        _require_tls(client)
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
            reconnect_to_server_handler=ServerChoice(client, backoff).next,
            pending_size=0,
            tls=tls,
            disconnected_cb=on_disconnect,
            reconnected_cb=on_reconnect,
            error_cb=on_error,
            closed_cb=on_close,
        )
        causes.connected()
        readiness.up(DEPENDENCY)
        js_api = OWN_JETSTREAM_API if user in _JETSTREAM_USERS else MARKET_JETSTREAM_API
        yield Bus(
            client,
            settings,
            js_api,
            closed=closed,
            resync_required=resync_required,
            probed_stream=REVOCATIONS_STREAM if user == "auth" else TICKS_STREAM,
        )
    finally:
        await _close(client)


def _trusted(settings: NatsSettings) -> ssl.SSLContext | None:
    """Authorities of the servers' certificates; None for those of the operating system.

    Raises ConfigError if the file has no certificate.
    """
    if settings.ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        problem = f"TRADEDAD_NATS_CA_FILE: {settings.ca_file}: {error.strerror or error}"
        raise ConfigError([problem]) from None


def _require_tls(client: Client) -> None:
    """Make the client refuse a server without TLS if its URL has the scheme tls.

    The client would otherwise send the password unencrypted: it uses TLS only if the server
    requires it.
    """
    connect_command = client._connect_command  # noqa: SLF001

    def checked() -> bytes:
        server, info = client._current_server, client._server_info  # noqa: SLF001
        if server is not None and server.uri.scheme == "tls" and not info.get("tls_required"):
            raise NatsError("the server does not use TLS, which tls:// requires")
        return connect_command()

    client._connect_command = checked  # type: ignore[method-assign]  # noqa: SLF001


async def _close(client: Client) -> None:
    if client.is_closed:
        return
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT_SECS):
            await client.close()
    except (TimeoutError, NatsError, OSError, RuntimeError) as error:  # RuntimeError: uvloop's
        log.warning("bus not closed cleanly", error=repr(error))
    finally:
        abort_connection(client)
