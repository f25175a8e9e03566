"""The limit on open files, and how many connections it leaves room for."""

import resource
from typing import Final

from shared.runtime.logs import get_logger

log = get_logger(__name__)

RESERVED: Final = 128
"""Descriptors that connections from outside never use: the operations port, connections to NATS and
MongoDB, files, and the event loop."""
MIN_CONNECTIONS: Final = 16


def raise_file_limit() -> None:
    """Raise the soft limit on open files, sockets included, to the hard limit.

    The usual soft limit of 1,024 exists for programs that use `select`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        log.warning("file limit not raised", soft_limit=soft, error=str(error))


def max_connections(*, also_reserved: int = 0) -> int:
    """How many connections from outside this process may have, within its limit on open files.

    `also_reserved` are further descriptors that the process needs.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(MIN_CONNECTIONS, soft - RESERVED - also_reserved)
