"""Leaves a nats-server that is cut off from the other servers of its cluster.

Such a server answers pings, so the client stays connected. But messages of clients of the other servers
do not arrive, and JetStream does not answer. If JetStream does not answer through another server
either, the pause before the next change is doubled.
"""

from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from prometheus_client import Counter

from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

LEFT_SERVERS: Final = Counter(
    "tradedad_bus_left_servers_total",
    "Connections to a nats-server that were given up because JetStream did not answer through it.",
)
_PROBE_SECS: Final = 3.0
_MIN_FAILURES: Final = 3
_MAX_FAILURES: Final = 96


class IsolationWatch:
    """Asks JetStream about a stream, which only servers that reach a majority can answer."""

    def __init__(
        self, client: Client, jetstream: JetStreamContext, stream: str, clock: Clock
    ) -> None:
        self._client = client
        self._jetstream = jetstream
        self._stream = stream
        self._clock = clock

    async def run(self) -> None:
        """Ask every three seconds, and leave the server after three lost answers, until cancelled."""
        failures, max_failures = 0, _MIN_FAILURES
        while True:
            await self._clock.sleep(_PROBE_SECS)
            if not self._client.is_connected:
                failures = 0
            elif await self._is_answered():
                failures, max_failures = 0, _MIN_FAILURES
            else:
                failures += 1
            if failures >= max_failures:
                failures, max_failures = 0, min(2 * max_failures, _MAX_FAILURES)
                LEFT_SERVERS.inc()
                log.warning("leaving the server: JetStream does not answer", stream=self._stream)
                await self._client.force_reconnect()

    async def _is_answered(self) -> bool:
        try:
            info = await self._jetstream.stream_info(self._stream)
        except NotFoundError:
            return True
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("JetStream does not answer", stream=self._stream, error=repr(error))
            return False
        # The former leader of the stream goes on answering, and after about 20 s names no leader.
        return info.cluster is None or bool(info.cluster.leader)
