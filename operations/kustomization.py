"""Describes a folder of secrets to kustomize: one Secret per pod that reads it, and no more in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from operations.deployments import BACKUP_ROLES, DATABASE_USERS, MONGO_USERS, MONITOR_USER
from operations.first_secrets import SEAL_KEYS, SIGNING_KEYS
from operations.secret_files import NATS_PASSWORDS, PEPPER, write_private

_SERVICES: Final = ("auth", "gateway", "ingest", "persister", "trading")


def secrets_by_name(signing_keys: list[str], seal_keys: list[str]) -> Mapping[str, list[str]]:
    """The files of each Secret, as `file` or `key=file`."""
    services = {f"{name}-secrets": _of_service(name) for name in _SERVICES}
    backups = {f"{user}-secrets": [_mongo_url(user)] for user in BACKUP_ROLES}
    servers = {
        "auth-signing-keys": [f"{SIGNING_KEYS}/{name}" for name in signing_keys],
        "trading-seal-keys": [f"{SEAL_KEYS}/{name}" for name in seal_keys],
        "nats-passwords": list(NATS_PASSWORDS),
        "nats-tls": ["tls.crt=nats.crt", "tls.key=nats.key", "ca.crt"],
        "mongo-tls": ["mongo.pem", "ca.crt"],
        "mongo-keyfile": ["mongo-keyfile"],
        "mongo-setup": [
            "mongo-keyfile",
            *(f"{user}-mongo-password" for user in (*DATABASE_USERS, MONITOR_USER)),
        ],
        "server-metrics-secrets": [f"mongo-url={MONITOR_USER}-mongo-url"],
    }
    return services | backups | servers


def _of_service(name: str) -> list[str]:
    files = [f"TRADEDAD_{name.upper()}_NATS_PASSWORD"]
    if name in MONGO_USERS:
        files.append(_mongo_url(name))
    return [*files, PEPPER] if name == "auth" else files


def _mongo_url(user: str) -> str:
    return f"TRADEDAD_MONGO_URL={user}-mongo-url"


def write_kustomization(folder: Path) -> None:
    """Write kustomization.yaml; it has names of files only. Raises OSError."""
    signing_keys = sorted(path.name for path in (folder / SIGNING_KEYS).glob("*.pem"))
    seal_keys = sorted(path.name for path in (folder / SEAL_KEYS).glob("*.key"))
    lines = [
        "apiVersion: kustomize.config.k8s.io/v1beta1",
        "kind: Kustomization",
        "secretGenerator:",
        *_generators(secrets_by_name(signing_keys, seal_keys)),
        "configMapGenerator:",
        *_generators({"internal-ca": ["ca.crt"]}),
    ]
    write_private(folder / "kustomization.yaml", ("\n".join(lines) + "\n").encode())


def _generators(files: Mapping[str, list[str]]) -> list[str]:
    lines = []
    for name, entries in files.items():
        lines += [f"- name: {name}", "  files:", *(f"  - {entry}" for entry in entries)]
    return lines
