"""Settings of the embedded stack, and every variable that any of its parts reads."""

import os
from pathlib import Path
from typing import Any, Final

from pydantic_settings import SettingsConfigDict

from services.auth.settings import AuthSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.persister.settings import PersisterSettings
from services.simulator.settings import SimulatorSettings
from shared.errors import ConfigError
from shared.runtime.settings import (
    SECRETS_DIR,
    SHARED_GROUPS,
    Port,
    Secs,
    Settings,
    unknown_variables,
    variables,
)


class StackSettings(Settings):
    """Where the embedded stack keeps its data and finds its programs."""

    model_config = SettingsConfigDict(env_prefix="TRADEDAD_STACK_")

    data_dir: Path = Path(".data")
    """Everything that is kept: databases, streams, keys and secrets."""
    nats_port: Port = 7450
    """Where nats-server listens; not its usual 4222, which Debian's own service takes."""
    nats_monitor_port: Port = 7451
    """Where nats-server answers /varz, /connz and /jsz."""
    mongo_port: Port = 7460
    """Where mongod listens."""
    nats_server: Path | None = None
    """Path of nats-server, if it is neither on PATH nor in /usr/sbin."""
    mongod: Path | None = None
    """Path of mongod, instead of the one that came with the Python environment."""
    allow_apt: bool = True
    """Whether a missing nats-server may be installed by apt-get, if we are root."""
    start_timeout_secs: Secs = 60.0
    """How long the parts may take to become ready."""


SERVICES: Final[dict[str, type[Settings]]] = {
    "simulator": SimulatorSettings,
    "auth": AuthSettings,
    "ingest": IngestSettings,
    "persister": PersisterSettings,
    "gateway": GatewaySettings,
}


def all_variables() -> dict[str, Any]:
    """Every variable of every part, with its default."""
    known: dict[str, Any] = {SECRETS_DIR: None}
    groups: list[type[Settings]] = [*SHARED_GROUPS, StackSettings, *SERVICES.values()]
    for group in groups:
        known |= variables(group)
    return known


def port_variables() -> dict[str, int]:
    """Every variable that names a port to listen on, with its default."""
    return {name: port for name, port in all_variables().items() if name.endswith("_PORT")}


def check_environment() -> None:
    """Raises ConfigError naming each ``TRADEDAD_`` variable that no part reads."""
    problems = unknown_variables(os.environ, set(all_variables()))
    if problems:
        raise ConfigError(problems)
