"""Host names and addresses of the servers in each kind of deployment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

DATABASE: Final = "tradedad"
REPLICA_SET: Final = "tradedad"
MONGO_USERS: Final = ("auth", "persister", "trading")
"""The services that use MongoDB; each has a user of its own."""
MONITOR_USER: Final = "monitor"
"""The user that reads MongoDB's figures, in the database `admin`."""
BACKUP_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "backup": ("read",),
    "restore": ("readWrite", "dbAdmin"),
}
"""The users that take and restore backups, with their roles in the database of the services."""
DATABASE_USERS: Final = (*MONGO_USERS, *BACKUP_ROLES)
"""The users of the database of the services."""


@dataclass(frozen=True)
class Deployment:
    """Where the servers of a deployment are."""

    mongo_members: tuple[str, ...]
    """host:port of each member of the replica set."""
    mongo_options: str
    """Further options of MongoDB's connection URL."""
    certificates: Mapping[str, tuple[str, ...]]
    """Host names and addresses in the certificate of each server."""

    def mongo_url(self, user: str, password: str, *, source: str = DATABASE) -> str:
        """Return the connection URL of a user that was created in the database `source`."""
        hosts = ",".join(self.mongo_members)
        options = f"replicaSet={REPLICA_SET}&authSource={source}{self.mongo_options}"
        return f"mongodb://{user}:{password}@{hosts}/?{options}"


_KUBERNETES_NATS: Final = tuple(f"nats-{number}.nats" for number in range(3))
_KUBERNETES_MONGO: Final = tuple(f"mongo-{number}.mongo" for number in range(3))

DEPLOYMENTS: Final[Mapping[str, Deployment]] = {
    # Compose: one machine, whose private network needs no TLS; nginx has the public certificate.
    "compose": Deployment(
        mongo_members=("mongo:27017",),
        mongo_options="",
        certificates={"edge": ("localhost", "127.0.0.1", "::1", "edge")},
    ),
    "kubernetes": Deployment(
        mongo_members=tuple(f"{host}:27017" for host in _KUBERNETES_MONGO),
        mongo_options="&tls=true&tlsCAFile=/run/ca/ca.crt",
        certificates={
            "nats": ("nats", *_KUBERNETES_NATS, "localhost", "127.0.0.1"),
            "mongo": ("mongo", *_KUBERNETES_MONGO, "localhost", "127.0.0.1"),
        },
    ),
}
