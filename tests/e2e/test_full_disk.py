"""A full disk stops neither live prices nor a process of the stack, which recovers with space."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest
from nats.aio.client import Client

from embedded.plan import prepare
from embedded.settings import SERVICES
from embedded.stack import Stack, readiness
from tests.e2e.conftest import START_SECS
from tests.support.settings import process_environment
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.waiting import eventually, wait_until

DISK_BYTES: Final = 900 << 20
CRITICAL_BYTES: Final = 64 << 20
QUOTES: Final = 200
SHOWN_LOG_BYTES: Final = 20_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_bytes=DISK_BYTES) as disk:
        yield disk


@pytest.fixture
def stack(disk: SmallDisk, tmp_path: Path) -> Iterator[Stack]:
    settings = process_environment(has_outages=True)
    del settings["TRADEDAD_RUNTIME_SHUTDOWN_DEADLINE_SECS"]
    settings["TRADEDAD_RUNTIME_DISK_CRITICAL_BYTES"] = str(CRITICAL_BYTES)
    settings["TRADEDAD_RUNTIME_DISK_LOW_BYTES"] = str(2 * CRITICAL_BYTES)
    plan = prepare(
        data_dir=disk.folder, use_free_ports=True, always_simulated=True, overrides=settings
    )
    with (tmp_path / "log").open("wb") as output, Stack(plan, output) as stack:
        stack.wait_ready(START_SECS)
        yield stack
        # Shown if the test has failed.
        print({name: readiness(url) for name, url in plan.ops_urls.items()})
        print((tmp_path / "log").read_text()[-SHOWN_LOG_BYTES:])


def services(stack: Stack) -> dict[str, int]:
    """Process ids of the services."""
    assert stack._process is not None
    found = {}
    for process in psutil.Process(stack._process.pid).children(recursive=True):
        command = process.cmdline()
        if command and "embedded.supervisor" not in command and "services." in command[-1]:
            found[command[-1]] = process.pid
    return found


async def receive_quotes(stack: Stack) -> None:
    """Wait until an observer that connects again and again has received some quotes."""
    password = (stack.plan.data_dir / "secrets/TRADEDAD_OBSERVER_NATS_PASSWORD").read_text()
    received = [0]

    async def count(_: object) -> None:
        received[0] += 1

    async def ignore(_: Exception) -> None:
        pass

    client = Client()
    await client.connect(
        stack.plan.nats_url, user="observer", password=password, error_cb=ignore,
        inbox_prefix="_INBOX.observer", max_reconnect_attempts=-1, ping_interval=2,
    )  # fmt: skip
    await client.subscribe("md.quote.>", cb=count)
    try:
        await eventually(lambda: received[0] >= QUOTES, what="live quotes arrive")
    finally:
        await client.close()


def ingest_reports_the_full_disk(stack: Stack) -> bool:
    return "nothing is stored for bars: the disk of" in readiness(stack.plan.ops_urls["ingest"])


def is_ready(stack: Stack) -> bool:
    return all(readiness(url) == "ready" for url in stack.plan.ops_urls.values())


def test_live_prices_go_on_and_everything_recovers_once_there_is_space(
    stack: Stack, disk: SmallDisk, tmp_path: Path
) -> None:
    reserve = stack.plan.data_dir / "nats.reserve"
    wait_until(reserve.exists, what="the reserve of disk space exists")
    before = services(stack)
    assert len(before) == len(SERVICES)
    disk.fill()
    wait_until(
        lambda: ingest_reports_the_full_disk(stack),
        what="ingest reports the full disk",
        timeout_secs=START_SECS,
    )
    wait_until(lambda: not reserve.exists(), what="the reserve is released")
    asyncio.run(receive_quotes(stack))
    disk.free()
    wait_until(lambda: is_ready(stack), what="all are ready again", timeout_secs=START_SECS)
    wait_until(reserve.exists, what="the reserve of disk space exists again")
    asyncio.run(receive_quotes(stack))
    stack.check_alive()
    assert services(stack) == before, "a service was restarted"
    log = (tmp_path / "log").read_text()
    assert "disk is full" in log
    assert "reserve released" in log
    assert "disk has enough free space again" in log
