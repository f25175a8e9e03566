"""What can be set of the gateway."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from shared.settings import NatsSettings, Port, Secs, ServiceSettings, TokenSettings


def _by_comma(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(part.strip() for part in value.split(",") if part.strip())


class GatewaySettings(ServiceSettings):
    """Settings of the gateway service."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_GATEWAY_")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 7400
    """Port to listen on."""
    ops_port: Port = 7401
    """Where /healthz, /readyz and /metrics listen."""
    nats_password: SecretStr
    """Of the NATS user that is named like this service."""
    allowed_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_by_comma)] = frozenset()
    """Web origins, separated by commas, that may open a stream besides the gateway's own."""
    auth_deadline_secs: Secs = 5.0
    """A stream on which nobody has authenticated by then is closed."""
    flush_interval_ms: Annotated[int, Field(ge=1, le=1_000)] = 5
    """Quotes of one interval leave in one message."""
    blocked_secs: Secs = 15.0
    """A client that takes nothing for so long is closed."""
    heartbeat_secs: Secs = 20.0
    """Time between pings; a client that does not answer is gone."""
    max_streams: Annotated[int, Field(ge=1)] = 10_000
    """Open streams of this process; one more gets 503."""
    max_keys_per_stream: Annotated[int, Field(ge=1)] = 2_000
    """Instruments that one stream may subscribe to."""
    max_message_bytes: Annotated[int, Field(ge=1_024)] = 16_384
    """A longer message of a client ends its stream with 1009."""
    max_bad_messages: Annotated[int, Field(ge=1)] = 5
    """A stream that sends more malformed messages than this is closed."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)
