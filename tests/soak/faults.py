"""The faults of the soak test: each breaks one thing for some seconds, then mends it."""

import asyncio
import errno
import os
import random
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.runtime.disk_space import free_space
from tests.soak.processes import DAEMONS, SERVICES, StackProcesses
from tests.support.tcp_proxy import CuttableProxy

_SUSPENSION_SECS: Final = (1.0, 20.0)
_CUT_SECS: Final = (1.0, 15.0)
_FULL_DISK_SECS: Final = 20.0
_CLOCK_STEP_SECS: Final = 30
_STEPPED_SECS: Final = 20.0
_FREE_BYTES: Final = 4_096

Fault = Callable[[], Awaitable[str]]
"""Breaks and mends; returns a description."""


@dataclass(frozen=True)
class Surroundings:
    """What the faults act on. A part that the machine does not offer is None."""

    processes: StackProcesses
    random: random.Random
    nats_proxy: CuttableProxy
    client_proxy: CuttableProxy
    nats_folder: Path
    nats_copy: Path
    disk: Path | None
    """Mount point of the file system that holds the data folder."""
    clock_file: Path | None
    """File with the offset of the clock, as libfaketime reads it."""


def faults(around: Surroundings) -> dict[str, Fault]:
    """All faults that this machine can play, by name."""
    named: dict[str, Fault] = {
        "kill": lambda: _kill(around),
        "suspend": lambda: _suspend(around),
        "cut NATS": lambda: _cut(around, around.nats_proxy),
        "cut clients": lambda: _cut(around, around.client_proxy),
        "NATS data put back": lambda: _put_nats_back(around),
    }
    if around.disk is not None:
        named["full disk"] = lambda: _fill_disk(around)
    if around.clock_file is not None:
        named["clock step"] = lambda: _step_clock(around)
    return named


async def _kill(around: Surroundings) -> str:
    name = around.random.choice(SERVICES + DAEMONS)
    await around.processes.kill(name)
    return name


async def _suspend(around: Surroundings) -> str:
    name = around.random.choice((*SERVICES, *DAEMONS, "simulator"))
    secs = around.random.uniform(*_SUSPENSION_SECS)
    await around.processes.suspend(name, secs)
    return f"{name} for {secs:.0f} s"


async def _cut(around: Surroundings, proxy: CuttableProxy) -> str:
    secs = around.random.uniform(*_CUT_SECS)
    async with proxy.cut():
        await asyncio.sleep(secs)
    return f"for {secs:.0f} s"


async def _put_nats_back(around: Surroundings) -> str:
    if not around.nats_copy.exists():
        await asyncio.to_thread(copy_nats, around)
        return "copied only"
    await around.processes.replace_folder("nats-server", around.nats_folder, around.nats_copy)
    await asyncio.to_thread(shutil.rmtree, around.nats_copy)
    return "to an older copy"


def copy_nats(around: Surroundings) -> None:
    """Copy the folder of the running nats-server, as a backup of its disk would."""

    def copy(source: str, target: str) -> str:
        try:
            return shutil.copy2(source, target)
        except FileNotFoundError:
            return target  # deleted meanwhile

    shutil.copytree(around.nats_folder, around.nats_copy, copy_function=copy)


def _allocate(descriptor: int, disk: Path) -> None:
    """Give a file all free space but `_FREE_BYTES`, while services write to the same disk."""
    while (size_bytes := free_space(disk) - _FREE_BYTES) > 0:
        try:
            os.posix_fallocate(descriptor, 0, size_bytes)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        else:
            return


async def _fill_disk(around: Surroundings) -> str:
    assert around.disk is not None
    ballast = around.disk / "ballast"
    try:
        with ballast.open("wb") as file:
            _allocate(file.fileno(), around.disk)
        await asyncio.sleep(_FULL_DISK_SECS)
    finally:
        ballast.unlink(missing_ok=True)
    return f"for {_FULL_DISK_SECS:.0f} s"


async def _step_clock(around: Surroundings) -> str:
    assert around.clock_file is not None
    offset_secs = around.random.choice((-_CLOCK_STEP_SECS, _CLOCK_STEP_SECS))
    try:
        around.clock_file.write_text(f"{offset_secs:+d}s\n")
        await asyncio.sleep(_STEPPED_SECS)
    finally:
        around.clock_file.write_text("+0s\n")
    return f"by {offset_secs:+d} s for {_STEPPED_SECS:.0f} s"
