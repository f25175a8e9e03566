"""Live prices go on while the disk of JetStream is full, and storing resumes by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from embedded import binaries, daemons
from embedded.ports import free_ports
from services.ingest.bus.ticks_storage import DEPENDENCY, TicksStorage
from shared.bus.connection import Bus
from shared.bus.resources import open_leases
from shared.bus.tick_reader import TickReader
from shared.contracts.subjects import ALL_QUOTES, TICKS_STREAM
from shared.runtime.disk import DiskWatch, Space
from shared.runtime.health import Readiness
from shared.runtime.settings import RuntimeSettings
from shared.runtime.tasks import stop
from tests.support.buses import bus_of, flushed
from tests.support.processes import child_process
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.waiting import eventually

DISK_BYTES: Final = 64 << 20
CRITICAL_BYTES: Final = 16 << 20
LOW_BYTES: Final = 32 << 20
SUBJECT: Final = "md.quote.NSE_EQ.INE002A01018"
MESSAGE: Final = bytes(1_000)


@dataclass
class Full:
    """A disk, and a nats-server and a leader's storage on it."""

    server: NatsServer
    disk: SmallDisk
    bus: Bus
    readiness: Readiness
    watch: DiskWatch
    received: list[int]

    async def stored(self) -> int:
        """Position of the last entry of TICKS."""
        return (await self.bus.js.stream_info(TICKS_STREAM)).state.last_seq

    async def wait_stored(self, position: int) -> None:
        """Wait until TICKS has stored all entries up to this position."""

        async def is_stored() -> bool:
            return await self.stored() == position

        await eventually(is_stored, what=f"entry {position} is stored")

    async def stores_nothing(self) -> bool:
        config = (await self.bus.js.stream_info(TICKS_STREAM)).config
        return config.max_msg_size == 1

    async def publish(self, count: int) -> None:
        """Publish messages, and wait until a subscriber has received them all."""
        expected = self.received[0] + count
        for number in range(count):
            await self.bus.client.publish(SUBJECT, MESSAGE)
            if number % 500 == 0:
                await self.bus.client.flush()
        await eventually(lambda: self.received[0] == expected, what="live messages arrive")


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Full]:
    with small_disk(tmp_path / "disk", size_bytes=DISK_BYTES) as disk:
        port, monitor_port = free_ports(2)
        program = binaries.nats_server(None, allow_apt=False)
        folder = disk.folder / "nats"
        command = daemons.nats_command(program, port=port, monitor_port=monitor_port, folder=folder)
        server = NatsServer(command, port, folder)
        with child_process(server):
            async with leader(server, disk) as made:
                yield made


@asynccontextmanager
async def leader(server: NatsServer, disk: SmallDisk) -> AsyncIterator[Full]:
    """Run the storage and the watch of a leader, and a subscriber."""
    readiness = Readiness("ingest")
    settings = RuntimeSettings(disk_low_bytes=LOW_BYTES, disk_critical_bytes=CRITICAL_BYTES)
    watch = DiskWatch("nats", disk.folder / "nats", settings)
    settings_of_bus = nats_settings(server.url, has_outages=True)
    async with bus_of(server, "ingest", settings=settings_of_bus, readiness=readiness) as bus:
        storage = TicksStorage(bus, watch, readiness, max_age_secs=600, max_bytes=1 << 30)
        await storage.ensure()
        received = [0]

        async def receive(_: object) -> None:
            received[0] += 1

        observer = await server.connect("observer")
        await observer.subscribe("md.quote.>", cb=receive)
        await flushed(observer)
        tasks = [asyncio.create_task(part.run()) for part in (watch, storage)]
        try:
            yield Full(server, disk, bus, readiness, watch, received)
        finally:
            await stop(tasks)
            await observer.close()


async def test_live_messages_arrive_on_a_full_disk_and_storing_resumes_with_space(
    full: Full,
) -> None:
    await full.publish(100)
    await full.wait_stored(100)
    await asyncio.to_thread(full.disk.fill, leave_bytes=CRITICAL_BYTES - (4 << 20))
    await eventually(full.stores_nothing, what="TICKS stores nothing")
    assert full.watch.space is Space.CRITICAL
    assert str(full.disk.folder) in full.readiness.missing[DEPENDENCY]
    # More than the disk could hold.
    await full.publish(CRITICAL_BYTES // len(MESSAGE))
    assert await full.stored() == 100
    # A gateway that starts now reads the last quotes.
    async with bus_of(full.server, "gateway") as gateway:
        async with TickReader(gateway, start=None, subject=ALL_QUOTES) as reader:
            last = [entry.position async for entries in reader.backlog() for entry in entries]
    assert last == [100]
    bucket = (await open_leases(full.bus)).bucket
    await bucket.create("ingest", b"still writable")
    await asyncio.to_thread(full.disk.free)
    await eventually(full.readiness.is_ready, what="TICKS stores again")
    assert not await full.stores_nothing()
    await full.publish(50)
    await full.wait_stored(150)


async def test_storing_resumes_although_the_server_hung_while_the_disk_was_full(full: Full) -> None:
    full.server.pause()
    with capture_logs() as logs:
        await asyncio.to_thread(full.disk.fill, leave_bytes=CRITICAL_BYTES - (4 << 20))
        await eventually(
            lambda: any(entry["event"] == "TICKS not updated" for entry in logs),
            what="a request to the server has failed",
        )
    assert DEPENDENCY in full.readiness.missing
    await asyncio.to_thread(full.disk.free)
    await eventually(lambda: full.watch.space is Space.ENOUGH, what="there is space again")
    full.server.resume()
    await eventually(full.readiness.is_ready, what="TICKS stores again")
    assert not await full.stores_nothing()
