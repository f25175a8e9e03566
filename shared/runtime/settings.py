"""Settings from environment variables: base class, shared groups and strict loader.

Every variable starts with ``TRADEDAD_``. An unknown variable is an error that names the nearest
valid one: a misspelt setting must not silently fall back to its default. A secret can also be
in a file, named like its variable, in the directory ``TRADEDAD_SECRETS_DIR``.
"""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeGuard, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.errors import ConfigError
from shared.runtime.setting_problems import (
    explain,
    first_of_each,
    path_problems,
    unknown_variables,
)
from shared.runtime.setting_sources import (
    PREFIX,
    SECRETS_DIR,
    TextSource,
    not_text,
    read_secret_files,
    stripped,
)
from shared.runtime.setting_types import (
    AnyPath,
    CollectorUrl,
    FilePath,
    Host,
    HttpUrl,
    MongoUrl,
    NatsUrls,
    Port,
    ProxyUrl,
    Secs,
)

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
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, TextSource(settings_cls, set(own_variables(cls)))


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

    ops_host: Host = "127.0.0.1"
    """Address of /healthz, /readyz and /metrics; each service has its own port."""
    shutdown_deadline_secs: Secs = 10.0
    """A shutdown that takes longer is aborted with a non-zero exit code."""
    shutdown_grace_secs: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0
    """How long a gateway or auth that stops goes on as before, but not ready and with `Connection: close`
    in its answers, for balancers to notice. It is limited to a quarter of
    `TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS`."""
    max_clock_skew_secs: Secs = 5.0
    """A process whose clock differs by more than this from the clock of auth (gateway),
    MongoDB (auth, persister, trading) or NATS (ingest) is not ready."""
    disk_low_bytes: Annotated[int, Field(ge=0, le=1 << 50)] = 1 << 30
    """Free space of a store's disk below which a warning is logged."""
    disk_critical_bytes: Annotated[int, Field(ge=0, le=1 << 50)] = 128 << 20
    """Free space of NATS' disk below which ingest stops storing market data, so that live prices go
    on. The bars of this time are partial."""


class OtlpSettings(Settings):
    """Export of traces to a collector of OpenTelemetry."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_OTLP_")

    endpoint: CollectorUrl = ""
    """URL of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318: spans are posted
    to /v1/traces below it. Nothing is exported if empty."""
    sample_ratio: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.01
    """Share of the requests whose trace is exported. Spans that failed are always exported."""
    timeout_secs: Secs = 5.0
    """Timeout of one request to the collector."""


class NatsSettings(Settings):
    """The message bus."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_NATS_")

    url: NatsUrls = "nats://127.0.0.1:7450"
    """URLs of one or more servers, separated by commas."""
    ca_file: FilePath | None = None
    """File with the certificate of the authority that signed the servers' certificates, for URLs
    with tls://. If not set, the authorities of the operating system are trusted."""
    store_dir: AnyPath | None = None
    """Folder of JetStream's data, if it is on this machine: ingest watches the free space of its
    disk. `make run` sets it."""
    connect_timeout_secs: Annotated[int, Field(ge=1, le=3_600)] = 2
    """Timeout of one attempt to connect; the number of attempts is not limited."""
    request_timeout_secs: Secs = 3.0
    """Timeout of one request to JetStream."""
    ping_interval_secs: Annotated[int, Field(ge=1, le=3_600)] = 5
    """Interval of pings. Two pings without a reply cause a reconnect, so a frozen server is
    detected."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Replicas of streams and buckets; 3 on a cluster of three servers."""
    lease_ttl_secs: Annotated[float, Field(ge=1, le=3_600, allow_inf_nan=False)] = 5.0
    """How long a leader's lease lasts without renewal. A standby takes over within this time
    plus three seconds. The same for all services: it is a property of their common bucket."""


class MongoSettings(Settings):
    """The database."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_MONGO_")

    url: MongoUrl = SecretStr("mongodb://127.0.0.1:7460/?replicaSet=tradedad")
    """Connection URL. It may contain a password, so it is never logged."""
    database: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,63}$")] = "tradedad"
    """Name of the database: letters, digits, `_` and `-`."""
    store_dir: AnyPath | None = None
    """Folder of mongod's data, if it is on this machine: the persister watches the free space of its
    disk. `make run` sets it."""
    timeout_ms: Annotated[int, Field(ge=100, le=3_600_000)] = 5_000
    """Timeout of one operation, including its retries."""
    connect_timeout_ms: Annotated[int, Field(ge=100, le=3_600_000)] = 1_000
    """Timeout of connecting to a server, and of each check of whether it answers. A server that
    fails a check loses all operations in progress."""


class TokenSettings(Settings):
    """Required claims and key URL of access tokens; the same for the issuer and all verifiers."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_TOKEN_")

    issuer: Annotated[str, Field(min_length=1)] = "https://tradedad.local/auth"
    """The `iss` claim of access tokens."""
    audience: Annotated[str, Field(min_length=1)] = "tradedad"
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
    token_file: FilePath | None = None
    """A file that holds an access token. Ingest and the persister read it again and again, so
    write each day's token into it. It takes precedence over TRADEDAD_UPSTOX_ACCESS_TOKEN."""
    simulated: bool | None = None
    """Whether prices are reported to clients as simulated. If not set, they are unless the host of
    TRADEDAD_UPSTOX_API_URL is upstox.com or below it."""
    proxy_url: ProxyUrl = SecretStr("")
    """URL of an HTTP proxy for all calls to Upstox; none if empty. `http_proxy`, `https_proxy` and
    `all_proxy` are not used by any service."""
    timeout_secs: Annotated[int, Field(ge=1, le=3_600)] = 10
    """Timeout of a request, in whole seconds: with a fraction the SDK waits without limit."""

    @property
    def is_simulated(self) -> bool:
        """Whether the market data are not of the real market."""
        if self.simulated is not None:
            return self.simulated
        host = urlsplit(self.api_url).hostname or ""
        return not f".{host}".endswith(".upstox.com")

    @property
    def proxy(self) -> str | None:
        """The URL of the proxy; None for none."""
        return self.proxy_url.get_secret_value() or None


SHARED_GROUPS: Final[tuple[type[Settings], ...]] = (
    LogSettings,
    RuntimeSettings,
    OtlpSettings,
    NatsSettings,
    MongoSettings,
    TokenSettings,
    UpstoxSettings,
)


class ServiceSettings(Settings):
    """Base class of the settings of a service."""

    log: LogSettings = Field(default_factory=LogSettings)
    runtime: RuntimeSettings = Field(default_factory=RuntimeSettings)
    otlp: OtlpSettings = Field(default_factory=OtlpSettings)
    ops_port: Port
    """Port of /healthz, /readyz and /metrics."""


SettingsT = TypeVar("SettingsT", bound=Settings)


def own_variables(group: type[Settings]) -> dict[str, Any]:
    """The variables that `group` itself reads, with their defaults."""
    prefix = str(group.model_config.get("env_prefix", ""))
    return {
        prefix + name.upper(): field.get_default()
        for name, field in group.model_fields.items()
        if not _is_group(field.annotation)
    }


def variables(group: type[Settings]) -> dict[str, Any]:
    """The variables that `group` and its nested groups read, with their defaults."""
    defaults = own_variables(group)
    for nested in _nested(group).values():
        defaults |= variables(nested)
    return defaults


def _nested(group: type[Settings]) -> dict[str, type[Settings]]:
    """The nested groups of `group`, by field."""
    return {
        name: field.annotation
        for name, field in group.model_fields.items()
        if _is_group(field.annotation)
    }


def _is_group(kind: Any) -> TypeGuard[type[Settings]]:
    return isinstance(kind, type) and issubclass(kind, Settings)


def load(group: type[SettingsT], environ: Mapping[str, str] | None = None) -> SettingsT:
    """Read and validate the settings of a process.

    Raises ConfigError with one line per problem: the variable, its value and its rule, but
    never the value of a secret.
    """
    environ = os.environ if environ is None else environ
    own = set(variables(group))
    valid = own.union(*(variables(shared) for shared in SHARED_GROUPS), {SECRETS_DIR})
    part = str(group.model_config.get("env_prefix", "")).removeprefix(PREFIX).rstrip("_")
    others = tuple(other for other in SERVICE_PREFIXES if other != part)
    problems = unknown_variables(environ, valid, other_parts=others)
    directory = environ.get(SECRETS_DIR)
    if directory is not None:
        problems += read_secret_files(stripped(directory), own - set(environ))[1]
    problems += not_text(environ, own)
    settings = _read(group, problems)
    if problems:
        raise ConfigError(first_of_each(problems))
    return settings


def _read(group: type[SettingsT], problems: list[str]) -> SettingsT:
    """Read a group and its nested ones; append all problems, so that one run reports them all."""
    nested: dict[str, Any] = {name: _read(kind, problems) for name, kind in _nested(group).items()}
    try:
        settings = group(**nested)
    except ValidationError as error:
        problems += explain(group, error)
        return cast("SettingsT", group.model_construct(**nested))
    problems += path_problems(settings)
    return settings
