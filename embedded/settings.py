"""Settings of the embedded stack, and all variables that its processes read."""

import os
from pathlib import Path
from typing import Any, Final

from pydantic_settings import SettingsConfigDict

from services.auth.settings import AuthSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.persister.settings import PersisterSettings
from services.simulator.settings import SimulatorSettings
from services.trading.settings import TradingSettings
from shared.errors import ConfigError
from shared.runtime.setting_problems import unknown_variables
from shared.runtime.setting_sources import SECRETS_DIR
from shared.runtime.setting_types import AnyPath, Port, Secs
from shared.runtime.settings import (
    SHARED_GROUPS,
    Settings,
    variables,
)


class StackSettings(Settings):
    """Data folder, ports and programs of the embedded stack."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_STACK_")

    data_dir: AnyPath = Path(".data")
    """Folder of databases, streams, keys and secrets."""
    nats_port: Port = 7450
    """Port of nats-server. Not the usual 4222, which the service of Debian's package uses."""
    nats_monitor_port: Port = 7451
    """Port of nats-server's monitoring: /varz, /connz and /jsz."""
    mongo_port: Port = 7460
    """Port of mongod."""
    nats_server: AnyPath | None = None
    """Path of nats-server, if it is neither on PATH, in /usr/sbin nor in /usr/local/bin."""
    mongod: AnyPath | None = None
    """Path of mongod, instead of the one in the Python environment."""
    allow_apt: bool = True
    """Whether `make` as root may install a missing nats-server or libcurl4 with apt-get."""
    start_timeout_secs: Secs = 60.0
    """Time limit for all services to become ready."""


SERVICES: Final[dict[str, type[Settings]]] = {
    "simulator": SimulatorSettings,
    "auth": AuthSettings,
    "ingest": IngestSettings,
    "persister": PersisterSettings,
    "trading": TradingSettings,
    "gateway": GatewaySettings,
}


def all_variables() -> dict[str, Any]:
    """Return all variables of the stack and its services, with their defaults."""
    defaults: dict[str, Any] = {SECRETS_DIR: None}
    groups: list[type[Settings]] = [*SHARED_GROUPS, StackSettings, *SERVICES.values()]
    for group in groups:
        defaults |= variables(group)
    return defaults


def port_variables() -> dict[str, int]:
    """Return all variables of listening ports, with their defaults."""
    return {name: port for name, port in all_variables().items() if name.endswith("_PORT")}


def check_environment() -> None:
    """Raise ConfigError if a ``TRADEDAD_`` variable is not a setting; name each of them."""
    problems = unknown_variables(os.environ, set(all_variables()))
    if problems:
        raise ConfigError(problems)
