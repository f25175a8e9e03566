"""Settings from the environment: their base class, the shared groups, and the strict loader.

Every variable starts with ``TRADEDAD_``. One that nobody knows stops the start and is
named, with the nearest valid one: a mistyped setting must not be a silent default.
A secret can also be a file named like its variable, in ``TRADEDAD_SECRETS_DIR``.
"""

import difflib
import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

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
# Variables of these parts are checked by the part itself; the rest of us pass them over.
PARTS: Final = ("AUTH", "GATEWAY", "INGEST", "PERSISTER", "SIMULATOR", "STACK", "TRADING")


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value.rstrip("/")


def _by_comma(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(part.strip() for part in value.split(",") if part.strip())


Port = Annotated[int, Field(ge=0, le=65_535)]
Secs = Annotated[float, Field(gt=0)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Names = Annotated[frozenset[str], NoDecode, BeforeValidator(_by_comma)]
"""Separated by commas."""
Networks = Annotated[frozenset[IPv4Network | IPv6Network], NoDecode, BeforeValidator(_by_comma)]
"""IP networks, separated by commas."""


class Settings(BaseSettings):
    """A frozen group of settings; a subclass sets `env_prefix`."""

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
    """The least that is logged."""
    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: console on a terminal, JSON elsewhere."""


class RuntimeSettings(Settings):
    """How a process starts and stops."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_RUNTIME_")

    ops_host: str = "127.0.0.1"
    """Where /healthz, /readyz and /metrics listen; each service has its own port."""
    shutdown_deadline_secs: Secs = 10.0
    """A stop that takes longer is cut short with a non-zero exit code."""


class NatsSettings(Settings):
    """The message bus."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_NATS_")

    url: str = "nats://127.0.0.1:7450"
    """One or more servers, separated by commas."""
    connect_timeout_secs: Annotated[int, Field(ge=1)] = 2
    """For one attempt; attempts go on for ever."""
    request_timeout_secs: Secs = 3.0
    """For one request to JetStream."""
    ping_interval_secs: Annotated[int, Field(ge=1)] = 5
    """Two pings without an answer make a reconnect, so a frozen server is noticed."""
    replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Copies of streams and buckets; 3 on a cluster of three."""
    lease_ttl_secs: Annotated[float, Field(ge=1)] = 5.0
    """How long a leader's lease lasts unrenewed; a standby takes over within this and
    three seconds more. The same for all services: it is a property of their bucket."""


class MongoSettings(Settings):
    """The database."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_MONGO_")

    url: SecretStr = SecretStr("mongodb://127.0.0.1:7460/?replicaSet=tradedad")
    """May hold a password, so it is never logged."""
    database: str = "tradedad"
    """Name of the database that holds everything."""
    timeout_ms: Annotated[int, Field(ge=100)] = 5_000
    """For one operation, all its retries included."""


class TokenSettings(Settings):
    """What makes an access token valid; the same for its issuer and its verifiers."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_TOKEN_")

    issuer: str = "https://tradedad.local/auth"
    """The `iss` claim."""
    audience: str = "tradedad"
    """The `aud` claim."""
    jwks_url: HttpUrl = "http://127.0.0.1:7410/.well-known/jwks.json"
    """Where the auth service publishes its public keys."""


class UpstoxSettings(Settings):
    """Where Upstox is, and how we authenticate there."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_UPSTOX_")

    api_url: HttpUrl = "https://api.upstox.com"
    """The REST host; the feed's own address comes from its authorize call."""
    access_token: SecretStr = SecretStr("")
    """An access token; it expires at the next 03:30 IST. With it, or with
    TRADEDAD_UPSTOX_TOKEN_FILE, `make run` uses the real Upstox."""
    token_file: Path | None = None
    """A file that holds an access token. Ingest and the persister read it again and again, so
    write each day's token into it. It takes precedence over TRADEDAD_UPSTOX_ACCESS_TOKEN."""
    timeout_secs: Annotated[int, Field(ge=1)] = 10
    """Whole seconds: the SDK waits for ever when given a fraction."""


SHARED_GROUPS: Final[tuple[type[Settings], ...]] = (
    LogSettings,
    RuntimeSettings,
    NatsSettings,
    MongoSettings,
    TokenSettings,
    UpstoxSettings,
)


class ServiceSettings(Settings):
    """The base of each service's own settings."""

    log: LogSettings = Field(default_factory=LogSettings)
    runtime: RuntimeSettings = Field(default_factory=RuntimeSettings)
    ops_port: Port
    """Where /healthz, /readyz and /metrics listen."""


S = TypeVar("S", bound=Settings)


def variables(group: type[Settings]) -> dict[str, Any]:
    """Every variable that `group` reads, nested groups included, with its default."""
    prefix = str(group.model_config.get("env_prefix", ""))
    known: dict[str, Any] = {}
    for name, field in group.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            known |= variables(kind)
        else:
            known[prefix + name.upper()] = field.get_default()
    return known


def unknown_variables(
    environ: Mapping[str, str], known: set[str], *, other_parts: tuple[str, ...] = ()
) -> list[str]:
    """One line for each ``TRADEDAD_`` variable that is neither in `known` nor of another part."""
    others = tuple(f"{PREFIX}{part}_" for part in other_parts)
    lines = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known or name.startswith(others):
            continue
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        lines.append(f"{name} is not a setting{hint}")
    return lines


def load(group: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Read and check the settings of one process.

    Raises ConfigError with one line per problem: the variable, what it must be, and
    for a secret never its value.
    """
    environ = os.environ if environ is None else environ
    own = set(variables(group))
    known = own.union(*(variables(shared) for shared in SHARED_GROUPS), {SECRETS_DIR})
    part = str(group.model_config.get("env_prefix", "")).removeprefix(PREFIX).rstrip("_")
    others = tuple(other for other in PARTS if other != part)
    problems = unknown_variables(environ, known, other_parts=others)
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
    """One line for a failed field; `error.title` names the group it is in."""
    prefix = next(
        (
            str(group.model_config.get("env_prefix", ""))
            for group in _all_groups(Settings)
            if group.__name__ == error.title
        ),
        PREFIX,
    )
    variable = prefix + "_".join(str(part) for part in detail["loc"]).upper()
    if detail["type"] == "missing":
        return f"{variable} is not set, and has no default"
    return f"{variable}: {detail['msg'].removeprefix('Value error, ')}"


def _all_groups(base: type[Settings]) -> list[type[Settings]]:
    return [base, *(group for sub in base.__subclasses__() for group in _all_groups(sub))]
