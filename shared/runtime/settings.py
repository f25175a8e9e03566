"""Settings from environment variables: base class, shared groups and strict loader.

Every variable starts with ``TRADEDAD_``. An unknown variable is an error that names the nearest
valid one: a misspelt setting must not silently fall back to its default. A secret can also be
in a file, named like its variable, in the directory ``TRADEDAD_SECRETS_DIR``.
"""

import difflib
import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from shared.errors import ConfigError

PREFIX: Final = "TRADEDAD_"
SECRETS_DIR: Final = "TRADEDAD_SECRETS_DIR"
# Each part checks the variables with its own name itself; the other parts ignore them.
SERVICE_PREFIXES: Final = (
    "AUTH",
    "GATEWAY",
    "INGEST",
    "PERSISTER",
    "SIMULATOR",
    "STACK",
    "TRADING",
)


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _split_commas(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(part.strip() for part in value.split(",") if part.strip())


Port = Annotated[int, Field(ge=0, le=65_535)]
Secs = Annotated[float, Field(gt=0)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_split_commas)]
"""Texts, separated by commas."""
Networks = Annotated[frozenset[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_split_commas)]
"""IP networks, separated by commas."""


class Settings(BaseSettings):
    """A group of immutable settings; a subclass sets `env_prefix`."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_prefix=PREFIX, use_attribute_docstrings=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        directory = os.environ.get(SECRETS_DIR)
        if directory is None:
            return init_settings, env_settings
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, directory)


class LogSettings(Settings):
    """How a process logs."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_LOG_")

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is logged."""
    format: Literal["auto", "json", "console"] = "auto"
    """`auto` is `console` on a terminal and `json` otherwise."""


class RuntimeSettings(Settings):
    """How a process starts and stops."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_RUNTIME_")

    ops_host: str = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics; each service has its own port."""
    shutdown_deadline_secs: Secs = 10.0
    """A shutdown that takes longer is aborted with a non-zero exit code."""
    max_clock_skew_secs: Secs = 5.0
    """A process whose clock differs by more than this from the clock of auth (gateway),
    MongoDB (auth, persister) or NATS (ingest) is not ready."""


class NatsSettings(Settings):
    """The message bus."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_NATS_")

    url: str = "nats://127.0.0.1:7450"
    """URLs of one or more servers, separated by commas."""
    connect_timeout_secs: Annotated[int, Field(ge=1)] = 2
    """Timeout of one attempt to connect; the number of attempts is not limited."""
    request_timeout_secs: Secs = 3.0
    """Timeout of one request to JetStream."""
    ping_interval_secs: Annotated[int, Field(ge=1)] = 5
    """Interval of pings. Two pings without a reply cause a reconnect, so a frozen server is
    detected."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Replicas of streams and buckets; 3 on a cluster of three servers."""
    lease_ttl_secs: Annotated[float, Field(ge=1)] = 5.0
    """How long a leader's lease lasts without renewal. A standby takes over within this time
    plus three seconds. The same for all services: it is a property of their common bucket."""


class MongoSettings(Settings):
    """The database."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_MONGO_")

    url: SecretStr = SecretStr("mongodb://127.0.0.1:7460/?replicaSet=tradedad")
    """Connection URL. It may contain a password, so it is never logged."""
    database: str = "tradedad"
    """Name of the database."""
    timeout_ms: Annotated[int, Field(ge=100)] = 5_000
    """Timeout of one operation, including its retries."""


class TokenSettings(Settings):
    """What makes an access token valid; the same for the issuer and all verifiers."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_TOKEN_")

    issuer: str = "https://tradedad.local/auth"
    """The `iss` claim of access tokens."""
    audience: str = "tradedad"
    """The `aud` claim of access tokens."""
    jwks_url: HttpUrl = "http://127.0.0.1:7410/.well-known/jwks.json"
    """URL at which the auth service publishes its public keys."""


class UpstoxSettings(Settings):
    """The address of Upstox and the access token for it."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_UPSTOX_")

    api_url: HttpUrl = "https://api.upstox.com"
    """URL of the REST API; its authorize call returns the address of the feed."""
    access_token: SecretStr = SecretStr("")
    """An access token; it expires at the next 03:30 IST. With it, or with
    TRADEDAD_UPSTOX_TOKEN_FILE, `make run` uses the real Upstox."""
    token_file: Path | None = None
    """A file that holds an access token. Ingest and the persister read it again and again, so
    write each day's token into it. It takes precedence over TRADEDAD_UPSTOX_ACCESS_TOKEN."""
    simulated: bool | None = None
    """Whether prices are reported to clients as simulated. If not set, they are unless the host of
    TRADEDAD_UPSTOX_API_URL is upstox.com or below it."""
    timeout_secs: Annotated[int, Field(ge=1)] = 10
    """Timeout of a request, in whole seconds: with a fraction the SDK waits without limit."""

    @property
    def is_simulated(self) -> bool:
        """Whether the market data are not of the real market."""
        if self.simulated is not None:
            return self.simulated
        host = urlsplit(self.api_url).hostname or ""
        return not f".{host}".endswith(".upstox.com")


SHARED_GROUPS: Final[tuple[type[Settings], ...]] = (
    LogSettings,
    RuntimeSettings,
    NatsSettings,
    MongoSettings,
    TokenSettings,
    UpstoxSettings,
)


class ServiceSettings(Settings):
    """Base class of the settings of a service."""

    log: LogSettings = Field(default_factory=LogSettings)
    runtime: RuntimeSettings = Field(default_factory=RuntimeSettings)
    ops_port: Port
    """Port of /healthz, /readyz and /metrics."""


SettingsT = TypeVar("SettingsT", bound=Settings)


def variables(group: type[Settings]) -> dict[str, Any]:
    """The variables that `group` and its nested groups read, with their defaults."""
    prefix = str(group.model_config.get("env_prefix", ""))
    defaults: dict[str, Any] = {}
    for name, field in group.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            defaults |= variables(kind)
        else:
            defaults[prefix + name.upper()] = field.get_default()
    return defaults


def unknown_variables(
    environ: Mapping[str, str], valid: set[str], *, other_parts: tuple[str, ...] = ()
) -> list[str]:
    """One line for each ``TRADEDAD_`` variable that is not in `valid` and not of `other_parts`."""
    ignored = tuple(f"{PREFIX}{part}_" for part in other_parts)
    lines = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in valid or name.startswith(ignored):
            continue
        nearest = difflib.get_close_matches(name, valid, n=1, cutoff=0.7)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        lines.append(f"{name} is not a setting{hint}")
    return lines


def load(group: type[SettingsT], environ: Mapping[str, str] | None = None) -> SettingsT:
    """Read and validate the settings of a process.

    Raises ConfigError with one line per problem: the variable and its rule, but never the
    value of a secret.
    """
    environ = os.environ if environ is None else environ
    own = set(variables(group))
    valid = own.union(*(variables(shared) for shared in SHARED_GROUPS), {SECRETS_DIR})
    part = str(group.model_config.get("env_prefix", "")).removeprefix(PREFIX).rstrip("_")
    others = tuple(other for other in SERVICE_PREFIXES if other != part)
    problems = unknown_variables(environ, valid, other_parts=others)
    directory = environ.get(SECRETS_DIR)
    if directory is not None and not Path(directory).is_dir():
        problems.append(f"{SECRETS_DIR}: {directory} is not a directory")
    if problems:
        raise ConfigError(problems)
    try:
        return group()
    except ValidationError as error:
        raise ConfigError([_explain(error, detail) for detail in error.errors()]) from None


def _explain(error: ValidationError, detail: Any) -> str:
    """One line for a field that is not valid; `error.title` names the field's group."""
    prefix = next(
        (
            str(group.model_config.get("env_prefix", ""))
            for group in _with_subclasses(Settings)
            if group.__name__ == error.title
        ),
        PREFIX,
    )
    variable = prefix + "_".join(str(part) for part in detail["loc"]).upper()
    if detail["type"] == "missing":
        return f"{variable} is not set, and has no default"
    return f"{variable}: {detail['msg'].removeprefix('Value error, ')}"


def _with_subclasses(base: type[Settings]) -> list[type[Settings]]:
    return [base, *(group for sub in base.__subclasses__() for group in _with_subclasses(sub))]
