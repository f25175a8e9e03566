"""How many streams fit into the limit on open files."""

from typing import Final

from services.gateway.settings import GatewaySettings
from shared.runtime.file_limit import MIN_CONNECTIONS, max_connections
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_SHARE_OF_STREAMS: Final = 0.8
"""The rest of the connections is for REST, the page and new handshakes."""


def connection_limit(settings: GatewaySettings) -> int:
    """How many connections clients may have, so that probes and other services still have some."""
    return max_connections(also_reserved=settings.auth_connections)


def within_file_limit(settings: GatewaySettings) -> GatewaySettings:
    """`settings` with as many streams and idle connections as there are descriptors for.

    A lower number than configured is logged as a warning.
    """
    limit = connection_limit(settings)
    max_streams = min(settings.max_streams, max(1, int(limit * _SHARE_OF_STREAMS)))
    max_idle = min(settings.max_idle_connections, max(MIN_CONNECTIONS // 2, limit // 5))
    if max_streams < settings.max_streams:
        log.warning(
            "the limit on open files allows fewer streams than TRADEDAD_GATEWAY_MAX_STREAMS",
            max_streams=settings.max_streams,
            allowed_streams=max_streams,
            connections=limit,
        )
    return settings.model_copy(
        update={"max_streams": max_streams, "max_idle_connections": max_idle}
    )
