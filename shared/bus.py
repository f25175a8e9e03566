"""The NATS connection, with settings that notice a dead server and never give up on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from nats.aio.client import Client, Server
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError
from nats.js import JetStreamContext
from nats.js.api import (
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError
from prometheus_client import Counter

from shared.backoff import Backoff
from shared.errors import BusClosed, ConfigError
from shared.health import Readiness
from shared.lease import Leases
from shared.logs import get_logger
from shared.revocations import ALL_REVOCATIONS
from shared.revocations import STREAM as REVOCATIONS_STREAM
from shared.settings import NatsSettings
from shared.subjects import (
    LEASES_BUCKET,
    MARKET_JETSTREAM_API,
    OWN_JETSTREAM_API,
    TICKS_STREAM,
    TICKS_SUBJECTS,
)

log = get_logger(__name__)

DEPENDENCY: Final = "nats"
# In whose accounts JetStream is; all others find ingest's under another name.
JETSTREAM_USERS: Final = frozenset({"ingest", "auth"})
_CLOSE_SECS: Final = 2.0
_MAX_UNSENT_BYTES: Final = 8 << 20
_MOST_TOLD: Final = 20
_MAX_REVOCATIONS_BYTES: Final = 64 << 20

ERRORS: Final = Counter("tradedad_bus_errors_total", "What NATS refused or lost, by kind", ["kind"])


class Bus:
    """An open connection; as a part, it ends the process should the client give up."""

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


async def ensure_ticks_stream(bus: Bus, *, max_age_secs: float, max_bytes: int) -> None:
    """Create or update TICKS, the replay buffer of everything that bars are made of.

    Raises nats.errors.Error if the server does not answer or refuses.
    """
    config = StreamConfig(
        name=TICKS_STREAM,
        subjects=list(TICKS_SUBJECTS),
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_age=max_age_secs,
        max_bytes=max_bytes,
        max_msgs_per_subject=-1,
        num_replicas=bus.settings.replicas,
        no_ack=True,
        duplicate_window=min(120.0, max_age_secs),
    )
    try:
        await bus.js.stream_info(TICKS_STREAM)
    except NotFoundError:
        await bus.js.add_stream(config)
    else:
        await bus.js.update_stream(config)


async def open_leases(bus: Bus) -> Leases:
    """The bucket of leases; entries vanish when the TTL of the settings has passed.

    The TTL is the bucket's: nats-server 2.9 silently ignores one per message. Raises
    ConfigError if the bucket was made with a shorter one: it would let another leader
    in while the last still counts on its lease.
    """
    ttl_secs = bus.settings.lease_ttl_secs
    try:
        bucket = await bus.js.key_value(LEASES_BUCKET)
    except NotFoundError:
        config = KeyValueConfig(
            bucket=LEASES_BUCKET,
            ttl=ttl_secs,
            history=1,
            storage=StorageType.FILE,
            replicas=bus.settings.replicas,
        )
        bucket = await bus.js.create_key_value(config)
    status = await bucket.status()
    kept_secs = status.ttl or 0.0
    if 0.0 < kept_secs < ttl_secs:
        problem = (
            f"TRADEDAD_NATS_LEASE_TTL_SECS: {ttl_secs} s is longer than the {kept_secs} s of the "
            "bucket in NATS; go back to that, or stop ingest and persister and delete the stream "
            f"KV_{LEASES_BUCKET}"
        )
        raise ConfigError([problem])
    return Leases(bucket, _made_at_ms(status.stream_info))


def _made_at_ms(info: StreamInfo) -> int:
    return 0 if info.created is None else int(info.created.timestamp() * 1_000)


async def ensure_revocations_bucket(bus: Bus, *, ttl_secs: float) -> None:
    """Make the bucket that auth keeps revocations in, or have it keep them for longer.

    It is never made to forget sooner: older tokens may live as long as they were given.
    Raises nats.errors.Error if the server does not answer or refuses.
    """
    config = StreamConfig(
        name=REVOCATIONS_STREAM,
        subjects=[ALL_REVOCATIONS],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_age=ttl_secs,
        max_bytes=_MAX_REVOCATIONS_BYTES,
        max_msgs_per_subject=1,
        num_replicas=bus.settings.replicas,
        allow_rollup_hdrs=True,
        deny_delete=True,
        duplicate_window=min(120.0, ttl_secs),
    )
    try:
        known = (await bus.js.stream_info(REVOCATIONS_STREAM)).config
    except NotFoundError:
        await bus.js.add_stream(config)
    else:
        if (known.max_age or 0.0) < ttl_secs:
            await bus.js.update_stream(config)
