"""The settings of the gateway."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.contracts.trading import MAX_PARTITIONS
from shared.runtime.setting_types import (
    ExistingDir,
    Host,
    HttpUrl,
    Networks,
    Origins,
    Password,
    Port,
    Secs,
)
from shared.runtime.settings import NatsSettings, ServiceSettings, TokenSettings
from shared.runtime.site import IDLE_SECS, MAX_IDLE_CONNECTIONS


class GatewaySettings(ServiceSettings):
    """Settings of one gateway process."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_GATEWAY_")

    host: Host = "127.0.0.1"
    """Address to listen on."""
    port: Port = 7400
    """Port to listen on."""
    ops_port: Port = 7401
    """Port of /healthz, /readyz and /metrics."""
    gateway_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{0,64}$")] = ""
    """Name of this process, unique among gateways. If empty, one is generated at the start."""
    nats_password: Password
    """Password of the NATS user `gateway`."""
    allowed_origins: Origins = frozenset()
    """Web origins, separated by commas, that may open a stream besides the gateway's own origin."""
    trusted_proxies: Networks = frozenset()
    """Networks, separated by commas, of proxies whose X-Forwarded-For, -Proto and -Host are
    trusted."""

    auth_deadline_secs: Secs = 5.0
    """A stream without a valid token within this time after its start is closed with 4401."""
    expiry_warning_secs: Secs = 60.0
    """How long before the expiry of its token a stream receives the message `expiring`."""
    flush_interval_ms: Annotated[int, Field(ge=1, le=1_000)] = 18
    """The longest time between two writes to a client under load, in milliseconds. It is exceeded
    only when the writes to all clients take more than two thirds of it. While the CPU is mostly
    idle, each message is written at once."""
    max_quote_age_secs: Secs = 2.0
    """A quote that ingest received longer ago is sent as part of a snapshot, not as live. A
    difference between the clocks of the gateway and of ingest is measured and subtracted."""
    buffer_bytes: Annotated[int, Field(ge=4_096, le=1 << 30)] = 65_536
    """If more bytes than this are unsent, the client is behind: only order events are queued, and
    when it reads again, it receives the newest message of each instrument only."""
    blocked_secs: Secs = 15.0
    """A client that is behind for longer than this is closed with 4408."""
    heartbeat_secs: Secs = 20.0
    """A client is pinged after so long without data from it. It is disconnected if no pong arrives
    within half of this time."""

    stream_heartbeat_secs: Secs = 10.0
    """Interval of the message `heartbeat`, which every stream receives."""

    max_streams: Annotated[int, Field(ge=1, le=1_000_000_000)] = 10_000
    """Maximum number of open streams of this process. A further handshake gets HTTP 503. If the limit
    on open files (`ulimit -n`) allows fewer, a warning is logged, and that number is the maximum."""
    max_streams_per_address: Annotated[int, Field(ge=1, le=1_000_000_000)] = 200
    """Maximum number of open streams from one address. A further handshake gets HTTP 429."""
    max_streams_per_user: Annotated[int, Field(ge=1, le=1_000_000_000)] = 20
    """Maximum number of open streams of one user. A further stream is closed with 4429."""
    accept_per_sec: Annotated[int, Field(ge=1, le=1_000_000_000)] = 400
    """Rate limit of new streams of this process, per second. Beyond it, a handshake gets HTTP 503
    with `Retry-After`."""
    accept_per_sec_per_address: Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False)] = (
        20.0
    )
    """Rate limit of new streams from one address, per second. Beyond it, a handshake gets HTTP 429
    with `Retry-After`. The burst is ten seconds of this rate plus `max_streams_per_address`."""
    idle_secs: Secs = IDLE_SECS
    """A connection without a complete request for so long is closed."""
    max_idle_connections: Annotated[int, Field(ge=1, le=1_000_000_000)] = MAX_IDLE_CONNECTIONS
    """Maximum number of connections without a complete request. If there are more, the oldest are
    closed before `idle_secs` have passed."""
    max_keys_per_stream: Annotated[int, Field(ge=1, le=1_000_000_000)] = 5_000
    """Maximum number of instruments and wildcards of one stream, over all channels."""
    max_message_bytes: Annotated[int, Field(ge=1_024, le=64 << 20)] = 16_384
    """Maximum length of a client's message, in bytes. A longer one closes the stream with 1009."""
    max_messages_per_sec: Annotated[int, Field(ge=1, le=1_000_000_000)] = 50
    """Rate limit of the messages of one client, per second, with a burst of four seconds. The same
    rate limits the subscribe and unsubscribe requests of one user over all streams, where each
    100 instruments count as one more request. The burst of these is `max_streams_per_user` times
    one second of requests and the cost of `max_keys_per_stream` instruments."""
    max_bad_messages: Annotated[int, Field(ge=1, le=1_000_000_000)] = 5
    """A stream with more malformed messages than this is closed with 4400. A stream with more
    messages than this beyond its rate limit is closed with 4429. Both are counted together, and
    every 10 s the count falls by one."""

    requests_per_sec: Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False)] = 20.0
    """Rate limit of the REST requests of one user, per second. Beyond it, a request gets HTTP 429."""
    requests_burst: Annotated[int, Field(ge=1, le=1_000_000_000)] = 100
    """Burst of the REST requests of one user."""
    address_requests_per_sec: Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False)] = 50.0
    """Rate limit of the requests from one address without a valid token, per second: requests to
    auth, for the page, and with invalid tokens. Beyond it, a request gets HTTP 429."""
    address_requests_burst: Annotated[int, Field(ge=1, le=1_000_000_000)] = 400
    """Burst of the requests from one address without a valid token."""
    question_timeout_secs: Secs = 3.0
    """Timeout of a request to the persister."""
    questions_at_once: Annotated[int, Field(ge=1, le=1_000_000_000)] = 256
    """Maximum number of requests to the persister in flight. A further one gets HTTP 503."""
    trading_partitions: Annotated[int, Field(ge=1, le=MAX_PARTITIONS)] = 1
    """Number of partitions of the trading service, the same as in its own settings."""
    order_timeout_secs: Secs = 5.0
    """Timeout of a request to the trading service."""
    trading_requests_at_once: Annotated[int, Field(ge=1, le=1_000_000_000)] = 256
    """Maximum number of requests to one partition of the trading service in flight. A further one gets
    HTTP 503."""
    link_timeout_secs: Secs = 25.0
    """Timeout of a request to the trading service for which it calls Upstox: to finish a login, to ask
    for a token, or to unlink an account. To finish a login takes two calls, so this must be more than
    twice `TRADEDAD_UPSTOX_TIMEOUT_SECS`."""
    hook_timeout_secs: Secs = 4.0
    """How long a post of Upstox's webhook or notifier waits for the trading service. It is then
    answered all the same."""
    hooks_per_sec: Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False)] = 20.0
    """Rate limit of the posts of Upstox's webhook and notifier for one user, per second. Beyond it, a
    post gets HTTP 429. They also count as requests without a valid token from their address."""
    hooks_burst: Annotated[int, Field(ge=1, le=1_000_000_000)] = 100
    """Burst of the posts for one user."""

    auth_url: HttpUrl = "http://127.0.0.1:7410"
    """URL of the auth service, to which /auth and /.well-known/jwks.json are forwarded."""
    auth_timeout_secs: Secs = 20.0
    """Timeout of a request to auth."""
    auth_requests_at_once: Annotated[int, Field(ge=1, le=1_000_000_000)] = 256
    """Maximum number of requests to auth in flight. A further one gets HTTP 503."""
    auth_connections: Annotated[int, Field(ge=1, le=1_000_000_000)] = 64
    """Maximum number of connections to auth."""
    page_dir: ExistingDir | None = None
    """Directory of the web page; the built-in page if not set. The files are read once, at the
    start. A file below `assets` is cached by browsers for a year, so its name must change with
    its content. `NAME.gz` beside a file is sent in its place to browsers that accept it, if it has
    the same content."""

    shutdown_spread_secs: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 5.0
    """Period over which the streams are closed at shutdown. It is limited to half of
    `TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS`."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)
