"""Rules for docker-compose.yml; each problem is one line."""

import copy
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploycheck.documents import Document, at, listed, parse
from deploycheck.images import is_own, is_pinned
from deploycheck.schemas import compose_problems
from deploycheck.service_settings import environment_problems, nats_password, service_of
from embedded.settings import SERVICES
from operations.deployments import DEPLOYMENTS
from operations.first_secrets import SecretFolder
from shared.runtime.clock import SystemClock

_VARIABLE: Final = re.compile(r"\$\{([A-Z_]+):[-?]([^}]*)\}")
_SECRET_FILE: Final = re.compile(r"^\.secrets/")
# Containers that may break a rule, each with the reason.
_EXCEPTIONS: Final = {
    "setup": "runs once as root, to give files and volumes to the user of all other containers",
}
# Sources of volumes that may be missing: the first start makes them.
_MADE_LATER: Final = (".secrets", "backups")
# Files that the operator writes, each with the reason.
_WRITTEN_BY_HAND: Final = {"upstox/client-secret": "Upstox gives it to the owner of an app"}


def read(path: Path) -> Document:
    """Return a compose file with the default of every variable."""
    document: Document = parse(_VARIABLE.sub(lambda match: match[2], path.read_text()))
    return document


def with_addition(document: Document, addition: Document) -> Document:
    """A compose file together with another one that adds to some of its services."""
    merged: Document = copy.deepcopy(document)
    for name, service in addition["services"].items():
        own = merged["services"][name]
        own["environment"] = {**own["environment"], **service.get("environment", {})}
        own["secrets"] = [*own["secrets"], *service.get("secrets", [])]
    merged["secrets"] = {**merged["secrets"], **addition.get("secrets", {})}
    return merged


def check(document: Document, root: Path) -> list[str]:
    """One line for each problem; `root` is the folder of the file."""
    schema = compose_problems(document)
    if schema:
        return schema  # the other rules rely on the form
    lines = []
    for name, service in document["services"].items():
        problems = [
            *_references(service, document),
            *_binds(service, root),
            *_rights(name, service),
            *_settings(service),
        ]
        lines += [f"{name}: {problem}" for problem in problems]
    return [*lines, *_services(document), *_secrets(document)]


def _references(service: Document, document: Document) -> list[str]:
    others = document["services"]
    lines = [f"depends_on: there is no service {other}" for other in service.get("depends_on", {})
             if other not in others]  # fmt: skip
    for other, condition in (service.get("depends_on") or {}).items():
        wanted = at(condition, "condition")
        if wanted == "service_healthy" and "healthcheck" not in others.get(other, {}):
            lines.append(f"depends_on: {other} has no health check")
        missing = set(others.get(other, {}).get("profiles", [])) - set(service.get("profiles", []))
        if missing and not set(service.get("profiles", [])) & set(others[other]["profiles"]):
            lines.append(f"depends_on: {other} is only in the profiles {sorted(missing)}")
    for secret in listed(service, "secrets"):
        source = secret if isinstance(secret, str) else secret["source"]
        if source not in document["secrets"]:
            lines.append(f"there is no secret {source}")
    lines += [
        f"there is no network {network}"
        for network in service.get("networks", [])
        if network not in document["networks"]
    ]
    return lines


def _binds(service: Document, root: Path) -> list[str]:
    lines = []
    for volume in listed(service, "volumes"):
        source = volume.split(":")[0] if isinstance(volume, str) else volume["source"]
        if not source.startswith("./") or source.removeprefix("./").startswith(_MADE_LATER):
            continue
        if not (root / source).exists():
            lines.append(f"there is no {source}")
    return lines


def _rights(name: str, service: Document) -> list[str]:
    lines = []
    if not is_pinned(service["image"]):
        lines.append(f"the image {service['image']} has no registry, tag and digest")
    if name in _EXCEPTIONS:
        return lines
    if service.get("user") in (None, "0", "0:0", "root"):
        lines.append("may run as root")
    if service.get("read_only") is not True:
        lines.append("can write to its root file system")
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        lines.append("has capabilities")
    if "no-new-privileges:true" not in service.get("security_opt", []):
        lines.append("may gain privileges")
    if "healthcheck" not in service:
        lines.append("has no health check")
    return lines


def _settings(service: Document) -> list[str]:
    name = service_of(_command(service))
    if not is_own(service["image"]) or name is None:
        return []
    environment = {key: str(value) for key, value in (service.get("environment") or {}).items()}
    secrets = {
        secret if isinstance(secret, str) else secret.get("target", secret["source"])
        for secret in listed(service, "secrets")
    }
    return environment_problems(name, environment, secrets)


def _command(service: Document) -> list[str]:
    command = service.get("command") or (
        ["services.simulator"] if "-simulator:" in service["image"] else []
    )
    return [str(part) for part in command]


def _services(document: Document) -> list[str]:
    """Every service runs in both profiles, and nats-server has its password."""
    lines = []
    for profile in ("demo", "upstox"):
        running = {
            service_of(_command(service))
            for service in document["services"].values()
            if profile in service.get("profiles", [profile])
        }
        expected = SERVICES.keys() - ({"simulator"} if profile == "upstox" else set())
        lines += [f"profile {profile}: does not run {name}" for name in sorted(expected - running)]
        if profile == "upstox" and "simulator" in running:
            lines.append("profile upstox: runs the simulator")
    given: list[Any] = listed(document, "services", "nats", "secrets")
    needed = [password for name in SERVICES if (password := nats_password(name))]
    return [*lines, *(f"nats: there is no {name}" for name in needed if name not in given)]


def _secrets(document: Document) -> list[str]:
    """Every secret is a file that the command makes, and is used."""
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for service in document["services"].values()
        for secret in listed(service, "secrets")
    }
    made = made_files()
    lines = [f"secret {name} is not used" for name in document["secrets"] if name not in used]
    for name, secret in document["secrets"].items():
        file = secret["file"]
        if _SECRET_FILE.sub("", file) not in {*made, *_WRITTEN_BY_HAND}:
            lines.append(f"secret {name}: the command for secrets does not make {file}")
    return lines


def made_files() -> set[str]:
    """Names of the files that the command for secrets makes for compose."""
    with tempfile.TemporaryDirectory(prefix="tradedad-secrets-") as folder:
        made = SecretFolder(Path(folder))
        made.fill(DEPLOYMENTS["compose"], SystemClock(), datetime.now(UTC))
        return set(made.created)
