"""Initiates MongoDB's replica set and creates its users; can be repeated at any time."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from operations.deployments import BACKUP_ROLES, DATABASE, MONITOR_USER, REPLICA_SET
from shared.errors import TradeDadError

Document = dict[str, Any]

# With a key file, each member has this user without any database: its password is the file's text.
_SYSTEM_USER: Final = "__system"
_NOT_YET_INITIALISED: Final = 94
_ALREADY_INITIALISED: Final = 23
_DUPLICATE_USER: Final = 51003
_DUPLICATE_ROLE: Final = 51002
_MONITOR_ROLE: Final = "tradedadMonitor"
# Figures of the servers, and no document of any database.
_MONITOR_PRIVILEGES: Final = (
    {"resource": {"cluster": True}, "actions": ["serverStatus", "replSetGetStatus"]},
    {"resource": {"db": DATABASE, "collection": ""}, "actions": ["dbStats"]},
)
# Orders are not accepted while there is no primary. MongoDB's default is ten seconds.
_SETTINGS: Final = {"electionTimeoutMillis": 5_000, "heartbeatIntervalMillis": 1_000}
_TRY_MS: Final = 2_000
_PAUSE_SECS: Final = 0.2


class MongoSetupFailed(TradeDadError):
    """The replica set could not be set up in time; the message has the last cause."""


@dataclass(frozen=True)
class MongoSetup:
    """Required setup of MongoDB."""

    members: Sequence[str]
    """host:port of each member."""
    key: str
    """The text of the key file."""
    passwords: Mapping[str, str]
    """The password of each user."""
    roles: Sequence[Document]
    """Commands createRole, for users with less than readWrite."""
    options: Mapping[str, Any]
    """Options of the client, such as TLS."""
    monitor_password: str = ""
    """Password of the user that reads the servers' figures; no such user if empty."""

    def run(self, timeout_secs: float) -> None:
        """Initiate the set, and create or update roles and users. Raises MongoSetupFailed."""
        deadline = time.monotonic() + timeout_secs
        cause = "no attempt"
        while time.monotonic() < deadline:
            try:
                if self._initiate():
                    self._create_users()
                    return
                cause = "the replica set has no primary yet"
            except PyMongoError as error:
                cause = str(error)
            time.sleep(_PAUSE_SECS)
        raise MongoSetupFailed(f"MongoDB at {', '.join(self.members)}: {cause}")

    def _client(self, hosts: Sequence[str], **options: Any) -> MongoClient[Document]:
        return MongoClient(
            list(hosts),
            username=_SYSTEM_USER,
            password=self.key,
            authSource="local",
            authMechanism="SCRAM-SHA-256",
            serverSelectionTimeoutMS=_TRY_MS,
            connectTimeoutMS=_TRY_MS,
            socketTimeoutMS=10 * _TRY_MS,
            **self.options,
            **options,
        )

    def _initiate(self) -> bool:
        """Initiate the set by its first member, unless it exists; whether it has a primary."""
        with self._client(self.members[:1], directConnection=True) as client:
            try:
                client.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code != _NOT_YET_INITIALISED:
                    raise
                members = [{"_id": n, "host": host} for n, host in enumerate(self.members)]
                config = {"_id": REPLICA_SET, "members": members, "settings": _SETTINGS}
                try:
                    client.admin.command("replSetInitiate", config)
                except OperationFailure as error:
                    if error.code != _ALREADY_INITIALISED:
                        raise
            return bool(client.admin.command("hello").get("primary"))

    def _create_users(self) -> None:
        with self._client(self.members, replicaSet=REPLICA_SET) as client:
            database = client.get_database(DATABASE)
            for role in self.roles:
                _create_or_update(database, "Role", role["createRole"], role, _DUPLICATE_ROLE)
            own_roles: dict[str, Sequence[str]] = {
                _user_of(role): [role["createRole"]] for role in self.roles
            }
            own_roles |= BACKUP_ROLES
            for user, password in self.passwords.items():
                fields = {"pwd": password, "roles": list(own_roles.get(user, ["readWrite"]))}
                _create_or_update(database, "User", user, fields, _DUPLICATE_USER)
            if self.monitor_password:
                _create_monitor(client.admin, self.monitor_password)


def _create_monitor(admin: Any, password: str) -> None:
    """The user is one of `admin`, as only its roles may have rights on servers."""
    role = {"privileges": list(_MONITOR_PRIVILEGES), "roles": []}
    _create_or_update(admin, "Role", _MONITOR_ROLE, role, _DUPLICATE_ROLE)
    user = {"pwd": password, "roles": [_MONITOR_ROLE]}
    _create_or_update(admin, "User", MONITOR_USER, user, _DUPLICATE_USER)


def _user_of(role: Document) -> str:
    """The user that a role is for: `tradedadAuth` is for `auth`."""
    name: str = role["createRole"]
    return name.removeprefix(DATABASE).lower()


def _create_or_update(
    database: Any, kind: str, name: str, fields: Document, duplicate: int
) -> None:
    own = {key: value for key, value in fields.items() if key != f"create{kind}"}
    try:
        database.command({f"create{kind}": name, **own})
    except OperationFailure as error:
        if error.code != duplicate:
            raise
        database.command({f"update{kind}": name, **own})
