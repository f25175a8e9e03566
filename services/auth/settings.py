"""The settings of auth."""

from typing import Annotated, Final

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.runtime.setting_types import AnyPath, Host, Networks, Origins, Password, Port, Secs
from shared.runtime.settings import MongoSettings, NatsSettings, ServiceSettings, TokenSettings
from shared.web.key_set import KEYS_MAX_AGE_SECS

MAX_ACCESS_TTL_SECS: Final = 3_600
MAX_SESSION_SECS: Final = 10 * 366 * 24 * 3_600
# 30 s longer than verifiers cache the public keys, for all replicas to load the new key.
_KEY_PUBLISH_SECS: Final = KEYS_MAX_AGE_SECS + 30.0


class AuthSettings(ServiceSettings):
    """Settings of one auth process."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_AUTH_")

    host: Host = "127.0.0.1"
    """Address to listen on."""
    port: Port = 7410
    """Port to listen on."""
    ops_port: Port = 7411
    """Port of /healthz, /readyz and /metrics."""
    trusted_proxies: Networks = frozenset()
    """Networks, separated by commas, of proxies whose X-Forwarded-For and -Host are trusted."""
    allowed_origins: Origins = frozenset()
    """Web origins, separated by commas, that may use cookies besides auth's own host."""

    keys_dir: AnyPath
    """Directory of the Ed25519 signing keys, one PEM file each; their names sort by age."""
    create_missing_key: bool = False
    """Create a key if there is none. Only for a single process: two that start at the same time
    would each create a key, and neither would have the other's."""
    key_publish_secs: Secs = _KEY_PUBLISH_SECS
    """How long a new key is published before it signs. Must be longer than any verifier caches
    the public keys."""
    key_reload_secs: Secs = 5.0
    """How often the directory of keys is read again."""

    access_ttl_secs: Annotated[int, Field(ge=60, le=MAX_ACCESS_TTL_SECS)] = 600
    """Lifetime of an access token."""
    session_ttl_secs: Annotated[int, Field(ge=60, le=MAX_SESSION_SECS)] = 30 * 24 * 3_600
    """Lifetime of a session after its login, however often its tokens are refreshed."""
    session_idle_secs: Annotated[int, Field(ge=60, le=MAX_SESSION_SECS)] = 7 * 24 * 3_600
    """A session ends after this time without a refresh of its tokens."""
    refresh_grace_secs: Annotated[float, Field(ge=0, le=60)] = 60.0
    """How long a used refresh token gets the same answer again, in case the first was lost."""
    fresh_secs: Annotated[int, Field(ge=60, le=MAX_SESSION_SECS)] = 900
    """How long after the password was verified a session may end other sessions."""
    max_sessions_per_user: Annotated[int, Field(ge=1, le=1_000_000_000)] = 50
    """Sessions per user. A further login ends the session that was unused for longest."""

    nats_password: Password
    """Password of the NATS user `auth`."""

    pepper: Annotated[SecretStr, Field(min_length=32)]
    """Secret key of all password hashes; stored outside the database. After a change no
    password can be verified."""
    bcrypt_cost: Annotated[int, Field(ge=10, le=16)] = 12
    """Cost of a password hash. Each step doubles its time; 12 takes about 240 ms of one core."""
    hash_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads that compute password hashes; each can use a whole core."""
    hash_niceness: Annotated[int, Field(ge=0, le=19)] = 10
    """Niceness of these threads (Linux)."""
    hash_queue: Annotated[int, Field(ge=0, le=100_000)] = 32
    """Hashes that may wait for a thread; a further one is refused as overloaded."""
    password_min_chars: Annotated[int, Field(ge=8, le=64)] = 15
    """Shortest new password. NIST SP 800-63B-4 requires 15 if the password is the only factor."""
    password_max_chars: Annotated[int, Field(ge=64, le=1_024)] = 128
    """Longest new password."""

    free_account_attempts: Annotated[int, Field(ge=1, le=1_000_000_000)] = 10
    """Wrong passwords of an account without a delay: of all unknown devices together, and of
    each known device."""
    free_address_attempts: Annotated[int, Field(ge=1, le=1_000_000_000)] = 100
    """Wrong passwords from an address without a delay."""
    free_signups: Annotated[int, Field(ge=1, le=1_000_000_000)] = 20
    """Sign-ups from an address without a delay."""
    delay_base_secs: Secs = 1.0
    """The first delay; each further attempt doubles it."""
    delay_cap_secs: Secs = 120.0
    """The longest delay. It must stay short, since a delay must not lock a user out."""
    forget_secs: Secs = 3_600.0
    """After this time without an attempt a count starts again from zero."""

    audit_days: Annotated[int, Field(ge=1, le=36_500)] = 400
    """How long entries of the audit log are stored."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)

    @model_validator(mode="after")
    def _sessions_outlive_tokens(self) -> "AuthSettings":
        shortest = min(self.session_ttl_secs, self.session_idle_secs)
        if self.access_ttl_secs > shortest:
            raise ValueError(
                f"TRADEDAD_AUTH_ACCESS_TTL_SECS: {self.access_ttl_secs}: must not be longer than "
                f"TRADEDAD_AUTH_SESSION_TTL_SECS ({self.session_ttl_secs}) or "
                f"TRADEDAD_AUTH_SESSION_IDLE_SECS ({self.session_idle_secs})"
            )
        return self
