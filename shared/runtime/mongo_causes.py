"""Causes of a missing MongoDB, in words that name the setting and never its value."""

from typing import Final

from pymongo.errors import (
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.topology_description import TopologyDescription

URL_SETTING: Final = "TRADEDAD_MONGO_URL"
NO_PRIMARY: Final = "no primary"
_NOT_A_REPLICA_SET: Final = (
    f"the server of {URL_SETTING} is not a replica set, which transactions need; "
    "start mongod with --replSet"
)
_AUTHENTICATION_FAILED: Final = 18
_UNAUTHORIZED: Final = 13
_REFUSALS: Final = {
    _AUTHENTICATION_FAILED: f"authentication failed: unknown user or wrong password in {URL_SETTING}",
    _UNAUTHORIZED: (
        f"not authorized: the user of {URL_SETTING} lacks a role for TRADEDAD_MONGO_DATABASE, "
        "or the URL has no user"
    ),
}
# The driver reports these causes only as text.
_NETWORK_CAUSES: Final = (
    (("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"), "TLS: the certificate is not trusted"),
    (("SSL", "TLS"), "TLS handshake failed; does the server use TLS?"),
    (("Errno -2", "Errno -3", "Errno -5", "not known", "name resolution"), "the host name cannot be resolved"),
    (("Errno 111", "Errno 61", "refused"), "connection refused"),
    (("Errno 113", "Errno 101", "unreachable"), "the host cannot be reached"),
    (("timed out", "Timeout"), "no response in time"),
)  # fmt: skip


def refusal(error: PyMongoError) -> str | None:
    """Why the server refuses this user; None if that is not what `error` says."""
    code = error.code if isinstance(error, OperationFailure) else None
    return None if code is None else _REFUSALS.get(code)


def failure_cause(error: PyMongoError, topology: TopologyDescription) -> str:
    """Why an operation failed."""
    if (cause := refusal(error)) is not None:
        return cause
    if isinstance(error, ServerSelectionTimeoutError):
        return topology_cause(topology)
    if isinstance(error, NetworkTimeout):
        return f"no response in time ({URL_SETTING})"
    return type(error).__name__


def topology_cause(topology: TopologyDescription) -> str:
    """Why there is no primary, as far as the driver's view of the servers shows it."""
    servers = list(topology.server_descriptions().values())
    if not servers:
        return (
            f"no server of {URL_SETTING} is a member of the replica set that its replicaSet= names"
        )
    if all(server.server_type_name == "RSGhost" for server in servers):
        return f"the replica set of {URL_SETTING} is not initiated; run rs.initiate()"
    for server in servers:
        if isinstance(server.error, PyMongoError) and (cause := refusal(server.error)) is not None:
            return cause
    errors = [server.error for server in servers if server.error is not None]
    if len(errors) < len(servers) or not errors:
        return NO_PRIMARY
    host, port = servers[0].address
    return f"{host}:{port}: {_network_cause(str(errors[0]))} ({URL_SETTING})"


def hello_cause(hello: dict[str, object]) -> str | None:
    """Why a server that answers cannot be used; None if it can."""
    if not hello.get("isWritablePrimary"):
        return NO_PRIMARY
    is_router = hello.get("msg") == "isdbgrid"
    return None if hello.get("setName") or is_router else _NOT_A_REPLICA_SET


def _network_cause(text: str) -> str:
    text = text.partition("(configured timeouts")[0]
    for words, cause in _NETWORK_CAUSES:
        if any(word in text for word in words):
            return cause
    return "cannot be reached"
