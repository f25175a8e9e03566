"""What can be set of the gateway."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import (
    HttpUrl,
    Names,
    NatsSettings,
    Networks,
    Port,
    Secs,
    ServiceSettings,
    TokenSettings,
)
from shared.runtime.site import IDLE_SECS, MAX_IDLE_CONNECTIONS


class GatewaySettings(ServiceSettings):
    """Settings of the gateway service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_GATEWAY_")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 7400
    """Port to listen on."""
    ops_port: Port = 7401
    """Where /healthz, /readyz and /metrics listen."""
    gateway_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{0,64}$")] = ""
    """Name of this process among gateways; made up at the start if empty."""
    nats_password: SecretStr
    """Of the NATS user that is named like this service."""
    allowed_origins: Names = frozenset()
    """Web origins, separated by commas, that may open a stream besides the gateway's own."""
    trusted_proxies: Networks = frozenset()
    """Networks, separated by commas, of proxies whose X-Forwarded-For and -Proto are believed."""

    auth_deadline_secs: Secs = 5.0
    """A stream on which nobody has authenticated by then is closed."""
    expiry_warning_secs: Secs = 60.0
    """A stream is told so long before its token expires."""
    flush_interval_ms: Annotated[int, Field(ge=1, le=1_000)] = 18
    """The longest that quotes wait for others to leave with in one message; longer only where
    writing takes two thirds of the time already."""
    max_quote_age_secs: Secs = 2.0
    """What ingest received longer ago is not passed on as live, but as a snapshot; our
    clock and ingest's must agree better than that."""
    buffer_bytes: Annotated[int, Field(ge=4_096)] = 65_536
    """A client with more than this unsent gets the newest quotes only, once it takes them."""
    blocked_secs: Secs = 15.0
    """A client that takes nothing for so long is closed."""
    heartbeat_secs: Secs = 20.0
    """Time between pings; a client that does not answer is gone."""

    max_streams: Annotated[int, Field(ge=1)] = 10_000
    """Open streams of this process; one more gets 503."""
    max_streams_per_address: Annotated[int, Field(ge=1)] = 200
    """Open streams from one address; one more gets 429."""
    max_streams_per_user: Annotated[int, Field(ge=1)] = 20
    """Open streams of one user; one more is closed."""
    accept_per_sec: Annotated[int, Field(ge=1)] = 400
    """New streams a second; the rest of a storm gets 503 with a time to come back."""
    accept_per_sec_per_address: Annotated[float, Field(gt=0)] = 20.0
    """New streams a second from one address, on average; the rest gets 429. At once there may be
    those of ten seconds, and as many more as the address may have open."""
    idle_secs: Secs = IDLE_SECS
    """A connection on which no whole request comes for so long is closed."""
    max_idle_connections: Annotated[int, Field(ge=1)] = MAX_IDLE_CONNECTIONS
    """Of more such connections than this, the oldest are closed at once."""
    max_keys_per_stream: Annotated[int, Field(ge=1)] = 5_000
    """Instruments, and wildcards, that one stream may subscribe to."""
    max_message_bytes: Annotated[int, Field(ge=1_024)] = 16_384
    """A longer message of a client ends its stream with 1009."""
    max_messages_per_sec: Annotated[int, Field(ge=1)] = 50
    """Messages of one client a second, on average; four times as many at once. And as many
    subscribes and unsubscribes of one user, on all streams, each 100 instruments being one more;
    at once what a user needs to subscribe to all that it may on all streams."""
    max_bad_messages: Annotated[int, Field(ge=1)] = 5
    """A stream that sends more malformed messages than this is closed, and likewise one that
    goes on sending while it is told that it sends too much; one is forgiven every 10 s."""

    requests_per_sec: Annotated[float, Field(gt=0)] = 20.0
    """REST requests of one user a second, on average; one more gets 429."""
    requests_burst: Annotated[int, Field(ge=1)] = 100
    """REST requests of one user at once."""
    address_requests_per_sec: Annotated[float, Field(gt=0)] = 50.0
    """Requests without a good token from one address a second, on average: to auth, of the
    page, and with bad tokens."""
    address_requests_burst: Annotated[int, Field(ge=1)] = 400
    """Requests without a good token from one address at once."""
    question_timeout_secs: Secs = 3.0
    """The longest that the persister may take for an answer."""
    questions_at_once: Annotated[int, Field(ge=1)] = 256
    """Questions that wait for the persister's answer; one more gets 503."""

    auth_url: HttpUrl = "http://127.0.0.1:7410"
    """Where /auth and /.well-known/jwks.json are forwarded to."""
    auth_timeout_secs: Secs = 20.0
    """The longest that auth may take for an answer."""
    auth_requests_at_once: Annotated[int, Field(ge=1)] = 256
    """Requests to auth that are under way; one more gets 503."""
    auth_connections: Annotated[int, Field(ge=1)] = 64
    """Connections to auth."""
    page_dir: Path | None = None
    """Folder of the web page; the small one that is built in if it is not set. Its files are
    read once, at the start; those below `assets` are taken to be named by what is in them."""

    shutdown_spread_secs: Annotated[float, Field(ge=0)] = 5.0
    """Over how long the clients are sent away when this process stops; at most half of
    its shutdown deadline."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)
