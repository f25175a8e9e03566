"""Finds, kills, suspends and restarts the processes of a running stack."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from embedded.stack import Stack

SERVICES: Final = ("auth", "ingest", "persister", "trading", "gateway")
DAEMONS: Final = ("nats-server", "mongod")
_ENDED_SECS: Final = 10.0
_POLL_SECS: Final = 0.1


class StackProcesses:
    """The processes of one stack, by the name of the service or daemon."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def _by_name(self) -> dict[str, psutil.Process]:
        found = {}
        honcho = self._stack._process
        assert honcho is not None
        for process in psutil.Process(honcho.pid).children(recursive=True):
            try:
                command = process.cmdline()
            except psutil.NoSuchProcess:
                continue
            if not command or "embedded.supervisor" in command:
                continue
            if command[-1].startswith("services."):
                found[command[-1].removeprefix("services.")] = process
            elif Path(command[0]).name in DAEMONS:
                found[Path(command[0]).name] = process
        return found

    async def find(self, name: str) -> psutil.Process:
        """The running process; waits while the supervisor restarts it."""
        while True:
            process = self._by_name().get(name)
            if process is not None:
                return process
            self._stack.check_alive()
            await asyncio.sleep(_POLL_SECS)

    async def kill(self, name: str) -> None:
        """SIGKILL; the supervisor restarts the process."""
        process = await self.find(name)
        process.kill()

    async def suspend(self, name: str, secs: float) -> None:
        """SIGSTOP for `secs`, then SIGCONT."""
        process = await self.find(name)
        process.suspend()
        try:
            await asyncio.sleep(secs)
        finally:
            # A supervisor may replace a process that does not answer.
            with suppress(psutil.NoSuchProcess):
                process.resume()

    async def replace_folder(self, name: str, folder: Path, copy: Path) -> None:
        """Kill the process, replace its data folder by an older copy, and let it start again."""
        process = await self.find(name)
        supervisor = process.parent()
        assert supervisor is not None
        os.kill(supervisor.pid, signal.SIGSTOP)
        try:
            process.kill()
            await _ended(process)
            shutil.rmtree(folder)
            shutil.copytree(copy, folder)
        finally:
            os.kill(supervisor.pid, signal.SIGCONT)


async def _ended(process: psutil.Process) -> None:
    """Wait until a killed process has ended: its stopped supervisor cannot reap it."""
    async with asyncio.timeout(_ENDED_SECS):
        with suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(_POLL_SECS)
