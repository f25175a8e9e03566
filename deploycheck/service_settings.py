"""Checks environments of services with the settings that these read."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from embedded.settings import SERVICES, all_variables
from operations.secret_files import NATS_PASSWORDS
from services.simulator.settings import SIMULATED_TOKEN
from shared.runtime.setting_problems import unknown_variables
from shared.runtime.settings import SERVICE_PREFIXES, Settings, variables

_SECRET_WORDS: Final = ("PASSWORD", "PEPPER", "SECRET", "ACCESS_TOKEN", "MONGO_URL")
# Secrets that protect nothing, each with the reason.
_HARMLESS: Final = {
    "TRADEDAD_UPSTOX_ACCESS_TOKEN": SIMULATED_TOKEN,
    "TRADEDAD_TRADING_UPSTOX_CLIENT_SECRET": "simulated-secret",
}
_NOT_SECRET: Final = ("TRADEDAD_SECRETS_DIR",)


def service_of(arguments: list[str]) -> str | None:
    """Return the service that a container's arguments start; None for other commands."""
    name = arguments[0].removeprefix("services.") if arguments else ""
    return name if name in SERVICES else None


def environment_problems(
    service: str, environment: Mapping[str, str], secrets: AbstractSet[str]
) -> list[str]:
    """One line for each variable that is unknown, missing, of another service, or a secret."""
    known = set(all_variables())
    lines = unknown_variables(environment, known)
    lines += unknown_variables(dict.fromkeys(secrets, ""), known)
    required = {name for name, default in _own(service).items() if _is_required(default)}
    lines += [f"{name} is required" for name in sorted(required - environment.keys() - secrets)]
    lines += [
        f"{name} is a secret and must be a file"
        for name, value in environment.items()
        if _is_secret(name) and _HARMLESS.get(name) != value
    ]
    others = [f"TRADEDAD_{part}_" for part in SERVICE_PREFIXES if part != service.upper()]
    foreign = sorted(name for name in secrets if name.startswith(tuple(others)))
    return [*lines, *(f"{name} is a secret of another service" for name in foreign)]


def _own(service: str) -> dict[str, object]:
    group: type[Settings] = SERVICES[service]
    return variables(group)


def _is_required(default: object) -> bool:
    return type(default).__name__ == "PydanticUndefinedType"


def _is_secret(name: str) -> bool:
    return name.endswith(_SECRET_WORDS) and name not in _NOT_SECRET


def nats_password(service: str) -> str | None:
    """Return the variable of a service's NATS password; None if it does not use NATS."""
    name = f"TRADEDAD_{service.upper()}_NATS_PASSWORD"
    return name if name in _own(service) or name in NATS_PASSWORDS else None
