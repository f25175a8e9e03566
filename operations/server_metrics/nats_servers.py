"""Reads the figures of nats-servers from their monitoring ports."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from operations.server_metrics import metrics
from operations.server_metrics.figures import Figures
from shared.runtime.logs import get_logger

log = get_logger(__name__)

GAUGES: Final = (
    metrics.NATS_UP, metrics.NATS_CONNECTIONS, metrics.NATS_MEMORY_BYTES,
    metrics.NATS_CLUSTER_SERVERS, metrics.NATS_STORAGE_BYTES, metrics.NATS_STORAGE_LIMIT_BYTES,
    metrics.NATS_STREAM_MESSAGES, metrics.NATS_STREAM_BYTES, metrics.NATS_STREAM_LAST_SEQUENCE,
    metrics.NATS_STREAM_HAS_LEADER, metrics.NATS_STREAM_CONSUMERS, metrics.NATS_STREAM_PENDING,
)  # fmt: skip
_MAX_ANSWER_BYTES: Final = 16 << 20
_CHUNK_BYTES: Final = 1 << 16
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)


class _Varz(msgspec.Struct):
    connections: int
    total_connections: int
    slow_consumers: int
    mem: int


class _Route(msgspec.Struct):
    remote_id: str = ""


class _Routez(msgspec.Struct):
    routes: list[_Route] | None = None


class _Limits(msgspec.Struct):
    max_storage: int


class _State(msgspec.Struct):
    messages: int
    bytes: int
    last_seq: int
    consumer_count: int = 0


class _Cluster(msgspec.Struct):
    leader: str = ""


class _Consumer(msgspec.Struct):
    num_pending: int = 0


class Stream(msgspec.Struct):
    """A stream as one server sees it."""

    name: str
    state: _State
    cluster: _Cluster | None = None
    consumer_detail: list[_Consumer] | None = None

    @property
    def has_leader(self) -> bool:
        """A server without a cluster leads all of its streams."""
        return self.cluster is None or bool(self.cluster.leader)

    @property
    def pending(self) -> int:
        """Messages that the slowest consumer has not been sent."""
        return max((one.num_pending for one in self.consumer_detail or ()), default=0)


class _Account(msgspec.Struct):
    stream_detail: list[Stream] | None = None


class _Jsz(msgspec.Struct):
    config: _Limits
    storage: int = 0
    account_details: list[_Account] | None = None


T = TypeVar("T")


class NatsServers:
    """The nats-servers of a deployment, by the addresses of their monitoring ports."""

    def __init__(self, urls: Sequence[str], http: aiohttp.ClientSession) -> None:
        self._urls = {urlsplit(url).netloc: url.rstrip("/") for url in urls}
        self._http = http

    async def read(self) -> Figures:
        """One round; a server that does not answer is down, and costs nothing of the others."""
        figures = Figures()
        streams = await asyncio.gather(*(self._server(name, figures) for name in self._urls))
        _streams([one for some in streams for one in some], figures)
        return figures

    async def _server(self, name: str, figures: Figures) -> list[Stream]:
        try:
            varz = await self._get(name, "varz", _Varz)
            routez = await self._get(name, "routez", _Routez)
            query = {"accounts": "true", "streams": "true", "consumers": "true"}
            jsz = await self._get(name, "jsz", _Jsz, query)
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError) as error:
            log.warning("nats-server does not answer", server=name, error=repr(error))
            figures.set(metrics.NATS_UP, 0, name)
            return []
        figures.set(metrics.NATS_UP, 1, name)
        figures.set(metrics.NATS_CONNECTIONS, varz.connections, name)
        figures.set(metrics.NATS_MEMORY_BYTES, varz.mem, name)
        figures.count(metrics.NATS_OPENED_CONNECTIONS, varz.total_connections, name)
        figures.count(metrics.NATS_SLOW_CONSUMERS, varz.slow_consumers, name)
        # Since 2.10 there are several routes to each server.
        others = {route.remote_id for route in routez.routes or ()}
        figures.set(metrics.NATS_CLUSTER_SERVERS, 1 + len(others), name)
        figures.set(metrics.NATS_STORAGE_BYTES, jsz.storage, name)
        figures.set(metrics.NATS_STORAGE_LIMIT_BYTES, jsz.config.max_storage, name)
        return [one for some in jsz.account_details or () for one in some.stream_detail or ()]

    async def _get(
        self, name: str, path: str, kind: type[T], query: Mapping[str, str] | None = None
    ) -> T:
        url = f"{self._urls[name]}/{path}"
        async with self._http.get(url, params=query, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    raise aiohttp.ClientPayloadError(f"/{path} is too long")
            return msgspec.json.decode(body, type=kind)


def _streams(seen: Iterable[Stream], figures: Figures) -> None:
    """Each stream once: every server with a replica lists it, some a little behind."""
    by_name: dict[str, list[Stream]] = {}
    for stream in seen:
        by_name.setdefault(stream.name, []).append(stream)
    for name, replicas in by_name.items():
        newest = max(replicas, key=lambda one: one.state.last_seq).state
        figures.set(metrics.NATS_STREAM_MESSAGES, newest.messages, name)
        figures.set(metrics.NATS_STREAM_BYTES, newest.bytes, name)
        figures.set(metrics.NATS_STREAM_LAST_SEQUENCE, newest.last_seq, name)
        has_leader = any(one.has_leader for one in replicas)
        figures.set(metrics.NATS_STREAM_HAS_LEADER, has_leader, name)
        consumers = max(one.state.consumer_count for one in replicas)
        figures.set(metrics.NATS_STREAM_CONSUMERS, consumers, name)
        figures.set(metrics.NATS_STREAM_PENDING, max(one.pending for one in replicas), name)
