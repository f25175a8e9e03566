"""What an operator can set for auth."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import (
    MongoSettings,
    Names,
    NatsSettings,
    Networks,
    Port,
    Secs,
    ServiceSettings,
    TokenSettings,
)
from shared.web.verifier import KEYS_MAX_AGE_SECS

MAX_ACCESS_TTL_SECS: Final = 3_600
# A little more than verifiers keep our public keys, for all replicas to have the new one.
_PUBLISH_SECS: Final = KEYS_MAX_AGE_SECS + 30.0


class AuthSettings(ServiceSettings):
    """Settings of one auth process."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_AUTH_")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: Port = 7410
    """Port to listen on."""
    ops_port: Port = 7411
    """Where /healthz, /readyz and /metrics listen."""
    trusted_proxies: Networks = frozenset()
    """Networks, separated by commas, of proxies whose X-Forwarded-For and -Host are believed."""
    allowed_origins: Names = frozenset()
    """Web origins, separated by commas, of pages that may use cookies besides auth's own host."""

    keys_dir: Path
    """Holds the Ed25519 signing keys, one PEM file each, named by age."""
    create_missing_key: bool = False
    """Make a key if there is none. For one process on one machine: two that start
    together would each make a key, and neither would know the other's."""
    key_publish_secs: Secs = _PUBLISH_SECS
    """A new key is published for so long before it signs: no verifier may keep our public
    keys for longer."""
    key_reload_secs: Secs = 5.0
    """How often the folder of keys is read again."""

    access_ttl_secs: Annotated[int, Field(ge=60, le=MAX_ACCESS_TTL_SECS)] = 600
    """How long an access token is good."""
    session_ttl_secs: Annotated[int, Field(ge=60)] = 30 * 24 * 3_600
    """How long a session lasts after its login, however often its tokens are renewed."""
    session_idle_secs: Annotated[int, Field(ge=60)] = 7 * 24 * 3_600
    """A session whose tokens are not renewed for so long is over."""
    refresh_grace_secs: Annotated[float, Field(ge=0, le=60)] = 10.0
    """A refresh token that was just used is answered once more: the answer may be lost."""
    fresh_secs: Annotated[int, Field(ge=60)] = 900
    """For so long after the password was given, other sessions may be ended."""
    max_sessions_per_user: Annotated[int, Field(ge=1)] = 50
    """One more ends the session that was longest unused."""

    nats_password: SecretStr
    """Of the NATS user that is named like this service."""

    pepper: Annotated[SecretStr, Field(min_length=32)]
    """Mixed into every password before it is hashed; kept outside the database.
    Changing it locks every account out."""
    bcrypt_cost: Annotated[int, Field(ge=10, le=16)] = 12
    """One more doubles the time of a hash; 12 is about 240 ms of one core."""
    hash_workers: Annotated[int, Field(ge=1, le=64)] = 2
    """Threads that hash; each can take a whole core."""
    hash_niceness: Annotated[int, Field(ge=0, le=19)] = 10
    """How far these threads stand back for all else on the machine (Linux)."""
    hash_queue: Annotated[int, Field(ge=0)] = 32
    """Hashes that may wait for a thread; one more is refused as overloaded."""
    password_min_chars: Annotated[int, Field(ge=8, le=64)] = 15
    """NIST 800-63B-4 asks for 15 where the password is the only factor."""
    password_max_chars: Annotated[int, Field(ge=64, le=1_024)] = 128
    """Long enough for any passphrase, short enough to hash without harm."""

    free_account_attempts: Annotated[int, Field(ge=1)] = 10
    """Wrong passwords of one account, by strangers together and by each known device, before
    the next one must wait."""
    free_address_attempts: Annotated[int, Field(ge=1)] = 100
    """Wrong passwords from one address before the next one must wait."""
    free_signups: Annotated[int, Field(ge=1)] = 20
    """Accounts opened from one address before the next one must wait."""
    delay_base_secs: Secs = 1.0
    """The first wait; each further attempt doubles it."""
    delay_cap_secs: Secs = 120.0
    """The longest wait: never so long that somebody is locked out."""
    forget_secs: Secs = 3_600.0
    """Without an attempt for so long, the counts begin anew."""

    audit_days: Annotated[int, Field(ge=1)] = 400
    """How long entries of the audit log are kept."""

    nats: NatsSettings = Field(default_factory=NatsSettings)
    mongo: MongoSettings = Field(default_factory=MongoSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)

    @model_validator(mode="after")
    def _sessions_outlive_tokens(self) -> "AuthSettings":
        shortest = min(self.session_ttl_secs, self.session_idle_secs)
        if self.access_ttl_secs > shortest:
            raise ValueError("access_ttl_secs must not be longer than a session may last")
        return self
